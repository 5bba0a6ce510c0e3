"""Views of replayed scenes cast again: what the files of a view say against the meshes in their places."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from datagen.annotate.scenes import SeenObject, cast_views
from datagen.core.camera import PosedCamera
from datagen.core.ids import fraction_of_hash
from datagen.core.scene import Floor, Scene, SceneObject, Sky, View
from datagen.core.shape import Shape
from datagen.formats.oddoneout import BACKGROUND_DEPTH, FOLDER
from datagen.kinds.oddoneout.verify.checks import REPLAYED, replays_there
from datagen.kinds.oddoneout.verify.compared import FOREGROUND
from datagen.kinds.oddoneout.verify.evidence import Replayed, SceneEvidence
from datagen.kinds.oddoneout.verify.facts import SceneFacts
from datagen.kinds.oddoneout.verify.rows import CHECKS
from datagen.kinds.oddoneout.verify.scene_files import SceneFiles
from datagen.render.fake import FakeRenderer
from datagen.verify.check import ERROR, Finding
from datagen.verify.damage import DAMAGE

VIEWS = 2
"""Views of a scene that are cast again."""
MOST_PX = 2e-3
"""Share of the pixels in which object, part or change may differ: what rounding at edges makes."""
LEVELS = 2
"""Levels that a picture of the fake renderer may be off."""
DEPTH_M = 5e-4
BOX_M = 1e-3
"""What a world box may be off the meshes."""


@dataclass(frozen=True)
class Recast:
    """Pixels of a view whose object, depth, part or change is not what the meshes show there; of `size` pixels.

    `picture` are those that the fake renderer paints otherwise; 0 where another renderer made the picture.
    """

    scene: str
    view: int
    size: int
    objects: int
    depth: int
    parts: int
    changed: int
    picture: int


def chosen_views(scene: SceneFacts) -> list[int]:
    """Which views of a scene are cast again: the same whenever it is verified."""
    ranked = sorted(range(len(scene.extrinsics)), key=lambda v: fraction_of_hash(["recast", scene.name, v]))
    return ranked[:VIEWS]


def recast(e: SceneEvidence, scene: SceneFacts, replay: Replayed) -> list[Recast]:
    """Some views of a replayed scene against its files. What cannot be read is told elsewhere."""
    seen = [_seen(shape, thing.record, odd) for (shape, odd), thing in zip(replay.shapes, scene.objects, strict=True)]
    size, focal = round(2 * scene.K[0, 2]), float(scene.K[0, 0])
    views = chosen_views(scene)
    cameras = [PosedCamera.of(scene.extrinsics[v], focal, size) for v in views]
    cast = cast_views(seen, cameras)
    painted = _painted(e, scene, replay, seen, cameras)
    found = []
    files = SceneFiles(e.tree.files, f"{FOLDER}/{scene.name}")
    for k, v in enumerate(views):
        frame = cast.frames[k]
        names = [thing.name for thing in scene.objects]
        masks = [files.image(f"segmentations/{name}/{name}_{v:04d}.png") for name in names]
        depth = files.depth(f"depth_exr/{v:04d}.exr")
        shape = frame.depth.shape
        if depth is None or depth.shape != shape or any(m is None or m.shape != shape for m in masks):
            continue
        index = np.zeros(shape, int)
        for n, mask in enumerate(masks):
            assert mask is not None
            index[mask > FOREGROUND] = n + 1
        on = (index == frame.object_index) & (index > 0)
        told = np.where(depth < BACKGROUND_DEPTH / 2, depth, 0.0)
        parts = files.labels(f"part_labels/{v:04d}.png")
        changed = files.image(f"anomaly_masks/{v:04d}.png", wanted=False)
        found.append(
            Recast(
                scene.name,
                v,
                index.size,
                objects=int((index != frame.object_index).sum()),
                depth=int((np.abs(told - frame.depth) > DEPTH_M)[on].sum()),
                parts=0 if parts is None or parts.shape != shape else _parts(parts, frame.part_id, index, scene, on),
                changed=0
                if changed is None or changed.shape != shape
                else int(((changed > FOREGROUND) != cast.changed[k]).sum()),
                picture=_differs(files.picture(f"RGB/{v:04d}.png"), painted[k]) if painted else 0,
            )
        )
    return found


def _painted(
    e: SceneEvidence, scene: SceneFacts, replay: Replayed, seen: Sequence[SeenObject], cameras: Sequence[PosedCamera]
) -> list[np.ndarray]:
    """The pictures (H, W, 3) of views by the fake renderer; none where it did not make the dataset's."""
    floor = e.floors.get(str(scene.world.get("floor_pbr", "")))
    if e.tree.renderer != "fake" or floor is None:
        return []
    materials = {name: material for shape, _ in replay.shapes for name, material in shape.palette.items()}
    return FakeRenderer().render(
        Scene(
            objects=tuple(one.thing for one in seen),
            materials={**materials, floor.material_id: floor},
            ground=Floor(floor.material_id),
            views=tuple(View(camera, Sky("")) for camera in cameras),
        )
    )


