"""Views of replayed scenes cast again: what the files of a view say against the meshes in their places."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from datagen.annotate.scenes import SeenObject, cast_views
from datagen.core.camera import PosedCamera
from datagen.core.ids import fraction_of_hash
from datagen.core.scene import Floor, Scene, SceneObject, Sky, View
from datagen.core.shape import Shape
from datagen.formats.oddoneout import FOLDER
from datagen.kinds.oddoneout.verify.checks import REPLAYED, replays_there
from datagen.kinds.oddoneout.verify.compared import FOREGROUND
from datagen.kinds.oddoneout.verify.evidence import Replayed, SceneEvidence
from datagen.kinds.oddoneout.verify.facts import SceneFacts
from datagen.kinds.oddoneout.verify.pose_forms import CHECKS
from datagen.kinds.oddoneout.verify.scene_files import SceneFiles
from datagen.kinds.oddoneout.verify.shown import STRIDE, Shown, kept_pixels
from datagen.render.caster import SceneFrame
from datagen.render.fake import FakeRenderer
from datagen.verify.check import ERROR, Finding
from datagen.verify.damage import DAMAGE

VIEWS = 2
"""Views of a scene that are cast again."""
MOST_PX = 2e-3
"""Share of the pixels in which object, part or change may differ: what rounding at edges makes."""
LEAST_PX = 3
"""Pixels that may differ in any case."""
LEVELS = 2
"""Levels that a picture of the fake renderer may be off."""
DEPTH_M = 5e-4
BOX_M = 1e-3
"""What a world box may be off the meshes."""


@dataclass(frozen=True)
class Recast:
    """Pixels of a view whose object, depth, part or change is not what the meshes show there; of `size` pixels.

    `counts` is how far the record's number of changed pixels is off, of the object that it is furthest off.
    `picture` are those that the fake renderer paints otherwise; 0 where another renderer made the picture.
    """

    scene: str
    view: int
    size: int
    objects: int
    depth: int
    parts: int
    changed: int
    counts: int = 0
    picture: int = 0


def chosen_views(scene: SceneFacts) -> list[int]:
    """Which views of a scene are cast again: the same whenever it is verified."""
    ranked = sorted(range(len(scene.extrinsics)), key=lambda v: fraction_of_hash(["recast", scene.name, v]))
    return ranked[:VIEWS]


def recast(e: SceneEvidence, scene: SceneFacts, replay: Replayed) -> list[Recast]:
    """Some views of a replayed scene against its files, and every fifth pixel of all. What cannot be read is told
    elsewhere."""
    seen = [_seen(shape, thing.record, odd) for (shape, odd), thing in zip(replay.shapes, scene.objects, strict=True)]
    size, focal = round(2 * scene.K[0, 2]), float(scene.K[0, 0])
    views = chosen_views(scene)
    cameras = [PosedCamera.of(scene.extrinsics[v], focal, size) for v in views]
    kept = len(kept_pixels(size))
    coarse = [PosedCamera.of(T, focal / STRIDE, kept) for T in scene.extrinsics] if kept else []
    cast = cast_views(seen, [*cameras, *coarse])
    painted = _painted(e, scene, replay, seen, cameras)
    files = SceneFiles(e.tree.files, f"{FOLDER}/{scene.name}")
    found = []
    for k, v in enumerate(views):
        shown = _shown(files, scene, v)
        if shown is not None and shown.depth.shape == (size, size):
            picture = _differs(files.picture(f"RGB/{v:04d}.png"), painted[k]) if painted else 0
            counts = _counts_off(scene, v, cast.changed_px[k])
            one = _compared(scene, v, shown, cast.frames[k], cast.changed[k])
            found.append(replace(one, counts=counts, picture=picture))
    for v, shown in enumerate(scene.coarse):
        if shown is not None and coarse and shown.depth.shape == (kept, kept):
            k = len(views) + v
            found.append(_compared(scene, v, shown, cast.frames[k], cast.changed[k]))
    return found


def _shown(files: SceneFiles, scene: SceneFacts, v: int) -> Shown | None:
    masks = [files.segmentation(f"segmentations/{one.name}/{one.name}_{v:04d}.png") for one in scene.objects]
    there = [mask for mask in masks if mask is not None]
    if len(there) < len(masks) or len({mask.shape for mask in there}) != 1:
        return None
    depth, parts = files.depth(f"depth_exr/{v:04d}.exr"), files.labels(f"part_labels/{v:04d}.png")
    return Shown.of(np.array(there) > FOREGROUND, depth, parts, files.mask(f"anomaly_masks/{v:04d}.png"))


def _compared(scene: SceneFacts, v: int, shown: Shown, frame: SceneFrame, changed: np.ndarray) -> Recast:
    """What a view's files show against what its meshes do; pictures and counts aside."""
    index, depth = shown.index.astype(int), frame.depth
    on = (index == frame.object_index) & (index > 0)
    return Recast(
        scene.name,
        v,
        index.size,
        objects=int((index != frame.object_index).sum()),
        depth=int((np.abs(shown.depth - depth) > DEPTH_M)[on].sum()),
        parts=0 if shown.parts is None else _parts(shown.parts, frame.part_id, index, scene, on),
        changed=0 if shown.changed is None else int((shown.changed != changed).sum()),
    )


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


def _counts_off(scene: SceneFacts, v: int, changed_px: np.ndarray) -> int:
    """The most that an object's record is off the changed pixels (N,) of a view."""
    off = [0]
    for thing, count in zip(scene.objects, changed_px.tolist(), strict=True):
        told = (thing.record.get("anomaly") or {}).get("changed_px")
        if thing.anomalous and told is not None and v < len(told):
            off.append(abs(int(told[v]) - count))
    return max(off)


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
    """Views of each replayed scene show the objects, depth, parts and changes that its meshes show there.

    Two views are held against them in every pixel and in the number of pixels that each odd object changes, the others
    in every fifth pixel.
    """
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
            most = max(MOST_PX * view.size, LEAST_PX)
            for what, wrong in (
                ("object", view.objects),
                ("depth", view.depth),
                ("part", view.parts),
                ("change", view.changed),
                ("count of changed pixels", view.counts),
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
