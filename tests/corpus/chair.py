"""The chair that most of the corpus shows, as polygons: eight parts, some with concave faces. Units: half metres."""

from dataclasses import dataclass

import numpy as np

from datagen.core.shape import Mesh
from datagen.meshfiles.values import MeshFile

BOXES = {
    "seat": ((-0.25, 0.42, -0.25), (0.25, 0.47, 0.25)),
    "back": ((-0.25, 0.47, -0.25), (0.25, 0.95, -0.21)),
    "leg_1": ((-0.25, 0.0, 0.21), (-0.21, 0.42, 0.25)),
    "leg_2": ((0.21, 0.0, 0.21), (0.25, 0.42, 0.25)),
    "leg_3": ((-0.25, 0.0, -0.25), (-0.21, 0.42, -0.21)),
    "leg_4": ((0.21, 0.0, -0.25), (0.25, 0.42, -0.21)),
    "arm_left": ((-0.25, 0.6, -0.21), (-0.21, 0.64, 0.2)),
    "arm_support": ((-0.25, 0.47, 0.16), (-0.21, 0.6, 0.2)),
}
_CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
_QUADS = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
NOTCH = np.array([[0, 0], [2, 0], [2, 2], [1.2, 2], [1.2, 0.8], [0, 0.8]]) / 20
"""An L: its caps are concave hexagons."""


@dataclass(frozen=True, eq=False)
class Solid:
    """A named part: points (V, 3), and faces as tuples of point numbers, any number of corners, wound outwards."""

    name: str
    points: np.ndarray
    faces: tuple[tuple[int, ...], ...]

    @property
    def area(self) -> float:
        """Exact surface of plane faces."""
        return sum(float(np.linalg.norm(vector_area(self.points[list(face)]))) for face in self.faces)

    @property
    def volume(self) -> float:
        """Exact volume of a closed solid with plane faces."""
        return sum(float(self.points[face[0]] @ vector_area(self.points[list(face)])) for face in self.faces) / 3


def vector_area(points: np.ndarray) -> np.ndarray:
    """Area times normal (3,) of a plane polygon."""
    local = points - points[0]
    return np.cross(local, np.roll(local, -1, axis=0)).sum(axis=0) / 2


def box(name: str, low: tuple[float, ...], high: tuple[float, ...]) -> Solid:
    """A closed box of six quads."""
    return Solid(name, np.array(low) + _CORNERS * (np.array(high) - np.array(low)), _QUADS)


def prism(name: str, outline: np.ndarray, height: float, at: tuple[float, ...] = (0, 0, 0)) -> Solid:
    """A closed prism over an outline (K, 2) that runs counter-clockwise: two K-gons and K quads."""
    count = len(outline)
    low = np.concatenate([outline, np.zeros((count, 1))], axis=1)
    points = np.concatenate([low, low + np.array([0, 0, height])]) + np.array(at)
    sides = tuple((k, (k + 1) % count, count + (k + 1) % count, count + k) for k in range(count))
    return Solid(name, points, (tuple(reversed(range(count))), tuple(range(count, 2 * count)), *sides))


def chair() -> tuple[Solid, ...]:
    """Eight boxes and a notched bracket."""
    return (*(box(name, low, high) for name, (low, high) in BOXES.items()), prism("bracket", NOTCH, 0.03, (0, 0.3, 0)))


def triangles(solid: Solid) -> tuple[np.ndarray, np.ndarray]:
    """(points, fans (F, 3)) of a solid of convex faces, for formats of triangles alone."""
    fans = [(face[0], face[k], face[k + 1]) for face in solid.faces for k in range(1, len(face) - 1)]
    return solid.points, np.array(fans)


def assert_same(file: MeshFile, solids: tuple[Solid, ...], tolerance: float = 1e-6, named: bool = True) -> None:
    """The parts of a file are the solids: names, boxes, surface and volume."""
    if not named:
        check(file.mesh, solids, tolerance)
        return
    assert sorted(part.name for part in file.parts) == sorted(solid.name for solid in solids)
    by_name = {part.name: part.mesh for part in file.parts}
    for solid in solids:
        check(by_name[solid.name], (solid,), tolerance)


def check(mesh: Mesh, solids: tuple[Solid, ...], tolerance: float) -> None:
    """One mesh is all of the solids."""
    points = np.concatenate([solid.points for solid in solids])
    assert np.abs(mesh.bounds - [points.min(axis=0), points.max(axis=0)]).max() < tolerance
    assert abs(mesh.area - sum(solid.area for solid in solids)) < 20 * tolerance
    a, b, c = mesh.triangles.transpose(1, 0, 2)
    volume = float(np.einsum("ni,ni->n", a, np.cross(b, c)).sum()) / 6
    assert abs(volume - sum(solid.volume for solid in solids)) < 20 * tolerance
