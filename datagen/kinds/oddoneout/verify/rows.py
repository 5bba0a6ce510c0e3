"""Checks of the manifest's rows and of a record's own words against each other, whatever the digests say."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from datagen.core.ids import content_hash
from datagen.core.row import Row
from datagen.formats.oddoneout import FOLDER, view_name
from datagen.kinds.oddoneout.plan import five_views
from datagen.kinds.oddoneout.record import shown_json
from datagen.kinds.oddoneout.verify.alike import alike, differing
from datagen.kinds.oddoneout.verify.checks import SCENES
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.facts import ObjectFacts, SceneFacts
from datagen.kinds.oddoneout.verify.tables import CHECKS
from datagen.verify.check import ERROR, Finding
from datagen.verify.damage import DAMAGE
from datagen.verify.numbered import unnumbered

Columns = Mapping[str, Any]
OURS = frozenset(
    (
        *("name", "path", "rotation_matrix", "rotation_euler", "location", "scale", "bbox", "bbox_world"),
        *(
            "bbox_published",
            "T_world_shape",
            "shape_id",
            "label",
            "kind",
            "severity",
            "parts",
            "part_labels",
            "anomaly",
        ),
    )
)
"""Keys of an object's record."""
SECTIONS = frozenset(("objects", "camera", "scene", "rendering_info", "datagen"))
"""Those of a scene's, as published, and of ours."""
REFUSED = frozenset({"stage", "reason"})
"""What a rejection's row has besides."""
UNUSED: Columns = {
    spec.name: spec.default
    for spec in fields(Row)
    if spec.name
    in (
        *REFUSED,
        *("annotation_path", "mask_new_path", "mask_old_path", "bbox_xywh_512", "iou", "light_id", "texture_id"),
        *("repaired_part_id", "anomalies", "pose", "jitter", "tray", "looks", "magnitude", "magnitude_unit"),
        *("deviation_mm", "deviation_deg", "surface_mm", "tolerance_mm", "tolerance_deg", "tolerance_ratio"),
    )
}
"""Columns of other kinds of dataset."""


def _rows(e: SceneEvidence) -> str:
    return "" if e.tree.rows else "there is no manifest.parquet and no log"


def made_here(e: SceneEvidence) -> str:
    """A recipe, without which the record is a published one and has none of our keys."""
    return "" if e.recipe is not None else "there is no recipe, so that records need not have what ours have"


@CHECKS.check(ERROR, "Whoever chooses by the manifest gets what its rows say.", SCENES, (_rows, made_here))
def scene_rows_agree(e: SceneEvidence) -> Iterator[Finding]:
    """A row for the scene, one an object, one a view; every column says what the record and the pictures say."""
    of_scene: dict[str, dict[str, list[Columns]]] = {}
    for row in e.tree.rows:
        if row["row_type"] in ("scene", "object", "sample"):
            path = str(row["query_path"])
            name = path.partition("#")[0].removeprefix(f"{FOLDER}/").partition("/")[0]
            of_scene.setdefault(name, {}).setdefault(path, []).append(row)
    for scene in e.scenes:
        told = of_scene.pop(scene.name, {})
        try:
            wanted = dict(_wanted(e, scene))
        except DAMAGE as error:
            yield Finding(scene.name, f"its record gives no rows ({type(error).__name__}: {error})")
            continue
        for path in sorted(wanted.keys() ^ told.keys()):
            yield Finding(path, "has no row" if path in wanted else "has a row and is nothing of the scene")
        for path in sorted(wanted.keys() & told.keys()):
            if len(told[path]) > 1:
                yield Finding(path, f"has {len(told[path])} rows")
            row = told[path][0]
            for column, said, meant in differing(row, {**_unused(row), **wanted[path]}):
                yield Finding(path, f"its row says {column} {said}, its record {meant}")
    for name in sorted(of_scene):
        yield Finding(f"{FOLDER}/{name}", "has rows and is not there")
    jobs = {scene.extra.get("job_id"): scene for scene in e.scenes}
    for row in e.tree.rows:
        if row["row_type"] == "rejection" and (scene_of := jobs.get(row["job_id"])) is not None:
            own = {**_unused(row, REFUSED), **_shared(e, scene_of), "status": "rejected"}
            for column, said, meant in differing(row, own):
                yield Finding(scene_of.name, f"a rejection says {column} {said}, its scene {meant}")


