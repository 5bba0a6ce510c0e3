"""Meshes of reference bundles: read, described, compared across splits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.spatial import cKDTree

from datagen.core.errors import BrokenFile, MeshLoadError
from datagen.core.shape import Mesh
from datagen.formats.brokenchairs import SPLITS, UNSEEN
from datagen.geometry.sample import grid_samples
from datagen.kinds.brokenchairs.verify.tree import ChairTree
from datagen.meshfiles import obj

POINTS, DENSE = 1500, 30_000
ROUGH = 0.05
"""Pairs further apart than this by their few samples are not compared closely."""
NEAR_MEAN, NEAR_MOST = 0.004, 0.012
"""Mean and 95th percentile of the distance of two surfaces, in bounding-sphere radii, sampling noise taken off."""
CANDIDATES = 12
"""Nearest neighbours by the coarse print that are compared point by point."""


@dataclass(frozen=True, eq=False)
class MeshPrint:
    """A surface by a few samples (N, 3) in its bounding sphere, and a coarse vector to find neighbours by."""

    shape: str
    points: np.ndarray
    coarse: np.ndarray


def read_obj(tree: ChairTree, path: str) -> Mesh:
    """All triangles of a model.obj, published frame. Raises MeshLoadError, BrokenFile."""
    return obj.whole_mesh(tree.files.read(path), path)


def mesh_print(tree: ChairTree, shape: str) -> MeshPrint | None:
    """The print of a bundle's model.obj, scaled to its bounding sphere; None where it cannot be read."""
    try:
        mesh = read_obj(tree, f"shapes/shape_{shape}/model.obj")
    except (MeshLoadError, BrokenFile):
        return None
    points, _ = _normalised(mesh, POINTS)
    return MeshPrint(shape, points, _coarse(points))


def _coarse(points: np.ndarray) -> np.ndarray:
    """A vector (40,) in which near-duplicates are near: quantiles of radius and of each coordinate."""
    quantiles = np.linspace(0.05, 0.95, 10)
    radial = np.quantile(np.linalg.norm(points, axis=1), quantiles)
    axes = np.quantile(points, quantiles, axis=0).T.ravel()
    vector: np.ndarray = np.concatenate([radial, axes])
    return vector


def near_duplicates(
    tree: ChairTree, prints: Sequence[MeshPrint], split_of: Mapping[str, str]
) -> Iterator[tuple[str, str, float]]:
    """(shape, shape of another split, mean distance) of pairs with nearly one surface, training shapes first."""
    known = [p for p in prints if p.shape in split_of]
    members = {name: [p for p in known if split_of[p.shape] == name] for name in (*SPLITS, UNSEEN)}
    for first, second in combinations(members, 2):
        if not members[first] or not members[second]:
            continue
        index = cKDTree(np.stack([p.coarse for p in members[first]]))
        count = min(CANDIDATES, len(members[first]))
        for b in members[second]:
            for k in np.atleast_1d(index.query(b.coarse, k=count)[1]):
                a = members[first][int(k)]
                if float(cKDTree(b.points).query(a.points)[0].mean()) > ROUGH:
                    continue
                mean, most = close_distance(tree, a.shape, b.shape)
                if mean < NEAR_MEAN and most < NEAR_MOST:
                    yield a.shape, b.shape, mean


def close_distance(tree: ChairTree, a: str, b: str) -> tuple[float, float]:
    """Mean and 95th percentile of the symmetric distance of two model.obj, each scaled to its sphere."""
    dense = [_normalised(read_obj(tree, f"shapes/shape_{shape}/model.obj"), DENSE) for shape in (a, b)]
    (one, one_gap), (two, two_gap) = dense
    forward = cKDTree(two).query(one[:: DENSE // POINTS])[0] - 0.5 * two_gap
    backward = cKDTree(one).query(two[:: DENSE // POINTS])[0] - 0.5 * one_gap
    joined = np.concatenate([forward, backward])
    return max(float(joined.mean()), 0.0), max(float(np.percentile(joined, 95)), 0.0)


def _normalised(mesh: Mesh, count: int) -> tuple[np.ndarray, float]:
    """Surface samples in the unit bounding sphere, and the typical distance between neighbours."""
    radius = max(float(np.linalg.norm(mesh.vertices - mesh.centre, axis=1).max()), 1e-9)
    return (grid_samples(mesh, count) - mesh.centre) / radius, float(np.sqrt(mesh.area / count)) / radius
