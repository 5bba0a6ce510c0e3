"""verify of scenes: rows and records that were edited, with digests renewed or not, are told by what they say."""

from pathlib import Path

import pytest

from datagen.kinds.oddoneout.verify.alike import alike, differing
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.rows import scene_rows_agree
from datagen.kinds.registry import open_tree
from datagen.verify.check import FAIL, PASS
from tests.kinds.oddoneout.faults import edit, edit_rows, odd_of, odd_scene, run_named

NAMES = ("scene_rows_agree", "scene_anomalies_agree", "scene_poses_agree", "scene_all_views")


@pytest.mark.parametrize("name", NAMES)
def test_clean_scenes_pass(tiny_scenes: Path, name: str) -> None:
    result = run_named(tiny_scenes, name)
    assert result.status == PASS, result.examples


CHANGED = {
    ("scene", "detail"): "forest.exr",
    ("scene", "material_ids"): ["floor_00_wood"],
    ("scene", "query_scale"): 0.1,
    ("scene", "split"): "test",
    ("scene", "label"): 2,
    ("object", "method"): "vertex",
    ("object", "severity"): 0.9,
    ("object", "spec"): "{}",
    ("object", "part_id"): 99,
    ("object", "changed_px"): 1,
    ("object", "visible_px"): 1,
    ("object", "detail"): "{}",
    ("object", "kind"): "similar_",
    ("object", "label"): 5,
    ("sample", "K"): [1.0] * 9,
    ("sample", "T_world_camera"): [0.0] * 16,
    ("sample", "azimuth_deg"): 400.0,
    ("sample", "elevation_deg"): -3.0,
    ("sample", "radius"): 9.0,
    ("sample", "visible_px"): 1,
    ("sample", "changed_px"): -1,
    ("sample", "label"): 5,
    ("sample", "sample_id"): "x",
    ("sample", "material_ids"): [],
}


def test_every_column_of_a_row_is_held_against_the_record(spoiled: Path) -> None:
    folder = odd_scene(spoiled).name

    def change(rows: list[dict]) -> None:
        for (kind, column), value in CHANGED.items():
            for row in rows:
                if row["row_type"] == kind and folder in row["query_path"]:
                    row[column] = value

    edit_rows(spoiled, change)
    result = run_named(spoiled, "scene_rows_agree")
    assert result.status == FAIL
    told = {finding.message for finding in scene_rows_agree(SceneEvidence(open_tree(spoiled)))}
    for _, column in CHANGED:
        assert any(f"its row says {column} " in message for message in told), column


def test_rows_that_are_missing_or_doubled_are_told(spoiled: Path) -> None:
    def change(rows: list[dict]) -> list[dict]:
        views = [row for row in rows if row["row_type"] == "sample"]
        return [row for row in rows if row is not views[0]] + [views[1]]

    edit_rows(spoiled, change)
    told = sorted(finding.message for finding in run_named(spoiled, "scene_rows_agree").examples)
    assert told == ["has 2 rows", "has no row"]
    assert run_named(spoiled, "scene_rows_numbered").count == 1


def test_a_rejection_taken_out_of_the_middle_is_told(spoiled: Path) -> None:
    assert run_named(spoiled, "scene_rows_numbered").status == PASS
    edit_rows(spoiled, lambda rows: [row for row in rows if row is not rows[1]])
    (finding,) = run_named(spoiled, "scene_rows_numbered").examples
    assert finding.message == "its rows lack number 1: a row was taken out"


def test_a_view_taken_away_everywhere_is_told(spoiled: Path) -> None:
    """Pictures, masks, rows, cameras and counts of the last view: nothing names it any more."""
    folder = odd_scene(spoiled)
    for path in [*folder.rglob("*0005.png"), *folder.rglob("*0005.exr")]:
        path.unlink()
    edit_rows(spoiled, lambda rows: [r for r in rows if not r["query_path"].endswith(f"{folder.name}/RGB/0005.png")])

    def change(table: dict) -> None:
        table["camera"]["poses"].pop()
        for thing in table["objects"]:
            if thing["anomaly"]:
                thing["anomaly"]["changed_px"].pop()

    edit(folder, change)
    result = run_named(spoiled, "scene_all_views")
    assert result.count == 1 and "has 5 views, the recipe asks for 6" in result.examples[0].message


@pytest.mark.parametrize(
    "change",
    [
        lambda odd: odd["anomaly"].update(kind="bend_"),
        lambda odd: odd["anomaly"].update(severity=3 * odd["severity"]),
        lambda odd: odd["anomaly"]["spec"].update(kind="dent"),
        lambda odd: odd["anomaly"].update(gone_part_ids=[int(next(iter(odd["parts"])))]),
        lambda odd: odd["anomaly"].update(views_showing=0),
        lambda odd: odd["anomaly"]["changed_px"].pop(),
        lambda odd: odd["parts"].popitem(),
        lambda odd: odd.update(anomaly=None),
        lambda odd: odd["anomaly"].pop("spec"),
    ],
)
def test_a_record_that_contradicts_itself_is_told(spoiled: Path, change) -> None:
    edit(odd_scene(spoiled), lambda table: change(odd_of(table)))
    assert run_named(spoiled, "scene_anomalies_agree").status == FAIL


@pytest.mark.parametrize(
    "change",
    [
        lambda thing: thing["location"].__setitem__(0, thing["location"][0] + 0.001),
        lambda thing: thing["rotation_euler"].__setitem__(2, thing["rotation_euler"][2] + 0.01),
        lambda thing: thing.update(scale=[1.0, 1.0, 1.1]),
        lambda thing: thing["T_world_shape"][0].__setitem__(3, thing["T_world_shape"][0][3] + 0.001),
        lambda thing: thing["T_world_shape"][0].__setitem__(0, 2 * thing["T_world_shape"][0][0] + 1),
        lambda thing: thing["rotation_matrix"][0].__setitem__(0, 3.0),
    ],
)
def test_a_pose_of_two_forms_is_told(spoiled: Path, change) -> None:
    edit(odd_scene(spoiled), lambda table: change(table["objects"][1]))
    assert run_named(spoiled, "scene_poses_agree").status == FAIL


def test_two_tables_say_the_same_up_to_the_last_digits() -> None:
    assert alike({"a": [1, 2.0000001]}, {"a": (1.0, 2)}) and not alike({"a": 1}, {"b": 1}) and not alike([1], [1, 2])
    assert not alike(True, 2) and alike("x", "x") and not alike(1, "1")
    assert list(differing({"spec": '{"b": 1, "a": 2}', "n": 1}, {"spec": '{"a":2,"b":1}'})) == []
    assert list(differing({"n": 1}, {"n": 2, "m": 3})) == [("n", "1", "2"), ("m", "None", "3")]
