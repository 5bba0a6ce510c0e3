"""Which shapes a dataset holds out, told by their geometry: names of shapes and of collections may change."""

import json
from collections.abc import Iterable

import numpy as np
from scipy.spatial import cKDTree

from datagen.core.errors import BrokenFile
from datagen.core.shape import T_INSIDE_FROM_PUBLISHED, Mesh
from datagen.core.statistics import evenly
from datagen.geometry.proximity import exact_distances
from datagen.geometry.sample import grid_samples
from datagen.meshfiles.obj import whole_mesh
from datagen.store.reader import DatasetReader

POINTS = 300
"""Vertices, and as many points of its faces, by which a shape is known."""
BOX = 0.02
"""How far the sides of two boxes may differ, for shapes of radius 1: a bundle may have one part that was repaired."""
APART = 2e-3
"""Distance up to which a point lies on a surface."""
SAME = 0.98
"""Share of the points that lie on the surface of the same shape."""


class HeldOut:
    """The shapes of a dataset that are not in its training split, by the meshes of their bundles.

    Shapes without a mesh, as some published ones, are in `unknown`. Raises BrokenFile, MeshLoadError.
    """

    def __init__(self, files: DatasetReader) -> None:
        try:
            split = json.loads(files.read("split.json"))
            held = [str(shape) for name, shapes in split.items() if name != "train" for shape in shapes]
        except (ValueError, AttributeError, TypeError) as error:
            raise BrokenFile(f"{files.root}/split.json: {error}; restore the file and run again") from error
        self.names: list[str] = []
        self.unknown: list[str] = []
        self._points: list[np.ndarray] = []
        sides = []
        for shape in held:
            path = f"shapes/shape_{shape}/model.obj"
            if not files.has(path):
                self.unknown.append(shape)
                continue
            mesh = _placed(whole_mesh(files.read(path), path).transformed(T_INSIDE_FROM_PUBLISHED))
            self.names.append(shape)
            sides.append(mesh.extents)
            self._points.append(_points(mesh))
        self._sides = cKDTree(np.array(sides).reshape(-1, 3))

    def among(self, meshes: Iterable[tuple[str, Mesh]]) -> list[tuple[str, str]]:
        """Of named meshes, +Z up, those that are held out: their names and the dataset's."""
        return [(name, self.names[number]) for name, mesh in meshes for number in self._same(_placed(mesh))]

    def _same(self, mesh: Mesh) -> list[int]:
        if not self.names:
            return []
        near = self._sides.query_ball_point(mesh.extents, BOX)
        return [n for n in near if (exact_distances(mesh, self._points[n]) <= APART).mean() >= SAME]


def _placed(mesh: Mesh) -> Mesh:
    """The mesh about the middle of its box, scaled to radius 1."""
    used = mesh.vertices[np.unique(mesh.faces)]
    radius = float(np.linalg.norm(used - mesh.centre, axis=1).max())
    T = np.eye(4)
    T[:3, :3] /= radius
    T[:3, 3] = -mesh.centre / radius
    return mesh.transformed(T)


def _points(mesh: Mesh) -> np.ndarray:
    used = np.unique(mesh.faces)
    return np.concatenate([mesh.vertices[used[list(evenly(len(used), POINTS))]], grid_samples(mesh, POINTS)])
