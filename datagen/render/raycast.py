"""Depth, part ids and normals by embree: exact, fast, no graphics stack needed."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from datagen.core.camera import Camera
from datagen.core.scene import GeometryFrame
from datagen.geometry.rays import RayScene


@lru_cache(maxsize=4)
def _pixel_rays(size: int, focal: float) -> np.ndarray:
    """Camera-frame directions (H, W, 3) through pixel centres i + 0.5, scaled to z-depth 1."""
    u = (np.arange(size) + 0.5 - size / 2) / focal
    x, y = np.meshgrid(u, -u)
    rays = np.stack([x, y, -np.ones_like(x)], axis=-1)
    rays.flags.writeable = False
    return rays


@lru_cache(maxsize=4)
def _bent_rays(camera: Camera) -> np.ndarray:
    """The same through a lens that distorts."""
    size = camera.size_px
    columns, rows = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    rays = camera.directions(np.stack([columns, rows], axis=-1).reshape(-1, 2)).reshape(size, size, 3)
    rays.flags.writeable = False
    return rays


@dataclass(frozen=True, eq=False)
class Sight:
    """Nearest hits through the pixel centres of a window: z-depth (h, w), 0 = background; face (h, w) in the
    scene's joined triangles, -1 = background; barycentric uv (h, w, 2)."""

    rows: slice
    columns: slice
    depth: np.ndarray
    face: np.ndarray
    uv: np.ndarray


def pixel_rays(camera: Camera) -> np.ndarray:
    """Camera-frame directions (H, W, 3) through pixel centres, scaled to z-depth 1; shared, not to be written."""
    if not camera.lens.is_straight:
        return _bent_rays(camera)
    return _pixel_rays(camera.size_px, camera.focal_px)


def look(scene: RayScene, camera: Camera) -> Sight:
    """What the camera sees of the scene; only pixels within the projected bounds are shot."""
    rows, columns = _window(scene, camera)
    local = pixel_rays(camera)[rows, columns].reshape(-1, 3)
    depth, face, uv = _shoot(scene, camera, local)
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    sight = Sight(rows, columns, depth.reshape(shape), face.reshape(shape), uv.reshape(*shape, 2))
    _reshoot_lone_misses(scene, camera, local, sight)
    return sight


def cast_view(scene: RayScene, camera: Camera) -> GeometryFrame:
    """Depth, part ids, faces and normals of what the camera sees."""
    return frame_of(scene, camera, look(scene, camera))


def _window(scene: RayScene, camera: Camera) -> tuple[slice, slice]:
    corners = np.array(np.meshgrid(*scene.bounds.T)).reshape(3, -1).T
    pixels, depth = camera.project(corners)
    # Through a lens the straight edges of a box are bent, and its corners bound nothing.
    if (depth <= 1e-6).any() or not camera.lens.is_straight:
        return slice(0, camera.size_px), slice(0, camera.size_px)
    low = np.clip(np.floor(pixels.min(axis=0)).astype(int) - 1, 0, camera.size_px - 1)
    high = np.clip(np.ceil(pixels.max(axis=0)).astype(int) + 1, low + 1, camera.size_px)
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _shoot(scene: RayScene, camera: Camera, local: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z-depth (N,) with 0 for background, global face (N,) and uv (N, 2)."""
    length = np.sqrt(np.einsum("ni,ni->n", local, local))
    directions = (local / length[:, None]) @ camera.T_world_camera[:3, :3].T
    hits = scene.cast(np.broadcast_to(camera.position, directions.shape), directions)
    # The ray has z = -1 per unit of z-depth: z-depth is the ray length over the ray's own length.
    return np.where(hits.face >= 0, hits.t / length, 0.0), hits.face, hits.uv


def _reshoot_lone_misses(scene: RayScene, camera: Camera, local: np.ndarray, sight: Sight) -> None:
    """Shoot again, a little beside, where a ray slipped between two triangles; fills in the sight."""
    face = sight.face
    hit = np.pad(face >= 0, 1)
    around = hit[:-2, 1:-1] & hit[2:, 1:-1] & hit[1:-1, :-2] & hit[1:-1, 2:]
    lone = (face < 0) & around
    if lone.any():
        nudged = local.reshape(*face.shape, 3)[lone] + np.array([1e-6, 7e-7, 0.0])
        sight.depth[lone], sight.face[lone], sight.uv[lone] = _shoot(scene, camera, nudged)


def frame_of(scene: RayScene, camera: Camera, sight: Sight) -> GeometryFrame:
    """The whole picture's depth, part ids, faces and normals from the hits of a window."""
    size, rows, columns = camera.size_px, sight.rows, sight.columns
    full_depth = np.zeros((size, size))
    part_id, local_face = np.zeros((size, size), np.int32), np.full((size, size), -1, np.int32)
    normal = np.zeros((size, size, 3))
    hit = sight.face >= 0
    face = sight.face[hit]
    full_depth[rows, columns] = sight.depth
    part_id[rows, columns][hit] = scene.ids[face]
    local_face[rows, columns][hit] = scene.local_face[face]
    seen = scene.normals[face]
    away = seen @ camera.T_world_camera[:3, 2] < 0
    normal[rows, columns][hit] = np.where(away[:, None], -seen, seen)
    return GeometryFrame(full_depth, part_id, local_face, normal)
