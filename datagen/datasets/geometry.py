"""Patches in 3D and which patch of one view is which of another, from depth and pose.

Published frame and OpenGL cameras: depth is z-depth, 0 = background; pixel i covers [i, i + 1).
"""

from dataclasses import dataclass

import numpy as np

from datagen.core.camera import rigid_inverse

DEPTH_TOLERANCE = 0.01
"""A point this much (object units; the object's bounding sphere has radius 1) behind the surface is occluded."""


@dataclass(frozen=True, eq=False)
class ViewGeometry:
    """One view: `depth` (H, W), `K` (3, 3), `T_world_camera` (4, 4)."""

    depth: np.ndarray
    K: np.ndarray
    T_world_camera: np.ndarray


def back_project(view: ViewGeometry, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """World points (..., 3) of pixel centres; NaN on background."""
    depth = view.depth[rows, columns].astype(np.float64)
    x = (columns + 0.5 - view.K[0, 2]) / view.K[0, 0] * depth
    y = -(rows + 0.5 - view.K[1, 2]) / view.K[1, 1] * depth
    points = np.stack([x, y, -depth], axis=-1) @ view.T_world_camera[:3, :3].T + view.T_world_camera[:3, 3]
    return np.where((depth > 0)[..., None], points, np.nan)


def patch_positions(view: ViewGeometry, grid: int) -> np.ndarray:
    """World position (grid * grid, 3) of each patch, row-major; NaN where the patch shows background alone.

    It is the surface point of the patch's object pixel nearest its centre, so it lies on the object.
    """
    size = view.depth.shape[0]
    side = size // grid
    offsets = np.stack(np.mgrid[:side, :side], axis=-1).reshape(-1, 2)
    order = np.argsort(np.linalg.norm(offsets + 0.5 - side / 2, axis=1), kind="stable")
    cells = view.depth[: side * grid, : side * grid].reshape(grid, side, grid, side).transpose(0, 2, 1, 3)
    solid = cells.reshape(grid * grid, side * side)[:, order] > 0
    nearest = offsets[order[solid.argmax(axis=1)]]
    corner = np.stack(np.mgrid[:grid, :grid], axis=-1).reshape(-1, 2) * side
    pixel = corner + nearest
    points = back_project(view, pixel[:, 0], pixel[:, 1])
    points[~solid.any(axis=1)] = np.nan
    return points


def seen_at(points_P3: np.ndarray, view: ViewGeometry) -> tuple[np.ndarray, np.ndarray]:
    """Continuous (row, column) (P, 2) of world points in a view, and whether each is seen there (P,).

    Seen: inside the frame and not behind the surface, by the depths of the four pixels around it.
    """
    T = rigid_inverse(view.T_world_camera)
    local = points_P3 @ T[:3, :3].T + T[:3, 3]
    depth = -local[:, 2]
    with np.errstate(invalid="ignore", divide="ignore"):
        column = view.K[0, 2] + view.K[0, 0] * local[:, 0] / depth
        row = view.K[1, 2] - view.K[1, 1] * local[:, 1] / depth
    size = view.depth.shape[0]
    inside = (depth > 0) & (row >= 0) & (row < size) & (column >= 0) & (column < size)
    row0 = np.floor(np.where(inside, row, 0) - 0.5).astype(int)
    column0 = np.floor(np.where(inside, column, 0) - 0.5).astype(int)
    around = [
        view.depth[np.clip(row0 + i, 0, size - 1), np.clip(column0 + j, 0, size - 1)] for i in (0, 1) for j in (0, 1)
    ]
    surface = np.stack(around).astype(np.float64)
    # A silhouette's background neighbours say nothing; without any object pixel around, it is not seen.
    farthest = surface.max(axis=0)
    seen = inside & (farthest > 0) & (depth <= farthest + DEPTH_TOLERANCE)
    return np.stack([row, column], axis=1), seen


def corresponding_patches(points_P3: np.ndarray, view: ViewGeometry, grid: int) -> np.ndarray:
    """For world points (P, 3), NaN allowed, the patch of `view` that shows each, (P,) int64; -1 = hidden."""
    known = np.isfinite(points_P3).all(axis=1)
    pixel, seen = seen_at(np.where(known[:, None], points_P3, 0.0), view)
    cell = np.floor(np.where(seen[:, None], pixel, 0) * grid / view.depth.shape[0]).astype(np.int64)
    return np.where(known & seen, cell[:, 0] * grid + cell[:, 1], -1)
