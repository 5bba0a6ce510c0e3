"""Patches in 3D and which patch of one view is which of another, from depth and pose.

Published frame and OpenGL cameras: depth is z-depth, 0 = background; pixel i covers [i, i + 1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from datagen.core.camera import rigid_inverse

DEPTH_TOLERANCE = 0.007
"""How far a point may lie from the surface seen there, in object units (bounding sphere 1; a pixel is 0.008)."""


@dataclass(frozen=True, eq=False)
class ViewGeometry:
    """One view: `depth` (H, W), `K` (3, 3), `T_world_camera` (4, 4)."""

    depth: np.ndarray
    K: np.ndarray
    T_world_camera: np.ndarray

    @cached_property
    def surface(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Inverse depth (0 = background) and its slope per row and column, (H, W) each.

        The inverse depth of a plane is linear in the picture; of the differences to both neighbours the smaller one
        is taken, which lies on the same surface where only one does.
        """
        solid = self.depth > 0
        inverse = np.where(solid, 1 / np.where(solid, self.depth, 1.0), 0.0).astype(np.float64)
        return inverse, _slope(inverse, 0), _slope(inverse, 1)


def _slope(inverse: np.ndarray, axis: int) -> np.ndarray:
    step = np.diff(inverse, axis=axis)
    solid = np.moveaxis(inverse > 0, axis, 0)
    both = np.moveaxis(solid[1:] & solid[:-1], 0, axis)
    step = np.where(both, step, np.inf)
    edge = np.full_like(np.take(inverse, [0], axis), np.inf)
    forward, backward = np.concatenate([step, edge], axis), np.concatenate([edge, step], axis)
    smaller = np.where(np.abs(forward) < np.abs(backward), forward, backward)
    return np.where(np.isfinite(smaller), smaller, 0.0)


def back_project(view: ViewGeometry, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """World points (..., 3) of pixel centres; NaN on background."""
    depth = view.depth[rows, columns].astype(np.float64)
    x = (columns + 0.5 - view.K[0, 2]) / view.K[0, 0] * depth
    y = -(rows + 0.5 - view.K[1, 2]) / view.K[1, 1] * depth
    points = np.stack([x, y, -depth], axis=-1) @ view.T_world_camera[:3, :3].T + view.T_world_camera[:3, 3]
    return np.where((depth > 0)[..., None], points, np.nan)


@lru_cache(maxsize=8)
def patch_pixels(size: int, grid: int) -> tuple[np.ndarray, np.ndarray]:
    """Which pixels of a `size` px square each of grid * grid patches holds, both row-major, nearest its centre first.

    Returns flat pixel numbers (P, K) and which of them count (P, K): patches hold unequal numbers of pixels where
    the grid does not divide the size. A pixel belongs to the patch its centre lies in, so a point goes to the same
    patch through its pixel as through its projection. A patch finer than the pixels takes the one that covers it.
    """
    patch_of = (2 * np.arange(size) + 1) * grid // (2 * size)
    held = [np.flatnonzero(patch_of == patch) for patch in range(grid)]
    held = [p if len(p) else np.array([(2 * k + 1) * size // (2 * grid)]) for k, p in enumerate(held)]
    width = max(len(pixels) for pixels in held)
    line = np.stack([np.pad(pixels, (0, width - len(pixels)), constant_values=-1) for pixels in held])
    # Whole numbers, in units of 1 / (2 grid) px: rounding must not decide between pixels equally far away.
    away = ((2 * line + 1) * grid - (2 * np.arange(grid)[:, None] + 1) * size) ** 2

    def spanned(of_line: np.ndarray, combine: Callable[..., np.ndarray]) -> np.ndarray:
        square = combine(of_line[:, None, :, None], of_line[None, :, None, :])
        return square.reshape(grid * grid, width * width)

    counts = spanned(line >= 0, np.logical_and)
    flat = spanned(line, lambda row, column: row * size + column)
    order = np.where(counts, spanned(away, np.add), np.iinfo(np.int64).max).argsort(axis=1, kind="stable")
    flat, counts = (np.take_along_axis(table, order, axis=1) for table in (np.where(counts, flat, 0), counts))
    flat.flags.writeable = counts.flags.writeable = False
    return flat, counts


def patch_positions(view: ViewGeometry, grid: int) -> np.ndarray:
    """World position (grid * grid, 3) of each patch, row-major; NaN where the patch shows background alone.

    It is the surface point of the patch's object pixel nearest its centre, so it lies on the object. The grid need
    not divide the depth map's size (`patch_pixels`).
    """
    size = view.depth.shape[0]
    pixels, counts = patch_pixels(size, grid)
    solid = (view.depth.ravel()[pixels] > 0) & counts
    nearest = pixels[np.arange(grid * grid), solid.argmax(axis=1)]
    points = back_project(view, nearest // size, nearest % size)
    points[~solid.any(axis=1)] = np.nan
    return points


def seen_at(points_P3: np.ndarray, view: ViewGeometry) -> tuple[np.ndarray, np.ndarray]:
    """Continuous (row, column) (P, 2) of world points in a view, and whether each is seen there (P,).

    Seen: inside the frame, and on the surface that one of the four pixels around it shows, carried to the
    point's place by the surface's slope.
    """
    T = rigid_inverse(view.T_world_camera)
    local = points_P3 @ T[:3, :3].T + T[:3, 3]
    depth = -local[:, 2]
    with np.errstate(invalid="ignore", divide="ignore"):
        column = view.K[0, 2] + view.K[0, 0] * local[:, 0] / depth
        row = view.K[1, 2] - view.K[1, 1] * local[:, 1] / depth
    size = view.depth.shape[0]
    inside = (depth > 0) & (row >= 0) & (row < size) & (column >= 0) & (column < size)
    row0 = np.clip(np.floor(np.where(inside, row, 0) - 0.5).astype(int), 0, size - 2)
    column0 = np.clip(np.floor(np.where(inside, column, 0) - 0.5).astype(int), 0, size - 2)
    inverse, down, right = view.surface
    seen = np.zeros(len(depth), dtype=bool)
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        r, c = row0 + i, column0 + j
        there = inverse[r, c] + down[r, c] * (row - r - 0.5) + right[r, c] * (column - c - 0.5)
        close = np.abs(1 / np.maximum(there, 1e-6) - depth) <= DEPTH_TOLERANCE
        seen |= (inverse[r, c] > 0) & close
    return np.stack([row, column], axis=1), inside & seen


def corresponding_patches(points_P3: np.ndarray, view: ViewGeometry, grid: int) -> np.ndarray:
    """For world points (P, 3), NaN allowed, the patch of `view` that shows each, (P,) int64; -1 = hidden."""
    known = np.isfinite(points_P3).all(axis=1)
    pixel, seen = seen_at(np.where(known[:, None], points_P3, 0.0), view)
    cell = np.floor(np.where(seen[:, None], pixel, 0) * grid / view.depth.shape[0]).astype(np.int64)
    cell = np.minimum(cell, grid - 1)  # A pixel just short of the edge may round onto it.
    return np.where(known & seen, cell[:, 0] * grid + cell[:, 1], -1)
