"""Watertight solids with clean tessellation: lofts, sweeps, turnings, rounded boxes.

Metres; y up, front +z. Every function returns a closed mesh with outward winding.
"""

from collections.abc import Callable, Sequence

import numpy as np

from datagen.core.shape import Mesh
from datagen.shapes.procedural.curves import circle, unit

Profile = Sequence[tuple[float, float]]
Vec = Sequence[float] | np.ndarray


def solid(vertices: np.ndarray, faces: np.ndarray) -> Mesh:
    """A mesh of vertices (V, 3) and faces (F, 3), turned so that its volume is positive."""
    a, b, c = vertices[faces].transpose(1, 0, 2)
    inside_out = np.einsum("ij,ij->", a, np.cross(b, c)) < 0
    return Mesh(vertices, faces[:, ::-1] if inside_out else faces)


def loft(rings: np.ndarray, closed: bool = False) -> Mesh:
    """Skin over rings (N, M, 3) of M points; ends are fans to their centres unless the loft is `closed`."""
    count, sides = rings.shape[:2]
    index = np.arange(count * sides).reshape(count, sides)
    upper = np.roll(index, -1, axis=0) if closed else index[1:]
    lower = index if closed else index[:-1]
    a, b, c, d = lower, np.roll(lower, -1, axis=1), np.roll(upper, -1, axis=1), upper
    faces = [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    vertices = rings.reshape(-1, 3)
    if not closed:
        hubs = rings[[0, -1]].mean(axis=1)
        for ring, hub, flip in ((index[0], len(vertices), True), (index[-1], len(vertices) + 1, False)):
            fan = np.stack([ring, np.roll(ring, -1), np.full(sides, hub)], axis=1)
            faces.append(fan[:, ::-1] if flip else fan)
        vertices = np.concatenate([vertices, hubs])
    return solid(vertices, np.concatenate(faces))


def sweep(
    path: np.ndarray,
    section: np.ndarray,
    scale: np.ndarray | float = 1.0,
    up: Vec | None = None,
    soften: float = 0.003,
    closed: bool = False,
) -> Mesh:
    """A section (M, 2) carried along a path (N, 3).

    `scale` (N,) or (N, 2) tapers it; `up` fixes the section's second axis (else frames turn as little as
    possible); ends are rounded by `soften` metres; `closed` joins the last station to the first.
    """
    path = np.asarray(path, dtype=np.float64)
    scale = np.broadcast_to(
        np.asarray(scale, dtype=np.float64).reshape(-1, 1) if np.ndim(scale) == 1 else scale, (len(path), 2)
    )
    tangents = _tangents(path, closed)
    side, normal = _fixed_frames(tangents, up) if up is not None else _rolling_frames(tangents)
    if soften > 0 and not closed:
        path, scale, side, normal = _softened(path, scale, tangents, side, normal, section, soften)
    flat = section[None] * scale[:, None]
    return loft(path[:, None] + flat[..., :1] * side[:, None] + flat[..., 1:] * normal[:, None], closed)


def _tangents(path: np.ndarray, closed: bool) -> np.ndarray:
    if closed:
        return unit(np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0))
    return unit(np.gradient(path, axis=0))


def _fixed_frames(tangents: np.ndarray, up: Vec) -> tuple[np.ndarray, np.ndarray]:
    side = unit(np.cross(np.asarray(up, dtype=np.float64), tangents))
    return side, np.cross(tangents, side)


