"""Checks of what scenes say of their shapes, against the shapes made again; and of scenes against their plan."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from datagen.core.anomaly import AnomalousShape
from datagen.core.errors import DatagenError
from datagen.core.ids import canonical_json
from datagen.core.shape import Shape
from datagen.formats.oddoneout import FOLDER, MODE_OF_KIND, asset_path, object_name
from datagen.kinds.oddoneout.jobs import drawn_look
from datagen.kinds.oddoneout.plan import PlannedScene, ScenePlan, five_views
from datagen.kinds.oddoneout.verify.alike import differing
from datagen.kinds.oddoneout.verify.checks import REPLAYED, SCENES, replays_there
from datagen.kinds.oddoneout.verify.evidence import Replayed, SceneEvidence
from datagen.kinds.oddoneout.verify.facts import ObjectFacts, SceneFacts
from datagen.kinds.oddoneout.verify.looks import CHECKS, order_errors, tints_of, view_tints
from datagen.verify.check import ERROR, WARNING, Finding
from datagen.verify.damage import DAMAGE

MEASURED = 1e-3
"""Share by which a measure of a mesh may differ that another processor made."""
LIKELIER, APART = 1.3, 0.03
"""How much better colours have to fit their materials in another order of channels, and by how much (squared
logarithms). In the own order they fit at least as well, in coloured scenes 1.6 times."""
TINT = 0.3
"""Weight of the light's own tint, which shifts all colours of a scene alike."""


@CHECKS.check(ERROR, "What is said of an anomaly has to be what was done.", REPLAYED, (replays_there,))
def scene_anomalies_replayed(e: SceneEvidence) -> Iterator[Finding]:
    """Kind, spec, severity, method, parts and measures of odd objects are those of the shapes made again.

    So are the names of parts, the materials and the frames of all objects.
    """
    by_name = {scene.name: scene for scene in e.scenes}
    rows = {str(row["query_path"]): row for row in e.tree.rows if row["row_type"] == "object"}
    for replay in e.replays:
        for thing, (shape, made) in zip(by_name[replay.scene].objects, replay.shapes, strict=False):
            where = f"{replay.scene} {thing.name}"
            try:
                for told in _untrue(thing, shape, made):
                    yield Finding(where, told)
                row = rows.get(f"{FOLDER}/{replay.scene}#{thing.name}")
                if row is not None:
                    for key, said, meant in differing(row, _columns(thing, shape, made, replay)):
                        yield Finding(where, f"its row says {key} {said}, its shape {meant}")
            except DAMAGE as error:
                yield Finding(where, f"cannot be compared with its shape ({type(error).__name__}: {error})")


def _untrue(thing: ObjectFacts, shape: Shape, made: AnomalousShape | None) -> Iterator[str]:
    """What an object's record says and its shape does not."""
    record = thing.record
    wanted: dict[str, Any] = {"parts": {str(part.part_id): part.name for part in shape.parts}}
    wanted |= {"kind": made.spec.kind if made else "normal", "label": int(made is not None)}
    for key, said, meant in differing(record, wanted):
        yield f"says {key} {said}, its shape {meant}"
    if made is None:
        return
    done = {"part_ids": list(made.part_ids), "gone_part_ids": list(made.gone), "method": made.method}
    for key, said, meant in differing(record["anomaly"], {**done, "spec": canonical_json(made.spec.to_json())}):
        yield f"says {key} {said}, its shape {meant}"
    measured = {"severity": made.severity, "measures": dict(made.measures)}
    for key, said, meant in differing(record["anomaly"], measured, MEASURED):
        yield f"says {key} {said}, its shape {meant}"


def _columns(thing: ObjectFacts, shape: Shape, made: AnomalousShape | None, replay: Replayed) -> Mapping[str, Any]:
    """Columns of an object's row that its shape alone tells."""
    T = np.array(thing.record["T_world_shape"], dtype=float) @ np.array(shape.T_shape_source)
    names = {part.part_id: part.name for part in made.normal.parts} if made else {}
    return {
        "material_ids": sorted(shape.palette),
        "T_shape_source": T.ravel().tolist(),
        "part": names.get(made.spec.part_id, "") if made else "",
    }


def _plan(e: SceneEvidence) -> str:
    return "" if e.plan is not None else e.source_note or "there is no plan"


@CHECKS.check(ERROR, "A scene that its recipe does not ask for is another's.", SCENES, (_plan,))
def scene_as_planned(e: SceneEvidence) -> Iterator[Finding]:
    """Shape, split, number and names of objects, odd ones, floor and environment are those the recipe draws."""
    plan = e.plan
    assert plan is not None
    planned = {scene.name: scene for scene in plan.scenes}
    keys = [key for key in plan.by_split() if key in e.split]
    if list(e.split) != keys:
        yield Finding("split.json", f"has the keys {', '.join(e.split)}, not {', '.join(keys)} in this order")
    for name in sorted({name for names in e.split.values() for name in names} - planned.keys()):
        yield Finding(name, "is named by split.json and no scene of the recipe")
    for scene in e.scenes:
        own = planned.get(scene.name)
        if own is None:
            yield Finding(scene.name, "is no scene of the recipe")
            continue
        try:
            told = {
                **scene.world,
                **scene.extra,
                "shape_id": e.shape_of(scene),
                "split.json": e.split_of.get(scene.name),
            }
            for key, said, meant in differing(told, _drawn(e, plan, own)):
                yield Finding(scene.name, f"says {key} {said}, its recipe {meant}")
            for text in _other_objects(plan, own, scene):
                yield Finding(scene.name, text)
        except DAMAGE as error:
            yield Finding(scene.name, f"cannot be compared with its plan ({type(error).__name__}: {error})")


