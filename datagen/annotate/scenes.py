"""What the views of a scene show: objects, parts, and the pixels that an anomaly changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from datagen.core.anomaly import AnomalousShape
from datagen.core.camera import Camera
from datagen.core.scene import SceneObject
from datagen.geometry.rays import RayScene
from datagen.render.caster import SceneCaster, SceneFrame
from datagen.render.raycast import cast_view

TOLERANCE_M = 0.0015
"""Depth differences below this are what repair leaves."""


@dataclass(frozen=True, eq=False)
class SeenObject:
    """An object in the world; for an anomalous one also its normal twin in the same pose, and what was done."""

    thing: SceneObject
    twin: SceneObject | None
    odd: AnomalousShape | None = None


@dataclass(frozen=True, eq=False)
class SceneViews:
    """Frames of all views, the changed pixels of each (H, W) bool, and their number (views, objects).

    `each` are the changed pixels (H, W) of every view by object, for those with a twin.
    """

    frames: tuple[SceneFrame, ...]
    changed: tuple[np.ndarray, ...]
    changed_px: np.ndarray
    each: tuple[Mapping[int, np.ndarray], ...]

    def most_changed(self, index: int) -> int:
        """Changed pixels of one object in the view that shows most of them."""
        return int(self.changed_px[:, index].max())


def cast_views(objects: Sequence[SeenObject], cameras: Sequence[Camera]) -> SceneViews:
    """Cast every view, and the normal twins of anomalous objects beside it."""
    caster = SceneCaster([seen.thing for seen in objects])
    twins = {k: RayScene(seen.twin.meshes()) for k, seen in enumerate(objects) if seen.twin is not None}
    frames, masks, each = [], [], []
    counts = np.zeros((len(cameras), len(objects)), dtype=np.int64)
    for v, camera in enumerate(cameras):
        frame = caster.cast(camera)
        union = np.zeros(frame.depth.shape, dtype=bool)
        own: dict[int, np.ndarray] = {}
        for k, rays in twins.items():
            own[k] = changed_pixels(frame, k, objects[k], cast_view(rays, camera).depth)
            counts[v, k] = own[k].sum()
            union |= own[k]
        frames.append(frame)
        masks.append(union)
        each.append(own)
    return SceneViews(tuple(frames), tuple(masks), counts, tuple(each))


def changed_pixels(frame: SceneFrame, index: int, seen: SeenObject, twin_depth: np.ndarray) -> np.ndarray:
    """Pixels (H, W) that would look otherwise if the object were normal.

    Where the object is seen: another depth than its twin's, or a face that the operator changed in place
    (a material). Where it is not: the twin would be seen there.
    """
    own = frame.object_index == index + 1
    twin = twin_depth > 0
    changed = own & (~twin | (np.abs(frame.depth - twin_depth) > TOLERANCE_M))
    nearer = np.where(frame.depth > 0, twin_depth < frame.depth - TOLERANCE_M, True)
    changed |= ~own & twin & nearer
    if seen.odd is not None and seen.odd.spec.kind == "material":
        changed |= own & (frame.part_id == seen.odd.spec.part_id)
    return changed
