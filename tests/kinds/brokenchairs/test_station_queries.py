"""Queries from a station's cameras: where they stand, how they frame a shape, what verify says."""

import json

import numpy as np
import pytest

from datagen.core.camera import Camera
from datagen.core.errors import RecipeError, UsageError
from datagen.kinds.brokenchairs.verify.checks import CHECKS
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.registry import open_tree
from datagen.pipeline.assets import open_assets
from datagen.recipe.station import read_station
from datagen.shapes.standins.brackets import write_brackets
from datagen.store.manifest import read_manifest
from datagen.verify.check import ERROR, FAIL
from tests.conftest import plan_of, run_build

STATION = """
size_px: [1280, 1024]
focal_mm: 25
pixel_um: 4.8
dome: {count: 6, radius_mm: 400}
cameras: [{name: top, position_mm: [0, 0, 420]}, {name: side, position_mm: [300, 0, 120]}]
"""
SETS = (
    *("query.size_px=96", "reference.views=4", "reference.points=500", "quality.ground_share=0.5"),
    *(
        "quality.ground_floor=0",
        "anomaly.views={2: 1}",
        "normal.views={6: 1}",
        "anomaly.slots={position: 1, missing: 1}",
    ),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("station")
    station = folder / "station.yaml"
    station.write_text(STATION)
    parts = write_brackets(folder, 1)
    run_build(folder / "data", 1, "inspection", (*SETS, f"query.station={station}"), parts)
    station.unlink()  # run.json holds it
    return folder


def faults(made):
    evidence = ChairEvidence(open_tree(made / "data"), source_options={"shapes": str(made / "parts")})
    return {r.name: r.examples for r in CHECKS.run(evidence, ()) if r.status == FAIL and r.level == ERROR}


def test_every_query_is_seen_from_a_camera_of_the_station(made):
    rows = [row for row in read_manifest(made / "data") if row["row_type"] == "sample"]
    run = json.loads((made / "data" / "run.json").read_text())
    assert run["recipe"]["query"]["station"]["dome"]["radius_mm"] == 400 and len(rows) >= 8
    stands = {(row["azimuth_deg"], row["elevation_deg"]) for row in rows}
    assert {(0.0, 89.9)} <= stands and 2 < len(stands) <= 8
    for row in rows:
        camera = Camera(row["azimuth_deg"], row["elevation_deg"], row["radius"], 96)
        K = np.reshape(row["K"], (3, 3))
        assert K[0, 0] == pytest.approx(camera.focal_px * row["radius"] / 2.5)
    assert not faults(made)


def test_a_query_from_elsewhere_is_found(made):
    path = made / "data" / "run.json"
    before = path.read_text()
    run = json.loads(before)
    run["recipe"]["query"]["station"]["dome"]["radius_mm"] = 500
    path.write_text(json.dumps(run))
    found = faults(made)
    path.write_text(before)
    assert any("no camera of the station" in str(examples) for examples in found.values())


def test_a_station_that_cannot_be_is_refused_by_key(tmp_path):
    path = tmp_path / "station.yaml"
    for text, why in (
        ("dome: {count: 3}", "dome.radius_mm"),
        ("rings: 1", "rings: unknown key, did you mean ring"),
        ("[", "no YAML"),
        ("", "no mapping"),
        ("- 1", "no mapping"),
        ("size_px: 640", r"size_px: a list is wanted; write \[640\]"),
        ("cameras: [{name: top}]", r"cameras.0: tell one of position_mm and T_camera_world"),
    ):
        path.write_text(text)
        with pytest.raises(RecipeError, match=why):
            read_station(path)
    path.write_text(STATION)
    for sets, why in (
        ([f"query.station={path}"], "units"),
        ([f"query.station={path}", "units=mm", "anomaly.views={9: 1}"], "asks for 9 views"),
        ([f"query.station={tmp_path / 'none.yaml'}"], "check --station or query.station"),
    ):
        with pytest.raises(RecipeError, match=why):
            plan_of(1, "quickstart", sets)


def test_distorted_pictures_agree_with_their_masks_and_say_so(made, tmp_path):
    station = tmp_path / "bent.yaml"
    lens = "lens: {k1: -0.3, k2: 0.1, p1: 0.002}"
    station.write_text(
        STATION.replace("position_mm: [300, 0, 120]}", "position_mm: [300, 0, 120], look_at_mm: [0, 9, 9]}")
    )
    station.write_text(station.read_text() + lens)
    out = tmp_path / "data"
    run_build(out, 1, "inspection", (*SETS, f"query.station={station}", "reference.at_query=true"), made / "parts")
    evidence = ChairEvidence(open_tree(out), source_options={"shapes": str(made / "parts")})
    assert not {r.name: r.examples for r in CHECKS.run(evidence, ()) if r.status == FAIL and r.level == ERROR}
    rows = [row for row in read_manifest(out) if row["row_type"] == "sample"]
    told = [json.loads(row["lens"]) for row in rows]
    assert {t["k1"] for t in told} == {-0.3} and any(len(t.get("turn", ())) == 9 for t in told)
    run = json.loads((out / "run.json").read_text())
    run["recipe"]["query"]["station"]["lens"]["k1"] = -0.2
    (out / "run.json").write_text(json.dumps(run))
    evidence = ChairEvidence(open_tree(out), source_options={"shapes": str(made / "parts")})
    found = {r.name: r.examples for r in CHECKS.run(evidence, ()) if r.status == FAIL and r.level == ERROR}
    assert "not the station" in str(found)


def test_a_lens_that_folds_its_picture_is_refused_before_anything_is_built(made, tmp_path):
    station = tmp_path / "folds.yaml"
    station.write_text(STATION + "lens: {k1: -20}")
    with pytest.raises(UsageError, match="folds the picture"):
        run_build(tmp_path / "data", 1, "inspection", (*SETS, f"query.station={station}"), made / "parts")


@pytest.mark.parametrize(
    ("camera", "why"),
    [
        ("position_mm: [0, 0, 12]", "camera top stands inside the part"),
        ("position_mm: [0, 0, 420], look_at_mm: [0, 0, 900]", "camera top does not see the part"),
        ("position_mm: [400, 0, -20]", "camera top stands 20 mm below the plane on which bracket_001 stands"),
    ],
)
def test_a_camera_that_sees_nothing_is_refused_before_anything_is_built(made, tmp_path, camera, why):
    station = tmp_path / "blind.yaml"
    station.write_text(STATION.replace("position_mm: [0, 0, 420]", camera))
    with pytest.raises(UsageError, match=why):
        run_build(tmp_path / "data", 1, "inspection", (*SETS, f"query.station={station}"), made / "parts")
    assert not (tmp_path / "data" / "manifest.parquet").exists()


def test_a_sensor_that_cuts_the_part_is_told(tmp_path):
    """The build shows the part whole: it says that the camera does not, before anything is made and at its end."""
    station, parts = tmp_path / "station.yaml", write_brackets(tmp_path, 1)
    station.write_text(STATION.replace("[1280, 1024]", "[640, 512]"))
    sets = (*SETS, f"query.station={station}", "anomaly.slots={missing: 1}")
    (told,) = open_assets(plan_of(1, "inspection", sets, parts))[1]
    assert told.count == 1 and "bracket_001: top, side, dome-00" in told.line and "cut at the border" in told.line
    assert told in run_build(tmp_path / "data", 1, "inspection", sets, parts).warnings
    station.write_text(STATION.replace("[1280, 1024]", "[2560, 2048]"))
    assert not open_assets(plan_of(1, "inspection", sets, parts))[1]
