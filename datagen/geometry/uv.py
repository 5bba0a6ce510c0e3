"""Box projection along a part's long axis, in world units: wood grain runs along a leg (lookdev section 2)."""

import numpy as np

from datagen.core.shape import Mesh

_CELLS = 24
"""Cells along the longest axis of the grid in which runs of material are measured."""
_SAMPLES = 24000
_RUN_GAIN = 1.6
"""How much longer a run across the part must be than along it before the grain follows it."""


def box_projection(mesh: Mesh) -> np.ndarray:
    """UV of every face corner, shape (F, 3, 2), in object units: divide by a texture's tile size.

    Each face is projected along the part axis nearest its normal; u runs along the longest stretch of
    material through the face, so on an L-shaped arm or a frame of posts and rails the grain turns with
    the wood. Deterministic; 200,000 faces take about 0.1 s.
    """
    axes = part_axes(mesh)
    vertices = (mesh.vertices - mesh.centre) @ axes.T
    corners = vertices[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal_axis = np.abs(normals).argmax(axis=1)
    runs = _runs(corners)
    runs[np.arange(len(runs)), normal_axis] = -1.0
    u_axis = runs.argmax(axis=1)
    v_axis = 3 - u_axis - normal_axis
    rows = np.arange(len(corners))
    return np.stack([corners[rows, :, u_axis], corners[rows, :, v_axis]], axis=-1)


def part_axes(mesh: Mesh) -> np.ndarray:
    """Orthonormal part axes (3, 3) as rows, longest first.

    Principal axes of the surface where the part lies askew (a splayed leg, a tilted back), the world's
    where it is as tight in those: principal axes of a square seat are arbitrary.
    """
    world = np.eye(3)[np.argsort(-mesh.extents, kind="stable")]
    principal = _principal_axes(mesh)
    used = mesh.vertices[np.unique(mesh.faces)]
    volumes = [np.prod(np.ptp(used @ axes.T, axis=0) + 1e-3 * mesh.diagonal) for axes in (world, principal)]
    return principal if volumes[1] < 0.85 * volumes[0] else world


def _principal_axes(mesh: Mesh) -> np.ndarray:
    """Area-weighted principal axes; where two of them are equally long, the world settles their turn."""
    centroids, areas = mesh.triangles.mean(axis=1), mesh.face_areas
    if areas.sum() <= 0:
        return np.eye(3)
    centroids = centroids - np.average(centroids, axis=0, weights=areas)
    values, vectors = np.linalg.eigh((centroids * areas[:, None]).T @ centroids / areas.sum())
    values, axes = np.maximum(values[::-1], 1e-12), vectors.T[::-1].copy()
    if values[0] < 1.5 * values[1]:
        axes[0] = _nearest_world_axis(mesh, axes[2])
        axes[1] = np.cross(axes[2], axes[0])
    elif values[1] < 1.5 * values[2]:
        axes[1] = _nearest_world_axis(mesh, axes[0])
        axes[2] = np.cross(axes[0], axes[1])
    signs = np.sign(axes[np.arange(3), np.abs(axes).argmax(axis=1)])
    return axes * signs[:, None]


def _nearest_world_axis(mesh: Mesh, normal: np.ndarray) -> np.ndarray:
    """The world axis of largest extent among those not along `normal`, laid into the plane across it."""
    in_plane = np.eye(3) - np.outer(normal, normal)
    lengths = np.linalg.norm(in_plane, axis=1)
    best = int(np.where(lengths > 0.6, mesh.extents, -1.0).argmax())
    return in_plane[best] / lengths[best]


def _runs(corners: np.ndarray) -> np.ndarray:
    """Length (F, 3) of the unbroken stretch of material through each face along each part axis.

    Measured on a coarse occupancy grid of surface samples; the first (longest) axis is favoured.
    """
    low = corners.reshape(-1, 3).min(axis=0)
    extent = np.maximum(np.ptp(corners.reshape(-1, 3), axis=0), 1e-9)
    cell = extent.max() / _CELLS
    shape = np.minimum(np.ceil(extent / cell).astype(int) + 1, _CELLS + 1)
    occupied = np.zeros(shape, dtype=bool)
    occupied[tuple(_cells(_surface_samples(corners), low, cell, shape).T)] = True
    at = _cells(corners.mean(axis=1), low, cell, shape)
    occupied[tuple(at.T)] = True
    run = np.stack([_run_lengths(occupied, axis)[tuple(at.T)] for axis in range(3)], axis=1).astype(
        np.float64
    )
    run[:, 0] *= _RUN_GAIN
    run[:, 1] *= 1.0 + 1e-3
    return run


def _cells(points: np.ndarray, low: np.ndarray, cell: float, shape: np.ndarray) -> np.ndarray:
    return np.clip(((points - low) / cell).astype(int), 0, shape - 1)


def _surface_samples(corners: np.ndarray) -> np.ndarray:
    """About `_SAMPLES` points spread over the triangles by area, from a fixed low-discrepancy sequence."""
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    total = areas.sum()
    if total <= 0:
        return corners[:, 0]
    steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    face = np.minimum(np.searchsorted(np.cumsum(areas) / total, steps), len(corners) - 1)
    a = (np.arange(_SAMPLES) * 0.7548776662466927) % 1
    b = (np.arange(_SAMPLES) * 0.5698402909980532) % 1
    flip = a + b > 1
    a, b = np.where(flip, 1 - a, a), np.where(flip, 1 - b, b)
    p, q, r = corners[face].transpose(1, 0, 2)
    return p + a[:, None] * (q - p) + b[:, None] * (r - p)


def _run_lengths(occupied: np.ndarray, axis: int) -> np.ndarray:
    """For each cell, how many occupied cells lie in its unbroken run along one axis."""
    lanes = np.moveaxis(occupied, axis, 0)
    before = np.zeros(lanes.shape, dtype=np.int32)
    after = before.copy()
    for i in range(len(lanes)):
        before[i] = np.where(lanes[i], (before[i - 1] if i else 0) + 1, 0)
    for i in reversed(range(len(lanes))):
        after[i] = np.where(lanes[i], (after[i + 1] if i + 1 < len(lanes) else 0) + 1, 0)
    return np.moveaxis(before + after - lanes, 0, axis)
