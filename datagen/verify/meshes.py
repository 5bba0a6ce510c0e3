"""Meshes of reference bundles: read, described, compared across splits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from datagen.core.errors import MeshLoadError
from datagen.core.shape import Mesh, concatenate
from datagen.geometry.load import parse_obj
from datagen.geometry.sample import grid_samples
from datagen.verify.tree import Tree

POINTS = 1500
NEAR = 0.005
"""Mean distance of two surfaces, in bounding-sphere radii, sampling noise taken off."""
CANDIDATES = 12
"""Nearest neighbours by the coarse print that are compared point by point."""


@dataclass(frozen=True, eq=False)
class MeshPrint:
    """A surface by samples (N, 3) and a coarse print: sorted distances from the centre, extents, occupancy."""

    shape: str
    points: np.ndarray
    coarse: np.ndarray
    spacing: float
    """Typical distance between neighbouring samples: the noise of a surface distance."""


def read_obj(tree: Tree, path: str) -> Mesh:
    """All triangles of a model.obj, published frame. Raises MeshLoadError, OSError."""
    groups = [Mesh(v, f) for _, v, f in parse_obj(tree.files.read(path), path) if len(f)]
    return concatenate(groups)


def mesh_print(tree: Tree, shape: str) -> MeshPrint | None:
    """The print of a bundle's model.obj, scaled to its bounding sphere; None where it cannot be read."""
    try:
        mesh = read_obj(tree, f"shapes/shape_{shape}/model.obj")
    except (MeshLoadError, OSError):
        return None
    points = grid_samples(mesh, POINTS) - mesh.centre
    radius = max(float(np.linalg.norm(mesh.vertices - mesh.centre, axis=1).max()), 1e-9)
    points = points / radius
    spacing = float(np.sqrt(mesh.area / POINTS)) / radius
    return MeshPrint(shape, points, _coarse(points, mesh.extents / radius), spacing)


def _coarse(points: np.ndarray, extents: np.ndarray) -> np.ndarray:
    """A vector in which near-duplicates are near: extents, quantiles of radius and of each coordinate."""
    quantiles = np.linspace(0.05, 0.95, 10)
    radial = np.quantile(np.linalg.norm(points, axis=1), quantiles)
    axes = np.quantile(points, quantiles, axis=0).T.ravel()
    vector: np.ndarray = np.concatenate([extents, radial, axes])
    return vector


def near_duplicates(
    prints: Sequence[MeshPrint], split_of: Mapping[str, str]
) -> Iterator[tuple[str, str, float]]:
    """(training shape or first, other shape, distance) of pairs of different splits with nearly one surface."""
    known = [p for p in prints if p.shape in split_of]
    if len({split_of[p.shape] for p in known}) < 2:
        return
    coarse = np.stack([p.coarse for p in known])
    trees = {name: [k for k, p in enumerate(known) if split_of[p.shape] == name] for name in ("train", "val", "test")}
    for first, second in (("train", "val"), ("train", "test"), ("val", "test")):
        if not trees[first] or not trees[second]:
            continue
        index = cKDTree(coarse[trees[first]])
        count = min(CANDIDATES, len(trees[first]))
        _, found = index.query(coarse[trees[second]], k=count)
        for b, row in zip(trees[second], np.reshape(found, (-1, count)), strict=True):
            for a in (trees[first][k] for k in row):
                distance = surface_distance(known[a], known[b])
                if distance < NEAR:
                    yield known[a].shape, known[b].shape, distance


def surface_distance(a: MeshPrint, b: MeshPrint) -> float:
    """Mean symmetric distance of two sampled surfaces less the sampling's own, 0 for one surface."""
    forward = cKDTree(b.points).query(a.points)[0]
    backward = cKDTree(a.points).query(b.points)[0]
    noise = 0.5 * max(a.spacing, b.spacing)
    return max(float(np.concatenate([forward, backward]).mean()) - noise, 0.0)
