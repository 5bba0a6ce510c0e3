"""Checks of the manifest's rows and of a record's own words against each other, whatever the digests say."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.core.ids import content_hash
from datagen.formats.oddoneout import FOLDER, view_name
from datagen.kinds.oddoneout.record import shown_json
from datagen.kinds.oddoneout.verify.alike import differing
from datagen.kinds.oddoneout.verify.checks import SCENES
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.facts import ObjectFacts, SceneFacts
from datagen.kinds.oddoneout.verify.tables import CHECKS
from datagen.verify.check import ERROR, Finding
from datagen.verify.damage import DAMAGE
from datagen.verify.numbered import unnumbered

Columns = Mapping[str, Any]
MOVED = 1e-4
"""Metres and radians by which two forms of one pose may differ: the published ones are of single precision."""


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
            for column, said, meant in differing(told[path][0], wanted[path]):
                yield Finding(path, f"its row says {column} {said}, its record {meant}")
    for name in sorted(of_scene):
        yield Finding(f"{FOLDER}/{name}", "has rows and is not there")


@CHECKS.check(ERROR, "A row that was taken out takes what it tells of out of the count.", needs=(_rows,))
def scene_rows_numbered(e: SceneEvidence) -> Iterator[Finding]:
    """The rows of every scene's job are numbered without gaps."""
    yield from unnumbered(e.tree.rows)


def _wanted(e: SceneEvidence, scene: SceneFacts) -> Iterator[tuple[str, Columns]]:
    """Path -> the columns that its row has to have."""
    folder, extra = f"{FOLDER}/{scene.name}", scene.extra
    floor, sky = str(scene.world.get("floor_pbr", "")), str(scene.world.get("background_hdr", ""))
    shared = {
        "job_id": extra["job_id"],
        "split": extra["split"],
        "source": extra["source"],
        "shape_id": e.shape_of(scene),
        "query_scale": extra["metres_per_unit"],
    }
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
        for thing in scene.objects:
            where = f"{scene.name} {thing.name}"
            try:
                for told in _contradictions(e, scene, thing):
                    yield Finding(where, told)
            except DAMAGE as error:
                yield Finding(where, f"its record lacks what ours have ({type(error).__name__}: {error})")


def _contradictions(e: SceneEvidence, scene: SceneFacts, thing: ObjectFacts) -> Iterator[str]:
    record, anomaly = thing.record, thing.record.get("anomaly")
    if bool(anomaly) != thing.anomalous:
        yield "is odd and tells of no anomaly" if thing.anomalous else "is normal and tells of an anomaly"
    if Counter(record["parts"].keys()) != Counter(record["part_labels"].keys()):
        yield "its parts are not those of its part_labels"
    if not anomaly:
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


@CHECKS.check(ERROR, "An object stands where each form of its pose says.", SCENES)
def scene_poses_agree(e: SceneEvidence) -> Iterator[Finding]:
    """location, rotation_euler and scale are those of rotation_matrix; T_world_shape is, for every object alike."""
    for scene in e.scenes:
        origins: dict[str, np.ndarray] = {}
        for thing in scene.objects:
            where = f"{scene.name} {thing.name}"
            try:
                for told in _pose_faults(scene, thing, origins):
                    yield Finding(where, told)
            except DAMAGE as error:
                yield Finding(where, f"its pose cannot be read ({type(error).__name__}: {error})")
        usual = np.median(list(origins.values()), axis=0) if origins else np.zeros(3)
        for name, origin in origins.items():
            off = float(np.abs(origin - usual).max()) * float(scene.extra.get("metres_per_unit", 1.0))
            if off > MOVED:
                yield Finding(f"{scene.name} {name}", f"T_world_shape is {1000 * off:.2f} mm off its rotation_matrix")


def _pose_faults(scene: SceneFacts, thing: ObjectFacts, origins: dict[str, np.ndarray]) -> Iterator[str]:
    """What is wrong with an object's forms of its pose; where its origin lies in its shape's frame."""
    record = thing.record
    T = np.array(record["rotation_matrix"], dtype=float)
    R = T[:3, :3]
    if np.abs(R @ R.T - np.eye(3)).max() > MOVED or np.linalg.det(R) < 0:
        yield "its rotation_matrix is no rotation"
        return
    if "location" in record and np.abs(T[:3, 3] - np.array(record["location"], dtype=float)).max() > MOVED:
        yield "location is not that of its rotation_matrix"
    if "rotation_euler" in record:
        turned = Rotation.from_euler("xyz", np.array(record["rotation_euler"], dtype=float)).as_matrix()
        if np.abs(R - turned).max() > MOVED:
            yield "rotation_euler is not that of its rotation_matrix"
    if "scale" in record and np.abs(np.array(record["scale"], dtype=float) - 1).max() > MOVED:
        yield "scale is not 1: meshes have theirs baked"
    if "metres_per_unit" not in scene.extra or "T_world_shape" not in record:
        return
    baked = np.linalg.inv(T) @ np.array(record["T_world_shape"], dtype=float).reshape(4, 4)
    A = baked[:3, :3] / float(scene.extra["metres_per_unit"])
    if np.abs(A @ A.T - np.eye(3)).max() > MOVED or np.linalg.det(A) < 0:
        yield "T_world_shape is no turn and scale by metres_per_unit"
        return
    origins[thing.name] = -np.linalg.inv(baked[:3, :3]) @ baked[:3, 3]


@CHECKS.check(ERROR, "A scene short of views is short of what its protocol compares.", SCENES, (made_here,))
def scene_all_views(e: SceneEvidence) -> Iterator[Finding]:
    """Every scene has as many views as the recipe asks for, and names the sets of five of that number."""
    assert e.recipe is not None
    for scene in e.scenes:
        if len(scene.views) != e.recipe.camera.views:
            yield Finding(scene.name, f"has {len(scene.views)} views, the recipe asks for {e.recipe.camera.views}")
