"""Depth, part ids and normals by embree: exact, fast, no graphics stack needed."""

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


def cast_view(scene: RayScene, camera: Camera) -> GeometryFrame:
    """What the camera sees of the scene; only pixels within the projected bounds are shot."""
    size = camera.size_px
    rows, columns = _window(scene, camera)
    local = _pixel_rays(size, camera.focal_px)[rows, columns].reshape(-1, 3)
    depth, face = _shoot(scene, camera, local)
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    depth, face = _reshoot_lone_misses(scene, camera, local, depth.reshape(shape), face.reshape(shape))
    return _frame(scene, camera, size, rows, columns, depth, face)


def _window(scene: RayScene, camera: Camera) -> tuple[slice, slice]:
    corners = np.array(np.meshgrid(*scene.bounds.T)).reshape(3, -1).T
    pixels, depth = camera.project(corners)
    if (depth <= 1e-6).any():
        return slice(0, camera.size_px), slice(0, camera.size_px)
    low = np.clip(np.floor(pixels.min(axis=0)).astype(int) - 1, 0, camera.size_px - 1)
    high = np.clip(np.ceil(pixels.max(axis=0)).astype(int) + 1, low + 1, camera.size_px)
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _shoot(scene: RayScene, camera: Camera, local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """z-depth (N,) with 0 for background, and global face (N,)."""
    length = np.linalg.norm(local, axis=1)
    directions = (local / length[:, None]) @ camera.T_world_camera[:3, :3].T
    hits = scene.cast(np.broadcast_to(camera.position, directions.shape), directions)
    # The ray has z = -1 per unit of z-depth: z-depth is the ray length over the ray's own length.
    return np.where(hits.face >= 0, hits.t / length, 0.0), hits.face


def _reshoot_lone_misses(
    scene: RayScene, camera: Camera, local: np.ndarray, depth: np.ndarray, face: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    hit = np.pad(face >= 0, 1)
    around = hit[:-2, 1:-1] & hit[2:, 1:-1] & hit[1:-1, :-2] & hit[1:-1, 2:]
    lone = (face < 0) & around
    if lone.any():
        nudged = local.reshape(*face.shape, 3)[lone] + np.array([1e-6, 7e-7, 0.0])
        depth, face = depth.copy(), face.copy()
        depth[lone], face[lone] = _shoot(scene, camera, nudged)
    return depth, face


def _frame(
    scene: RayScene,
    camera: Camera,
    size: int,
    rows: slice,
    columns: slice,
    depth: np.ndarray,
    face: np.ndarray,
) -> GeometryFrame:
    full_depth = np.zeros((size, size))
    part_id, local_face = np.zeros((size, size), np.int32), np.full((size, size), -1, np.int32)
    normal = np.zeros((size, size, 3))
    hit = face >= 0
    full_depth[rows, columns] = depth
    part_id[rows, columns][hit] = scene.ids[face[hit]]
    local_face[rows, columns][hit] = scene.local_face[face[hit]]
    normal[rows, columns][hit] = scene.normals[face[hit]]
    away = np.einsum("hwi,i->hw", normal, camera.T_world_camera[:3, 2]) < 0
    normal[away] *= -1
    return GeometryFrame(full_depth, part_id, local_face, normal)
