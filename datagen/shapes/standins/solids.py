"""Solids that the stand-ins are put together from. Metres; y up, front +z. Neighbours overlap by a few millimetres."""

from collections.abc import Iterable, Sequence

import numpy as np

from datagen.core.shape import Mesh
from datagen.shapes.procedural.body import Piece
from datagen.shapes.procedural.curves import circle, fillet
from datagen.shapes.procedural.primitives import Vec, loft, rounded_box, tube, warp
from datagen.shapes.procedural.shaping import mirrored

INTO = 0.004
"""How far a part reaches into its neighbour."""
Span = tuple[float, float]


def box(x: Span, y: Span, z: Span, edge: float = 0.003) -> Mesh:
    """A box over three ranges with rounded edges."""
    ranges = np.array([x, y, z], dtype=float)
    return rounded_box(ranges[:, 1] - ranges[:, 0], ranges.mean(axis=1), edge, 1)


def disc(y: Span, radius: float, sides: int = 40, foot: float | None = None) -> Mesh:
    """An upright disc or cone about the y axis, its rims softened; `foot`: radius of its lower end."""
    low, high = y
    soft = min(0.004, 0.3 * (high - low), 0.3 * radius)
    below = radius if foot is None else foot
    return lathed([(below - soft, low), (below, low + soft), (radius, high - soft), (radius - soft, high)], sides)


def lathed(profile: Sequence[tuple[float, float]], sides: int = 40) -> Mesh:
    """A solid of revolution about the y axis: (radius, height) from bottom to top, ends closed by fans."""
    return loft(_rings(profile, sides))


def shell(outer: Sequence[tuple[float, float]], thickness: float, sides: int = 40) -> Mesh:
    """An open shell about the y axis: its outer side as (radius, height) from bottom to top, walls of a thickness."""
    inner = [(max(radius - thickness, 1e-3), height) for radius, height in reversed(outer)]
    return wall([*outer, *inner], sides)


def wall(profile: Sequence[tuple[float, float]], sides: int = 40) -> Mesh:
    """A ring about the y axis: its whole cross-section as (radius, height), the last point joined to the first."""
    return loft(_rings(profile, sides), closed=True)


def _rings(profile: Sequence[tuple[float, float]], sides: int) -> np.ndarray:
    flat = circle(sides)
    return np.array([[(r * c, y, r * s) for c, s in flat] for r, y in profile])


def placed(mesh: Mesh, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Mesh:
    """Moved by so much."""
    return warp(mesh, lambda v: v + np.array([x, y, z]))


def pair(path: str, mesh: Mesh) -> list[Piece]:
    """A piece and its mirror image at the other side."""
    return [Piece(path, mesh), Piece(path, mirrored(mesh))]


def four(path: str, mesh: Mesh) -> list[Piece]:
    """A piece and its images at the other three corners."""
    behind = warp(mesh, lambda v: v * np.array([1.0, 1.0, -1.0]))
    return [*pair(path, mesh), *pair(path, behind)]


def around(path: str, mesh: Mesh, count: int, start_deg: float = 0.0) -> list[Piece]:
    """So many copies about the y axis."""
    angles = np.radians(start_deg + 360.0 / count * np.arange(count))
    turned = (Mesh(mesh.vertices @ about_y(float(angle)).T, mesh.faces) for angle in angles)
    return [Piece(path, copy) for copy in turned]


def about_y(angle: float) -> np.ndarray:
    """Rotation (3, 3) about the y axis by radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def under(prefix: str, pieces: Iterable[Piece]) -> list[Piece]:
    """The same pieces with labels below a prefix."""
    return [Piece(f"{prefix}/{piece.path}", piece.mesh) for piece in pieces]


def knob(at: Vec, radius: float) -> Mesh:
    """A knob with a neck that stands out to +z."""
    profile = [(0.45 * radius, -INTO), (0.4 * radius, 0.6 * radius), (radius, radius), (radius, 1.5 * radius)]
    return _to_front(lathed([*profile, (0.6 * radius, 1.8 * radius)], 16), at)


def _to_front(mesh: Mesh, at: Vec) -> Mesh:
    """What stands on y = 0 turned to stand on a front face at a point."""
    return warp(mesh, lambda v: v @ np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]]) + np.asarray(at, dtype=float))


def pull(centre: Vec, length: float, radius: float = 0.006, reach: float = 0.03, upright: bool = False) -> Mesh:
    """A bow handle on a front face, along x or upright."""
    half = length / 2
    path = np.array([[-half, 0, -INTO], [-half, 0, reach], [half, 0, reach], [half, 0, -INTO]])
    if upright:
        path = path[:, [1, 0, 2]]
    return tube(fillet(path, 0.4 * reach) + np.asarray(centre, dtype=float), radius, 10)
