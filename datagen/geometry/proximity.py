"""The point of a surface nearest another point: exact among the faces of the nearest samples."""

import numpy as np
from scipy.spatial import cKDTree

from datagen.core.shape import Mesh
from datagen.geometry.sample import sample_surface

NOTHING = 1e-9
"""A distance below this share of the diagonal is none."""
PAIRS = 2_000_000
"""Points and faces that are compared at once."""


def closest(mesh: Mesh, points: np.ndarray, candidates: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Face (N,) nearest each point (N, 3), and the distance (N,) to it."""
    import trimesh

    samples, owner = _tagged_samples(mesh)
    _, near = cKDTree(samples).query(points, k=min(candidates, len(samples)))
    face = owner[np.asarray(near).reshape(len(points), -1)]
    repeated = np.repeat(points, face.shape[1], axis=0)
    on_face = trimesh.triangles.closest_point(mesh.triangles[face.reshape(-1)], repeated)
    distance = np.linalg.norm(on_face - repeated, axis=1).reshape(face.shape)
    best = distance.argmin(axis=1)
    rows = np.arange(len(points))
    return face[rows, best], distance[rows, best]


def exact_distances(mesh: Mesh, points: np.ndarray) -> np.ndarray:
    """Distance (N,) of each point (N, 3) to the mesh, slivers and all: `closest` bounds it, boxes leave few faces."""
    import trimesh

    _, found = closest(mesh, points)
    low, high = mesh.triangles.min(axis=1), mesh.triangles.max(axis=1)
    open_ = np.flatnonzero(found > NOTHING * mesh.diagonal)
    at_once = max(1, PAIRS // max(len(mesh.faces), 1))
    for start in range(0, len(open_), at_once):
        rows = open_[start : start + at_once]
        squared = np.zeros((len(rows), len(mesh.faces)))
        for axis in range(3):
            place = points[rows, axis][:, None]
            squared += np.maximum(np.maximum(low[None, :, axis] - place, place - high[None, :, axis]), 0.0) ** 2
        which, face = np.nonzero(squared < found[rows][:, None] ** 2)
        if len(which):
            near = points[rows[which]]
            on_face = trimesh.triangles.closest_point(mesh.triangles[face], near)
            np.minimum.at(found, rows[which], np.linalg.norm(on_face - near, axis=1))
    return found


def nearest_faces(mesh: Mesh, points: np.ndarray) -> np.ndarray:
    """The face (N,) of the mesh nearest each point (N, 3)."""
    return closest(mesh, points)[0]


def _tagged_samples(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Surface points (N, 3) with their faces (N,): spread by area, and one in every face."""
    rng = np.random.Generator(np.random.PCG64(0))
    points, face = sample_surface(mesh, max(4000, 2 * len(mesh.faces)), rng)
    centres = mesh.triangles.mean(axis=1)
    return np.concatenate([points, centres]), np.concatenate([face, np.arange(len(mesh.faces))])
