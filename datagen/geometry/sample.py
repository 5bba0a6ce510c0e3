"""Surface samples and the distances between surfaces that operators are judged by."""

import numpy as np
from scipy.spatial import cKDTree

from datagen.core.shape import Mesh


def sample_surface(mesh: Mesh, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`count` points uniform by area, (count, 3), and the face of each, (count,)."""
    cumulative = np.cumsum(mesh.face_areas)
    faces = np.searchsorted(cumulative, rng.random(count) * cumulative[-1], side="right")
    faces = np.minimum(faces, len(mesh.faces) - 1)
    u, v = rng.random((2, count))
    root = np.sqrt(u)
    weights = np.stack([1 - root, root * (1 - v), root * v], axis=1)
    return np.einsum("nc,nci->ni", weights, mesh.triangles[faces]), faces


def grid_samples(mesh: Mesh, count: int = 2000) -> np.ndarray:
    """About `count` surface points that depend on the mesh alone (low-discrepancy, no rng), (N, 3)."""
    cumulative = np.cumsum(mesh.face_areas)
    index = np.arange(count)
    faces = np.searchsorted(cumulative, (index + 0.5) / count * cumulative[-1], side="right")
    faces = np.minimum(faces, len(mesh.faces) - 1)
    u, v = (0.5 + index * 0.7548776662466927) % 1, (0.5 + index * 0.5698402909980532) % 1
    root = np.sqrt(u)
    weights = np.stack([1 - root, root * (1 - v), root * v], axis=1)
    return np.einsum("nc,nci->ni", weights, mesh.triangles[faces])


def distances(points: np.ndarray, surface: np.ndarray) -> np.ndarray:
    """Distance (N,) of each point to the nearest of the surface samples (M, 3)."""
    return cKDTree(surface).query(points)[0]


def surface_distance(a: Mesh, b: Mesh, count: int = 2000) -> np.ndarray:
    """Distances (2 N,) from samples of each mesh to the other, sampling noise subtracted.

    The noise is the typical spacing of the denser target samples, so that a mesh is 0 from itself.
    """
    dense_a, dense_b = grid_samples(a, 4 * count), grid_samples(b, 4 * count)
    forward = distances(grid_samples(a, count), dense_b) - _spacing(b, 4 * count)
    backward = distances(grid_samples(b, count), dense_a) - _spacing(a, 4 * count)
    return np.maximum(np.concatenate([forward, backward]), 0.0)


def _spacing(mesh: Mesh, count: int) -> float:
    return float(np.sqrt(mesh.area / count))
