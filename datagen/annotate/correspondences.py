"""Surface points seen in every reference view, by exact ray casting: `pxy`, `is_visible` and `xyz` (DATA.md)."""

from dataclasses import dataclass

import numpy as np

from datagen.core.camera import Camera
from datagen.core.shape import T_PUBLISHED_FROM_INSIDE, Mesh
from datagen.geometry.rays import RayScene
from datagen.geometry.sample import sample_surface

PATCH_PX = 8
XYZ_POINTS = 10_000


@dataclass(frozen=True, eq=False)
class Correspondences:
    """One view: `pxy` (N, 2) int64 [row, col], `is_visible` (N,) bool, `xyz` (S/8, S/8, 3) float64.

    The same index is the same surface point in every view of a shape; `xyz` is in the published
    frame, -1 where no sample is visible.
    """

    pxy: np.ndarray
    is_visible: np.ndarray
    xyz: np.ndarray


@dataclass(frozen=True, eq=False)
class SurfacePoints:
    """The samples of a shape: those that correspond and those that fill the position map."""

    tracked: np.ndarray
    dense: np.ndarray


def draw_points(surface: Mesh, count: int, rng: np.random.Generator) -> SurfacePoints:
    """Uniform surface samples, `count` to track and 10,000 for the position map."""
    return SurfacePoints(sample_surface(surface, count, rng)[0], sample_surface(surface, XYZ_POINTS, rng)[0])


def correspond(points: SurfacePoints, scene: RayScene, camera: Camera) -> Correspondences:
    """Where the points fall in a view and which of them are seen."""
    pixels, _ = camera.project(points.tracked)
    pxy = np.round(pixels[:, ::-1]).astype(np.int64)
    size = camera.size_px
    framed = ((pxy >= 0) & (pxy < size)).all(axis=1)
    seen = scene.visible(np.concatenate([points.tracked, points.dense]), camera.position)
    count = len(points.tracked)
    return Correspondences(pxy, seen[:count] & framed, _position_map(points.dense, seen[count:], camera))


def _position_map(points: np.ndarray, seen: np.ndarray, camera: Camera) -> np.ndarray:
    """The visible sample nearest each cell's centre; a cell holds what rounds to it (|pixel/8 - cell| <= 0.5)."""
    cells_per_side = camera.size_px // PATCH_PX
    pixels, _ = camera.project(points)
    position = pixels[:, ::-1] / PATCH_PX
    cell = np.round(position).astype(np.int64)
    use = seen & ((cell >= 0) & (cell < cells_per_side)).all(axis=1)
    offset = np.linalg.norm(position - cell, axis=1)
    order = np.flatnonzero(use)[np.argsort(-offset[use], kind="stable")]
    xyz = np.full((cells_per_side, cells_per_side, 3), -1.0)
    xyz[cell[order, 0], cell[order, 1]] = points[order] @ T_PUBLISHED_FROM_INSIDE[:3, :3].T
    return xyz