def _drawn(e: SceneEvidence, plan: ScenePlan, own: PlannedScene) -> Mapping[str, Any]:
    """What a scene's record says of itself, as the recipe draws it."""
    views = plan.recipe.camera.views
    wanted: dict[str, Any] = {"scene": own.name, "split": own.split, "split.json": own.split}
    wanted |= {"category": own.entry.category, "shape_id": own.entry.shape_id, "source": plan.source.name}
    wanted |= {"bbox": plan.recipe.bbox, "five_views": five_views(views)}
    try:
        assert e.tools is not None
        floor, sky = drawn_look(e.tools, own)
    except DatagenError:
        return wanted  # The floors or environments of the build are not here.
    wanted |= {"floor_pbr": floor.material_id, "background_hdr": sky.world}
    return {**wanted, "background_strength": sky.strength, "background_rotation_deg": sky.rotation_deg}


def _other_objects(plan: ScenePlan, own: PlannedScene, scene: SceneFacts) -> Iterator[str]:
    """Objects that are not those of the draw. An odd one that did not show is a normal one."""
    draw, naming = plan.draw(own), plan.recipe.naming
    if len(scene.objects) != draw.objects:
        yield f"has {len(scene.objects)} objects, its recipe draws {draw.objects}"
    left = list(draw.slots)
    for k, thing in enumerate(scene.objects):
        if thing.name != object_name(naming, k):
            yield f"object {k} is called {thing.name}, not {object_name(naming, k)}"
        if not thing.anomalous:
            if thing.record["path"] != asset_path(own.name, None, -1, naming):
                yield f"{thing.name} has the path {thing.record['path']}"
            continue
        kind = str(thing.record["kind"])
        slots = [slot for slot in left if thing.record["path"] == _odd_path(own.name, kind, slot, naming)]
        if slots:
            left.remove(slots[0])
        else:
            yield f"{thing.name} has the path {thing.record['path']}, which is none of the anomalous shapes drawn"


def _odd_path(scene: str, kind: str, slot: int, naming: str) -> str:
    return asset_path(scene, MODE_OF_KIND.get(kind, kind), slot, naming)


@CHECKS.check(ERROR, "Channels in another order teach colours that nothing has.", REPLAYED, (replays_there,))
def scene_colors_of_materials(e: SceneEvidence) -> Iterator[Finding]:
    """Parts and floor are seen in the colours of their materials, in no other order of red, green and blue."""
    by_name = {scene.name: scene for scene in e.scenes}
    for replay in e.replays:
        scene = by_name[replay.scene]
        seen, worn = view_tints(scene), tints_of(_worn(e, scene, replay))
        told = np.isfinite(worn).all(axis=-1) & np.isfinite(seen).all(axis=-1).any(axis=0)
        if told.sum() < 2:
            continue
        own, other = order_errors(np.nanmedian(seen[:, told], axis=0), worn[told], TINT)
        if own > LIKELIER * other and own > other + APART:
            text = f"its channels are exchanged: {own:.2f} off its materials' colours, {other:.2f} if put right"
            yield Finding(scene.name, text)


def _worn(e: SceneEvidence, scene: SceneFacts, replay: Replayed) -> np.ndarray:
    """Linear mean colours (R + 1, 3) of what the regions of `colors` wear; NaN where that is not known.

    Of an image that a file brings along a part may show any corner, and of several materials any one.
    """
    found = np.full((scene.colors.shape[1], 3), np.nan)
    floor = e.floors.get(str(scene.world.get("floor_pbr", "")))
    if floor is not None:
        found[0] = floor.mean_color
    for thing, (shape, _) in zip(scene.objects, replay.shapes, strict=False):
        labels = thing.record.get("part_labels") or {}
        for part in shape.parts:
            label = int(labels.get(str(part.part_id), 0))
            if part.skin is None or len(part.skin.materials) != 1 or not 0 < label < len(found):
                continue
            material = shape.palette[part.skin.materials[0]]
            if not material.maps and not material.vertex_color:
                found[label] = material.mean_color
    return found


def _recipe(e: SceneEvidence) -> str:
    return "" if e.recipe is not None else "there is no recipe to tell how many scenes are to hold an odd object"


@CHECKS.check(WARNING, "A scene without an odd object has nothing to find.", SCENES, (_recipe,))
def scene_odd_ones_there(e: SceneEvidence) -> Iterator[Finding]:
    """Every scene to which the recipe gives an odd object holds one, and some scene of the dataset does."""
    recipe, plan = e.recipe, e.plan
    assert recipe is not None
    share = recipe.layout.normal_share
    planned = {scene.name: scene for scene in plan.scenes} if plan else {}
    for scene in e.scenes:
        own = planned.get(scene.name)
        asked = plan.draw(own).asked > 0 if plan is not None and own is not None else share == 0
        if asked and not scene.anomalous:
            yield Finding(scene.name, "holds no odd object although the recipe gives it one")
    if share < 1 and not any(scene.anomalous for scene in e.scenes):
        yield Finding("dataset", "no scene holds an odd object")
