"""Box projection along a part's long axis, in world units: grain runs along a leg."""

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
    used = _used_vertices(mesh)
    crosses = _crosses(mesh.vertices, mesh.faces)
    axes = _axes(mesh, used, crosses)
    vertices = (mesh.vertices - (used.min(axis=0) + used.max(axis=0)) / 2) @ axes.T
    normal_axis = np.abs(crosses @ axes.T).argmax(axis=1)
    runs = _runs(vertices, mesh.faces, np.linalg.norm(crosses, axis=1))
    runs[np.arange(len(runs)), normal_axis] = -1.0
    u_axis = runs.argmax(axis=1)
    axis = np.stack([u_axis, 3 - u_axis - normal_axis], axis=1)
    return vertices.reshape(-1)[(mesh.faces * 3)[:, :, None] + axis[:, None, :]]


def part_axes(mesh: Mesh) -> np.ndarray:
    """Orthonormal part axes (3, 3) as rows, longest first.

    Principal axes of the surface where the part lies askew (a splayed leg, a tilted back), the world's
    where it is as tight in those: principal axes of a square seat are arbitrary.
    """
    return _axes(mesh, _used_vertices(mesh), _crosses(mesh.vertices, mesh.faces))


def _used_vertices(mesh: Mesh) -> np.ndarray:
    used = np.zeros(len(mesh.vertices), dtype=bool)
    used[mesh.faces.reshape(-1)] = True
    return mesh.vertices[used]


def _crosses(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Face normals (F, 3) of twice the face's area in length."""
    a = vertices[faces[:, 0]]
    (px, py, pz), (qx, qy, qz) = (vertices[faces[:, 1]] - a).T, (vertices[faces[:, 2]] - a).T
    return np.stack([py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx], axis=1)


def _axes(mesh: Mesh, used: np.ndarray, crosses: np.ndarray) -> np.ndarray:
    extents = np.ptp(used, axis=0)
    world = np.eye(3)[np.argsort(-extents, kind="stable")]
    principal = _principal_axes(mesh, extents, crosses)
    margin = 1e-3 * float(np.linalg.norm(extents))
    volumes = [np.prod(np.ptp(used @ axes.T, axis=0) + margin) for axes in (world, principal)]
    return principal if volumes[1] < 0.85 * volumes[0] else world


def _principal_axes(mesh: Mesh, extents: np.ndarray, crosses: np.ndarray) -> np.ndarray:
    """Area-weighted principal axes; where two of them are about equal, the faces settle their turn."""
    areas = np.linalg.norm(crosses, axis=1)
    if areas.sum() <= 0:
        return np.eye(3)
    vertices, faces = mesh.vertices, mesh.faces
    centroids = (vertices[faces[:, 0]] + vertices[faces[:, 1]] + vertices[faces[:, 2]]) / 3
    weights = areas / areas.sum()
    centroids = centroids - weights @ centroids
    values, vectors = np.linalg.eigh((centroids * weights[:, None]).T @ centroids)
    values, axes = np.maximum(values[::-1], 1e-12), vectors.T[::-1].copy()
    if values[0] < 1.5 * values[1]:
        axes[0] = _axis_across(axes[2], crosses, extents)
        axes[1] = np.cross(axes[2], axes[0])
    elif values[1] < 2.5 * values[2]:
        axes[1] = _axis_across(axes[0], crosses, extents)
        axes[2] = np.cross(axes[0], axes[1])
    signs = np.sign(axes[np.arange(3), np.abs(axes).argmax(axis=1)])
    return axes * signs[:, None]


def _axis_across(normal: np.ndarray, crosses: np.ndarray, extents: np.ndarray) -> np.ndarray:
    """A direction across `normal`: square to the faces of a square bar or panel, else nearest the world's.

    The fourfold mean of the face normals' angles points along a square's sides and vanishes for a circle.
    """
    in_plane = np.eye(3) - np.outer(normal, normal)
    lengths = np.linalg.norm(in_plane, axis=1)
    best = int(np.where(lengths > 0.6, extents, -1.0).argmax())
    a = in_plane[best] / lengths[best]
    b = np.cross(normal, a)
    flat = crosses @ np.array([a, b]).T @ np.array([1, 1j])
    size = np.abs(flat)
    mean = (flat**4 / np.maximum(size, 1e-30) ** 3).sum()
    turn = np.angle(mean) / 4 if abs(mean) > 0.3 * size.sum() else 0.0
    return np.cos(turn) * a + np.sin(turn) * b


def _runs(vertices: np.ndarray, faces: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """Length (F, 3) of the unbroken stretch of material through each face along each part axis.

    Measured on a coarse occupancy grid of surface samples; the first (longest) axis is favoured.
    """
    centroids = (vertices[faces[:, 0]] + vertices[faces[:, 1]] + vertices[faces[:, 2]]) / 3
    samples = _surface_samples(vertices, faces, areas)
    low = np.minimum(samples.min(axis=0), centroids.min(axis=0))
    extent = np.maximum(np.maximum(samples.max(axis=0), centroids.max(axis=0)) - low, 1e-9)
    cell = extent.max() / _CELLS
    shape = np.minimum(np.ceil(extent / cell).astype(int) + 1, _CELLS + 1)
    occupied = np.zeros(shape, dtype=bool)
    occupied.reshape(-1)[_cells(samples, low, cell, shape)] = True
    at = _cells(centroids, low, cell, shape)
    occupied.reshape(-1)[at] = True
    run = np.stack([_run_lengths(occupied, axis).reshape(-1) for axis in range(3)], axis=1)
    return (run * np.array([_RUN_GAIN, 1.001, 1.0]))[at]


def _cells(points: np.ndarray, low: np.ndarray, cell: float, shape: np.ndarray) -> np.ndarray:
    """Flat indices (N,) of the cells in which points (N, 3) lie."""
    x, y, z = np.clip(((points - low) / cell).astype(np.int32), 0, shape - 1).T
    return (x * shape[1] + y) * shape[2] + z


def _surface_samples(vertices: np.ndarray, faces: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """`_SAMPLES` points spread over the triangles by area, from a fixed low-discrepancy sequence."""
    total = areas.sum()
    if total <= 0:
        return vertices[faces[:, 0]]
    steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    face = np.minimum(np.searchsorted(np.cumsum(areas) / total, steps), len(faces) - 1)
    a = (np.arange(_SAMPLES) * 0.7548776662466927) % 1
    b = (np.arange(_SAMPLES) * 0.5698402909980532) % 1
    flip = a + b > 1
    a, b = np.where(flip, 1 - a, a), np.where(flip, 1 - b, b)
    p, q, r = vertices[faces[face]].transpose(1, 0, 2)
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
    return np.ascontiguousarray(np.moveaxis(before + after - lanes, 0, axis))