def _unused(row: Columns, but: frozenset[str] = frozenset()) -> Columns:
    """Columns that rows of scenes leave as they are, of those that there are."""
    return {name: value for name, value in UNUSED.items() if name in row and name not in but}


def _shared(e: SceneEvidence, scene: SceneFacts) -> Columns:
    """Columns that all rows of a scene's job have."""
    assert e.recipe is not None
    extra = scene.extra
    own: dict[str, Any] = {key: extra[key] for key in ("job_id", "split", "source")}
    return {**own, "shape_id": e.shape_of(scene), "seed": e.recipe.seed, "status": "ok"}


@CHECKS.check(ERROR, "A row that was taken out takes what it tells of out of the count.", needs=(_rows,))
def scene_rows_numbered(e: SceneEvidence) -> Iterator[Finding]:
    """The rows of every scene's job are numbered without gaps."""
    yield from unnumbered(e.tree.rows)


def _wanted(e: SceneEvidence, scene: SceneFacts) -> Iterator[tuple[str, Columns]]:
    """Path -> the columns that its row has to have."""
    folder, extra = f"{FOLDER}/{scene.name}", scene.extra
    floor, sky = str(scene.world.get("floor_pbr", "")), str(scene.world.get("background_hdr", ""))
    shared = {**_shared(e, scene), "query_scale": extra["metres_per_unit"]}
    odd = int(any(thing.anomalous for thing in scene.objects))
    yield folder, {**shared, "row_type": "scene", "label": odd, "kind": "scene", "detail": sky, "material_ids": [floor]}
    shared.pop("query_scale")
    for thing in scene.objects:
        yield f"{folder}#{thing.name}", {**shared, **_object(e, thing)}
    aim = np.array([*_middle(scene, "location"), _middle(scene, "bbox_world")[2]])
    for view, T in zip(scene.views, scene.extrinsics, strict=True):
        seen = sum(thing.seen_px[view.index] for thing in scene.objects)
        own = {"row_type": "sample", "kind": "scene", "material_ids": [floor], "visible_px": seen}
        own |= {"sample_id": content_hash([extra["job_id"], view.index]), "query_scale": extra["metres_per_unit"]}
        if view.changed_px >= 0:
            own |= {"changed_px": view.changed_px, "label": int(view.changed_px > 0)}
        own |= {"K": scene.K.ravel().tolist(), "T_world_camera": np.linalg.inv(T).ravel().tolist(), **_orbit(T, aim)}
        yield f"{folder}/RGB/{view_name(view.index)}", {**shared, **own}


def _middle(scene: SceneFacts, key: str) -> np.ndarray:
    """Mean place (2,) or (3,) of the objects."""
    places = [np.array(thing.record[key], dtype=float) for thing in scene.objects]
    return np.mean([place[:2] if key == "location" else place[0] for place in places], axis=0)


def _object(e: SceneEvidence, thing: ObjectFacts) -> Columns:
    record = thing.record
    own: dict[str, Any] = {
        "row_type": "object",
        "kind": record["kind"],
        "label": int(thing.anomalous),
        "severity": record["severity"],
        "visible_px": max(thing.seen_px, default=0),
    }
    anomaly = record.get("anomaly")
    if not anomaly:
        return {**own, "method": "", "spec": "", "part_id": 0, "changed_px": 0}
    counted = np.array(anomaly["changed_px"])
    assert e.recipe is not None
    shown = shown_json(counted, e.recipe)
    own |= {key: anomaly[key] for key in ("kind", "severity", "method")}
    own |= {"spec": json.dumps(anomaly["spec"]), "part_id": anomaly["spec"]["part_id"]}
    return {**own, "changed_px": int(counted.max()), "detail": json.dumps(shown)}