def _rolling_frames(tangents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parallel transport: each frame is the last one, made perpendicular to the new tangent."""
    start = np.eye(3)[np.argmin(np.abs(tangents[0]))]
    side = [unit(np.cross(start, tangents[0]))]
    for tangent in tangents[1:]:
        side.append(unit(side[-1] - tangent * (side[-1] @ tangent)))
    sides = np.array(side)
    return sides, np.cross(tangents, sides)


def _softened(
    path: np.ndarray,
    scale: np.ndarray,
    tangents: np.ndarray,
    side: np.ndarray,
    normal: np.ndarray,
    section: np.ndarray,
    soften: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Two extra stations at each end, so that a bar's end is a rounded edge and not a knife."""
    reach = np.abs(section).max()
    for end, sign in ((0, 1.0), (-1, -1.0)):
        s = min(soften, 0.45 * reach * float(scale[end].min()))
        shrink = np.maximum(1 - s / np.maximum(reach * scale[end], 1e-9), 0.3)
        steps = [(0.0, shrink), (0.3 * s, 1 - (1 - shrink) * 0.3), (s, np.ones(2))]
        points = [path[end] + sign * tangents[end] * depth for depth, _ in steps]
        scales = [scale[end] * factor for _, factor in steps]
        if end == 0:
            path, scale = np.concatenate([points, path[1:]]), np.concatenate([scales, scale[1:]])
            side, normal = (np.concatenate([axis[[0, 0, 0]], axis[1:]]) for axis in (side, normal))
        else:
            path, scale = (
                np.concatenate([path[:-1], points[::-1]]),
                np.concatenate([scale[:-1], scales[::-1]]),
            )
            side, normal = (np.concatenate([axis[:-1], axis[[-1, -1, -1]]]) for axis in (side, normal))
    return path, scale, side, normal


def tube(path: np.ndarray, radius: float, sides: int = 14, closed: bool = False, soften: float = 0.002) -> Mesh:
    """Round tube along a path (N, 3)."""
    return sweep(path, circle(sides) * radius, soften=soften, closed=closed)


def turned(start: Vec, end: Vec, profile: Profile, sides: int = 18) -> Mesh:
    """A lathe-turned piece between two points: `profile` holds (fraction of the way, radius in metres)."""
    first, last = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    axis = unit(last - first)
    side = unit(np.cross(np.eye(3)[np.argmin(np.abs(axis))], axis))
    normal = np.cross(axis, side)
    t, r = np.asarray(profile, dtype=np.float64).T
    spokes = circle(sides)[:, :1] * side + circle(sides)[:, 1:] * normal
    return loft((first + t[:, None] * (last - first))[:, None] + r[:, None, None] * spokes)


def rounded_box(
    size: Sequence[float],
    centre: Sequence[float] = (0, 0, 0),
    radius: float = 0.006,
    steps: int = 2,
    grid: Sequence[int] = (1, 1, 1),
) -> Mesh:
    """A box with rounded edges; `grid` cuts its flat sides so that it can be bent or puffed up."""
    half = np.asarray(size, dtype=np.float64) / 2
    radius = min(radius, 0.98 * float(half.min()))
    axes = [_box_axis(h - radius, steps, cuts) for h, cuts in zip(half, grid, strict=True)]
    points, quads, offset = [], [], 0
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for sign in (-1, 1):
            patch = _box_side(axes, half[axis] - radius, radius, axis, u, v, sign)
            n, m = patch.shape[:2]
            index = offset + np.arange(n * m).reshape(n, m)
            quad = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1).reshape(-1, 4)
            points.append(patch.reshape(-1, 3))
            quads.append(quad if sign > 0 else quad[:, ::-1])
            offset += n * m
    vertices, faces = _welded(np.concatenate(points), np.concatenate(quads))
    return solid(vertices + np.asarray(centre, dtype=np.float64), faces)


def _box_axis(inner: float, steps: int, cuts: int) -> tuple[np.ndarray, np.ndarray]:
    """Along one axis: where the rounding starts from, and the tangent of its angle (0 on the flat)."""
    bend = np.tan(np.linspace(np.pi / 4, 0, steps + 1))
    flat = np.linspace(-inner, inner, cuts + 1)[1:-1]
    base = np.concatenate([np.full(steps + 1, -inner), flat, np.full(steps + 1, inner)])
    return base, np.concatenate([-bend, np.zeros(len(flat)), bend[::-1]])


def _box_side(
    axes: list[tuple[np.ndarray, np.ndarray]],
    inner: float,
    radius: float,
    axis: int,
    u: int,
    v: int,
    sign: int,
) -> np.ndarray:
    (base_u, bend_u), (base_v, bend_v) = axes[u], axes[v]
    base = np.zeros((len(base_u), len(base_v), 3))
    bend = np.zeros_like(base)
    base[..., axis], bend[..., axis] = sign * inner, sign
    base[..., u], bend[..., u] = base_u[:, None], bend_u[:, None]
    base[..., v], bend[..., v] = base_v[None], bend_v[None]
    return base + radius * unit(bend)


def _welded(points: np.ndarray, quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _, first, inverse = np.unique(np.round(points, 9), axis=0, return_index=True, return_inverse=True)
    quads = inverse.reshape(-1)[quads]
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    flat = (faces[:, 0] == faces[:, 1]) | (faces[:, 1] == faces[:, 2]) | (faces[:, 0] == faces[:, 2])
    return points[first], faces[~flat]


def warp(mesh: Mesh, move: Callable[[np.ndarray], np.ndarray]) -> Mesh:
    """The mesh with its vertices (V, 3) moved by a function."""
    return solid(move(np.array(mesh.vertices)), np.array(mesh.faces))