def _differs(picture: np.ndarray | None, painted: np.ndarray) -> int:
    """Pixels of a picture (H, W, 4) that are not painted so; 0 where it cannot be read, which is told elsewhere."""
    if picture is None or picture.shape[:2] != painted.shape[:2]:
        return 0
    return int((np.abs(picture[..., :3].astype(np.int16) - painted).max(axis=2) > LEVELS).sum())


def _parts(parts: np.ndarray, part_id: np.ndarray, index: np.ndarray, scene: SceneFacts, on: np.ndarray) -> int:
    """Pixels whose part label is not that of the part which the meshes show there."""
    wrong = 0
    for n, thing in enumerate(scene.objects):
        own = on & (index == n + 1)
        labels = {int(part): int(label) for part, label in (thing.record.get("part_labels") or {}).items()}
        if labels and own.any():
            wanted = np.array([labels.get(int(part), -1) for part in part_id[own]])
            wrong += int((wanted != parts[own]).sum())
    return wrong


def _seen(shape: Shape, record: Mapping[str, Any], odd: Any) -> SeenObject:
    T = np.array(record["T_world_shape"], dtype=float).reshape(4, 4)
    name = str(record["name"])
    twin = None if odd is None else SceneObject.of(name, odd.normal.parts, T)
    return SeenObject(SceneObject.of(name, shape.parts, T), twin, odd)


@CHECKS.check(
    ERROR, "Tables and pictures that were changed alike are told by the meshes alone.", REPLAYED, (replays_there,)
)
def scene_views_recast(e: SceneEvidence) -> Iterator[Finding]:
    """Two views of each replayed scene show the objects, depth, parts and changes that its meshes show there."""
    by_name = {scene.name: scene for scene in e.scenes}
    for replay in e.replays:
        if replay.problem:
            continue
        scene = by_name[replay.scene]
        try:
            views = recast(e, scene, replay)
        except DAMAGE as error:
            yield Finding(replay.scene, f"cannot be cast again ({type(error).__name__}: {error})")
            continue
        for view in views:
            most = MOST_PX * view.size
            for what, wrong in (
                ("object", view.objects),
                ("depth", view.depth),
                ("part", view.parts),
                ("change", view.changed),
                ("picture", view.picture),
            ):
                if wrong > most:
                    yield Finding(f"{view.scene} view {view.view}", f"{what} is not the meshes' in {wrong} pixels")


@CHECKS.check(ERROR, "A box that is not its object's teaches the wrong place.", REPLAYED, (replays_there,))
def scene_boxes_recast(e: SceneEvidence) -> Iterator[Finding]:
    """bbox_world is the bounds of the replayed mesh, bbox_published has those before its yaw, within a millimetre."""
    by_name = {scene.name: scene for scene in e.scenes}
    for replay in e.replays:
        boxes = zip(by_name[replay.scene].objects, replay.bounds, replay.local_bounds, strict=False)
        for thing, bounds, local in boxes:
            where = f"{replay.scene} {thing.name}"
            if "bbox_world" in thing.record:
                centre, size = np.array(thing.record["bbox_world"], dtype=float)
                off = float(np.abs(np.stack([centre - size / 2, centre + size / 2]) - bounds).max())
                if off > BOX_M:
                    yield Finding(where, f"its world box is {1000 * off:.1f} mm off its mesh")
            if "bbox_published" in thing.record:
                size = np.array(thing.record["bbox_published"], dtype=float)[1]
                off = float(np.abs(size - (local[1] - local[0])).max())
                if off > BOX_M:
                    yield Finding(where, f"its published box is {1000 * off:.1f} mm off its mesh as it is turned")
