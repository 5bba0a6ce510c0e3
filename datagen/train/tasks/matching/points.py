"""A reference from any camera without its mesh: the surface points of its views' depth maps.

Every view's object pixels become points with a normal. They are projected into the camera wanted, the nearest point
of a pixel wins, and its grey is that of reference views: by how the surface faces the camera.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from datagen.core.camera import Camera
from datagen.core.shape import T_PUBLISHED_FROM_INSIDE
from datagen.datasets.geometry import ViewGeometry, back_project
from datagen.render.reference import AMBIENT, HEADLIGHT

FINE = 2
"""Pixels drawn along a side of one of the picture's: their mean softens edges. Depth maps are read as finely."""
COARSE = 4
"""One of so many points is enough for an outline in a search."""
LEAK = 0.05
"""How much farther than most of its neighbours a pixel lies that shows something behind through a gap of points."""
MOST = 5
"""Of a pixel's eight neighbours, as many as decide about it."""


class PointViews:
    """Pictures of the surface that some views show; outlines of `size` px a side."""

    def __init__(self, views: Sequence[ViewGeometry], size: int) -> None:
        self.views = views
        self.size = size

    def picture(self, camera: Camera) -> np.ndarray:
        """(S, S) uint8, white where no point is; of every pixel of the depth maps."""
        return _drawn(*self._all, camera, FINE)

    def outline(self, camera: Camera) -> np.ndarray:
        """From a part of the points and with harder edges."""
        points, normals = self._coarse
        return _drawn(points, normals, camera, 1)

    @cached_property
    def _all(self) -> tuple[np.ndarray, np.ndarray]:
        return _turned(self.views, max(view.depth.shape[0] for view in self.views))

    @cached_property
    def _coarse(self) -> tuple[np.ndarray, np.ndarray]:
        points, normals = _turned(self.views, FINE * self.size)
        return points[::COARSE], normals[::COARSE]


def _turned(views: Sequence[ViewGeometry], side: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals (N, 3) of all views, read at about `side` px a side, +Z up."""
    found = [surface_points(view, side) for view in views]
    turn = T_PUBLISHED_FROM_INSIDE[:3, :3]
    return np.concatenate([p for p, _ in found]) @ turn, np.concatenate([n for _, n in found]) @ turn


def surface_points(view: ViewGeometry, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and unit normals (N, 3) in the published frame, of a view read at about `side` px a side."""
    step = max(1, view.depth.shape[0] // side)
    rows, columns = np.nonzero(view.depth[::step, ::step] > 0)
    rows, columns = rows * step, columns * step
    # The inverse depth of a plane is linear in the picture, and its slopes tell the plane.
    inverse, down, right = (part[rows, columns] for part in view.surface)
    f = view.K[0, 0]
    x, y = (columns + 0.5 - view.K[0, 2]) / f, (rows + 0.5 - view.K[1, 2]) / f
    normals = np.stack([right * f, -down * f, -(inverse - x * right * f - y * down * f)], axis=1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return back_project(view, rows, columns), normals @ view.T_world_camera[:3, :3].T


def _drawn(points: np.ndarray, normals: np.ndarray, camera: Camera, fine: int) -> np.ndarray:
    side = camera.size_px * fine
    pixel, depth = camera.project(points)
    cell = np.floor(pixel * fine).astype(np.int64)
    seen = np.flatnonzero((depth > 0) & (cell >= 0).all(1) & (cell < side).all(1))
    seen = seen[depth[seen].argsort(kind="stable")[::-1]]
    away = camera.position - points[seen]
    facing = np.abs(np.einsum("ni,ni->n", normals[seen], away)) / np.linalg.norm(away, axis=1)
    level, far = np.full((side, side), 255.0), np.full((side, side), np.inf)
    # The last of equal places stays, which is the nearest point's.
    place = cell[seen, 1], cell[seen, 0]
    level[place], far[place] = AMBIENT + HEADLIGHT * facing, depth[seen]
    level = _mended(level, far)
    return np.round(level.reshape(side // fine, fine, side // fine, fine).mean(axis=(1, 3))).astype(np.uint8)


def _mended(level: np.ndarray, far: np.ndarray) -> np.ndarray:
    """Grey (H, W) with gaps closed: a pixel among points that has none, or one far behind them."""
    wide_level, wide_far = np.pad(level, 1, constant_values=255.0), np.pad(far, 1, constant_values=np.inf)
    H, W = level.shape
    shifts = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    nearer = [
        np.isfinite(wide_far[i : i + H, j : j + W]) & (wide_far[i : i + H, j : j + W] < far - LEAK) for i, j in shifts
    ]
    count = np.sum(nearer, axis=0)
    total = np.sum(
        [np.where(near, wide_level[i : i + H, j : j + W], 0.0) for near, (i, j) in zip(nearer, shifts, strict=True)],
        axis=0,
    )
    return np.where(count >= MOST, total / np.maximum(count, 1), level)
