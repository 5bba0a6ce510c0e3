"""Moves and bends of solids, and the bars that most chairs are made of. Metres; y up, front +z."""

import numpy as np

from datagen.core.shape import Mesh
from datagen.shapes.procedural.curves import rounded_rect
from datagen.shapes.procedural.primitives import Vec, loft, sweep, warp


def moved(mesh: Mesh, offset: Vec) -> Mesh:
    """Translated by `offset`."""
    return warp(mesh, lambda v: v + np.asarray(offset, dtype=np.float64))


def turned_about(mesh: Mesh, axis: str, angle_deg: float, pivot: Vec = (0, 0, 0)) -> Mesh:
    """Rotated about a line through `pivot` along 'x', 'y' or 'z', right-handed."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    R = np.eye(3)
    R[i, i], R[i, j], R[j, i], R[j, j] = c, -s, s, c
    pivot = np.asarray(pivot, dtype=np.float64)
    return warp(mesh, lambda v: (v - pivot) @ R.T + pivot)


def mirrored(mesh: Mesh) -> Mesh:
    """The same piece on the other side: x -> -x."""
    return warp(mesh, lambda v: v * np.array([-1.0, 1.0, 1.0]))


def bowed(mesh: Mesh, along: int, push: int, depth: float) -> Mesh:
    """Bent to a parabola: the middle of axis `along` moves by `depth` along axis `push`, its ends stay."""
    lo, hi = mesh.bounds[:, along]

    def move(v: np.ndarray) -> np.ndarray:
        t = (v[:, along] - (lo + hi) / 2) / ((hi - lo) / 2)
        v[:, push] += depth * (1 - t**2)
        return v

    return warp(mesh, move)


def puffed(mesh: Mesh, axis: int, height: float, both: bool = False) -> Mesh:
    """Upholstered: the +axis side (or both) swells by `height` in its middle, its rim stays."""
    lo, hi = mesh.bounds
    u, v = (axis + 1) % 3, (axis + 2) % 3

    def move(p: np.ndarray) -> np.ndarray:
        t = 2 * (p - (lo + hi) / 2) / np.maximum(hi - lo, 1e-9)
        dome = np.clip(1 - t[:, u] ** 4, 0, 1) * np.clip(1 - t[:, v] ** 4, 0, 1)
        side = np.where(t[:, axis] > 0, 1.0, -1.0 if both else 0.0) * np.abs(t[:, axis])
        p[:, axis] += height * dome * side
        return p

    return warp(mesh, move)


def dished(mesh: Mesh, depth: float, centre_z: float = 0.0, power: float = 2.0) -> Mesh:
    """A saddle seat: hollowed by `depth` towards (0, centre_z), rim kept, the whole thickness following."""
    lo, hi = mesh.bounds
    half_x, half_z = (hi[0] - lo[0]) / 2, max(hi[2] - centre_z, centre_z - lo[2])

    def move(v: np.ndarray) -> np.ndarray:
        r = np.hypot(v[:, 0] / half_x, (v[:, 2] - centre_z) / half_z)
        v[:, 1] -= depth * np.clip(1 - r**power, 0, 1)
        return v

    return warp(mesh, move)


def waterfall(mesh: Mesh, drop: float, start: float = 0.55) -> Mesh:
    """The front edge rolled down by `drop`, from `start` of the depth on, as office seats have it."""
    lo, hi = mesh.bounds[:, 2]

    def move(v: np.ndarray) -> np.ndarray:
        t = np.clip(((v[:, 2] - lo) / (hi - lo) - start) / (1 - start), 0, 1)
        v[:, 1] -= drop * t**2
        return v

    return warp(mesh, move)


def bar(
    start: Vec,
    end: Vec,
    width: float,
    height: float,
    up: Vec = (0, 1, 0),
    round_edge: float = 0.005,
    taper: float = 1.0,
    stations: int = 2,
) -> Mesh:
    """A straight rectangular bar: `width` across, `height` along `up`; `taper` scales its far end."""
    path = np.linspace(np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64), stations)
    section = rounded_rect(width, height, round_edge)
    return sweep(path, section, np.linspace(1.0, taper, stations), up=up)


def curved_bar(
    path: np.ndarray,
    width: float,
    height: float,
    up: Vec,
    scale: np.ndarray | float = 1.0,
    round_edge: float = 0.005,
) -> Mesh:
    """A rectangular bar along a path (N, 3); `scale` (N,) tapers it."""
    return sweep(path, rounded_rect(width, height, round_edge), scale, up=up)


def upright(
    path: np.ndarray,
    width: float,
    depth: float,
    scale: np.ndarray | float = 1.0,
    section: np.ndarray | None = None,
    soften: float = 0.003,
) -> Mesh:
    """A post or leg along a rising or falling path (N, 3), cut level: its sections are horizontal.

    `section` (M, 2) replaces the rounded rectangle of `width` (x) and `depth` (z); `scale` (N,) tapers.
    """
    flat = rounded_rect(width, depth, 0.22 * min(width, depth)) if section is None else section
    scales = np.broadcast_to(scale, (len(path),))
    small = 1 - soften / np.abs(flat).max()
    inner = [
        path[0] + (path[1] - path[0]) * min(0.4, soften / np.linalg.norm(path[1] - path[0])),
        path[-1] + (path[-2] - path[-1]) * min(0.4, soften / np.linalg.norm(path[-2] - path[-1])),
    ]
    stations = np.concatenate([path[:1], inner[:1], path[1:-1], inner[1:], path[-1:]])
    factors = np.concatenate([[scales[0] * small], scales[:1], scales[1:-1], scales[-1:], [scales[-1] * small]])
    rings = np.repeat(stations[:, None], len(flat), axis=1)
    rings[..., 0] += factors[:, None] * flat[:, 0]
    rings[..., 2] += factors[:, None] * flat[:, 1]
    return loft(rings)


def straight(start: Vec, end: Vec, stations: int = 2) -> np.ndarray:
    """Points (stations, 3) on the segment from `start` to `end`."""
    start, end = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    return start + np.linspace(0, 1, stations)[:, None] * (end - start)
