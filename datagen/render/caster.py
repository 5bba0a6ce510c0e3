"""What a scene's cameras see by ray casting: depth, objects, parts and floor, exactly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datagen.core.camera import Camera
from datagen.core.scene import FLOOR_SIZE_M, GeometryFrame, SceneObject
from datagen.geometry.rays import RayScene
from datagen.render.raycast import cast_view


@dataclass(frozen=True, eq=False)
class SceneFrame:
    """All (H, W): z-depth in metres (0 = sky), object (place + 1; 0 = none), part id, floor mask, face in its part."""

    depth: np.ndarray
    object_index: np.ndarray
    part_id: np.ndarray
    floor: np.ndarray
    face: np.ndarray
    normal: np.ndarray


class SceneCaster:
    """Objects on the floor, ready for rays."""

    def __init__(self, objects: Sequence[SceneObject]) -> None:
        found = [(k + 1, part_id, mesh) for k, thing in enumerate(objects) for part_id, mesh in thing.meshes()]
        self._object = np.array([0, *(place for place, _, _ in found)], dtype=np.int32)
        self._part = np.array([0, *(part_id for _, part_id, _ in found)], dtype=np.int32)
        self.rays = RayScene([(number + 1, mesh) for number, (_, _, mesh) in enumerate(found)])

    def alone(self, camera: Camera) -> SceneFrame:
        """What one camera sees of the objects, without any floor."""
        frame = cast_view(self.rays, camera)
        none = np.zeros(frame.depth.shape, dtype=bool)
        return self._frame(frame, frame.depth, frame.part_id > 0, none)

    def cast(self, camera: Camera) -> SceneFrame:
        """What one camera sees."""
        frame = cast_view(self.rays, camera)
        below = floor_depth(camera)
        hit = frame.part_id > 0
        # The floor hides what lies under it; nothing does by more than rounding.
        sunk = hit & (below > 0) & (frame.depth > below + 2e-3)
        hit = hit & ~sunk
        floor = ~hit & (below > 0)
        return self._frame(frame, np.where(floor, below, frame.depth), hit, floor)

    def _frame(self, frame: GeometryFrame, depth: np.ndarray, hit: np.ndarray, floor: np.ndarray) -> SceneFrame:
        ids = np.where(hit, frame.part_id, 0)
        face = np.where(hit, frame.face, -1)
        depth = np.where(hit | floor, depth, 0.0)
        return SceneFrame(depth, self._object[ids], self._part[ids], floor, face, frame.normal)


def floor_depth(camera: Camera) -> np.ndarray:
    """z-depth (H, W) of the floor through pixel centres, 0 where its 10 m square is not met."""
    size = camera.size_px
    u = (np.arange(size) + 0.5 - size / 2) / camera.focal_px
    x, y = np.meshgrid(u, -u)
    rays = np.stack([x, y, -np.ones_like(x)], axis=-1) @ camera.T_world_camera[:3, :3].T
    eye = camera.position
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = -eye[2] / rays[..., 2]
    point = eye[:2] + depth[..., None] * rays[..., :2]
    with np.errstate(invalid="ignore"):
        met = (depth > 0) & (np.abs(point) <= FLOOR_SIZE_M / 2).all(axis=-1)
    return np.where(met, depth, 0.0)