def _orbit(T: np.ndarray, aim: np.ndarray) -> Columns:
    """Where a camera (extrinsic (4, 4)) stands about what it looks at."""
    offset = -T[:3, :3].T @ T[:3, 3] - aim
    radius = float(np.linalg.norm(offset))
    x, y, z = (-T[2, :3]).tolist()
    azimuth, elevation = np.degrees([np.arctan2(y, x), np.arcsin(np.clip(z, -1, 1))])
    return {"radius": radius, "azimuth_deg": float(azimuth), "elevation_deg": float(elevation)}


@CHECKS.check(ERROR, "A record that says two things of one anomaly teaches either.", SCENES, (made_here,))
def scene_anomalies_agree(e: SceneEvidence) -> Iterator[Finding]:
    """Kind and severity are those of `anomaly`, its kind that of its spec, its parts those of the object."""
    for scene in e.scenes:
        if absent := sorted(SECTIONS - scene.keys):
            yield Finding(scene.name, f"its record lacks {', '.join(absent)}")
        for thing in scene.objects:
            where = f"{scene.name} {thing.name}"
            try:
                for told in _contradictions(e, scene, thing):
                    yield Finding(where, told)
            except DAMAGE as error:
                yield Finding(where, f"its record lacks what ours have ({type(error).__name__}: {error})")


def _contradictions(e: SceneEvidence, scene: SceneFacts, thing: ObjectFacts) -> Iterator[str]:
    record, anomaly = thing.record, thing.record.get("anomaly")
    if absent := sorted(OURS - record.keys()):
        yield f"lacks {', '.join(absent)}"
    if bool(anomaly) != thing.anomalous:
        yield "is odd and tells of no anomaly" if thing.anomalous else "is normal and tells of an anomaly"
    if Counter(record["parts"].keys()) != Counter(record["part_labels"].keys()):
        yield "its parts are not those of its part_labels"
    if not anomaly:
        if record["severity"] != 0:
            yield f"is normal and of severity {record['severity']}"
        return
    spec = anomaly["spec"]
    for key, said, meant in (
        ("kind", record["kind"], anomaly["kind"]),
        ("kind", anomaly["kind"], spec["kind"]),
        ("severity", record["severity"], anomaly["severity"]),
    ):
        if said != meant:
            yield f"says {key} {said} and {meant}"
    touched, gone = set(anomaly["part_ids"]), set(anomaly["gone_part_ids"])
    there = {int(part) for part in record["parts"]}
    if not gone <= touched or (gone & there and "shows" not in record):
        yield f"parts {sorted(gone)} are gone, {sorted(touched)} are touched, {sorted(there)} are there"
    if len(anomaly["changed_px"]) != len(scene.views):
        yield f"counts changed pixels of {len(anomaly['changed_px'])} of {len(scene.views)} views"
    else:
        assert e.recipe is not None
        shown = shown_json(np.array(anomaly["changed_px"]), e.recipe)
        for key, said, meant in differing(anomaly, shown):
            yield f"says {key} {said}, its changed pixels {meant}"


@CHECKS.check(ERROR, "A scene short of views is short of what its protocol compares.", SCENES, (made_here,))
def scene_all_views(e: SceneEvidence) -> Iterator[Finding]:
    """Every scene has as many views as the recipe asks for, and names the sets of five of that number."""
    assert e.recipe is not None
    for scene in e.scenes:
        if len(scene.views) != e.recipe.camera.views:
            yield Finding(scene.name, f"has {len(scene.views)} views, the recipe asks for {e.recipe.camera.views}")
        if not alike(scene.extra.get("five_views"), five_views(e.recipe.camera.views)):
            yield Finding(scene.name, f"names the sets of five views {scene.extra.get('five_views')}")
