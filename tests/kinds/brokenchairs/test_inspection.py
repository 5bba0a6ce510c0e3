"""Inspection: good parts within tolerance, defects outside by what the meshes measure, and `verify` that says so."""

import json
import shutil
from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest
import trimesh

from datagen.anomalies.variant import read_variant
from datagen.core.errors import RecipeError, UsageError
from datagen.core.ids import canonical_json
from datagen.geometry.deviation import furthest, rigid_motion, volume_of
from datagen.kinds.brokenchairs.drawing import check_drawing
from datagen.kinds.brokenchairs.state import state_of
from datagen.kinds.brokenchairs.verify.checks import CHECKS
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.registry import load_recipe, open_tree
from datagen.recipe.loader import find_recipe
from datagen.shapes.standins.brackets import write_brackets
from datagen.store import manifest
from datagen.store.manifest import read_manifest
from datagen.verify.check import ERROR, FAIL, SKIPPED
from tests.conftest import plan_of, run_build, shared
from tests.kinds.brokenchairs.verify.editor import Editor

TOLERANT = "tolerance.by_part={'screw_*': {position_mm: 0.5}}"
TOGETHER = "tolerance.together={head: [screw_1, screw_2]}"
SETS = (
    *("query.size_px=96", "reference.views=8", "reference.points=1000", "quality.ground_share=0.5"),
    *("quality.ground_floor=0", "anomaly.views={2: 1}", "normal.views={8: 1}", "anomaly.min_changed_px=2", TOGETHER),
    "anomaly.slots={position: 3, rotation: 2, missing: 1, broken: 1, scratch: 1, dent: 1, burr: 1, crack: 1}",
    "tolerance.by_part={plate: {position_mm: 0.02, rotation_deg: 0.05}}",
)
BANDS = ("good_parts_within_tolerance", "defects_outside_tolerance", "deviations_measured")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two brackets with every kind of defect."""

    def make(folder):
        run_build(folder / "data", 2, "inspection", SETS, write_brackets(folder, 2))

    return shared(tmp_path_factory, "brackets", make)


@pytest.fixture(scope="module")
def rows(made):
    return [row for row in read_manifest(made / "data") if row["row_type"] == "sample"]


@pytest.fixture(scope="module")
def plan(made):
    return plan_of(2, "inspection", SETS, made / "parts")


def failures(root, made, names=()):
    evidence = ChairEvidence(open_tree(root), source_options={"shapes": str(made / "parts")})
    return {r.name: r for r in CHECKS.run(evidence, names) if r.status == FAIL and r.level == ERROR}


def test_the_dataset_verifies(made):
    found = failures(made / "data", made)
    assert not found, {name: r.examples[:2] for name, r in found.items()}
    evidence = ChairEvidence(open_tree(made / "data"), source_options={"shapes": str(made / "parts")})
    results = {r.name: r for r in CHECKS.run(evidence, BANDS)}
    assert all(r.status == "pass" and r.checked == len(evidence.queries) for r in results.values())


def test_every_kind_of_defect_is_there(rows):
    kinds = Counter(row["kind"] for row in rows)
    assert set(kinds) == {"normal", "position", "rotation", "missing", "broken", "scratch", "dent", "burr", "crack"}


def test_good_parts_fill_their_band_and_defects_lie_outside(rows):
    good = [row for row in rows if not row["label"]]
    assert all(0 < row["tolerance_ratio"] <= 1 for row in good)
    assert max(row["tolerance_ratio"] for row in good) > 0.9
    moved = [row for row in rows if row["kind"] in ("position", "rotation")]
    assert all(row["tolerance_ratio"] > 1 for row in moved)
    assert all(0.19 <= row["magnitude"] <= 5.25 for row in rows if row["kind"] == "position")
    assert all(0.47 <= row["magnitude"] <= 10.5 for row in rows if row["kind"] == "rotation")
    assert all(row["magnitude"] > 0 and row["magnitude_unit"] for row in rows if row["label"])


def test_deviations_are_those_of_the_files(made, rows, plan):
    """Measured here from the files of the shapes alone, in their own unit, by the motions that the row states."""
    for row in rows[::3]:
        shape = plan.source.load(row["shape_id"])
        state = state_of(row)
        nominal, placed = state.nominal(shape), state.placed(shape)
        scene = trimesh.load(made / "parts" / f"{row['shape_id']}.glb")
        for before, after in zip(nominal.parts, placed.parts, strict=True):
            assert sorted(before.mesh.extents / shape.mm)[0] > 0
            raw = scene.geometry[before.name]
            assert volume_of(before.mesh) / shape.mm**3 == pytest.approx(1e9 * raw.volume, rel=1e-3)
            motion = rigid_motion(before.mesh, after.mesh)
            told = np.array(state.jitter.get(before.part_id, np.zeros(6)))
            turned = np.radians(state.tray[0])
            c, s = np.cos(turned), np.sin(turned)
            on_tray = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
            assert np.allclose(motion.shift / shape.mm, on_tray @ told[:3], atol=1e-5)
            assert motion.angle_deg == pytest.approx(np.linalg.norm(told[3:]), abs=1e-5)


def test_sub_assemblies_move_as_one(rows, plan):
    seen = 0
    for row in rows:
        shape = plan.source.load(row["shape_id"])
        ids = {part.name: part.part_id for part in shape.parts}
        jitter = state_of(row).jitter
        if ids["screw_1"] in jitter:
            one, two, alone = (np.array(jitter[ids[name]]) for name in ("screw_1", "screw_2", "screw_3"))
            assert np.allclose(one[3:], two[3:]) and not np.allclose(one[3:], alone[3:])
            seen += 1
    assert seen > len(rows) / 2


def test_each_variation_is_in_the_manifest_and_can_be_turned_off(made, tmp_path, rows):
    assert all(json.loads(row["tray"]) and json.loads(row["looks"]) and json.loads(row["jitter"]) for row in rows)
    assert len({row["light_id"] for row in rows}) > 3
    off = ("variation.jitter=false", "variation.colour=0", "variation.wear=[0, 0]", "variation.tray={}")
    run_build(
        tmp_path / "plain",
        1,
        "inspection",
        (*SETS, *off, "light.setups=1", "anomaly.slots={position: 1}"),
        made / "parts",
    )
    plain = [row for row in read_manifest(tmp_path / "plain") if row["row_type"] == "sample"]
    assert not any(row.get("tray") or row.get("looks") or row.get("jitter") for row in plain)
    assert {row["light_id"] for row in plain} == {0} and len({row["material_ids"] for row in map(frozen, plain)}) == 1
    assert not failures(tmp_path / "plain", made)


def frozen(row):
    return {**row, "material_ids": tuple(row["material_ids"])}


def test_labels_tell_nothing_of_the_variation(rows):
    """Jitter of parts without a defect, the tray and the looks are drawn alike for either label."""
    for label in (0, 1):
        mine = [row for row in rows if row["label"] == label]
        parts = [np.linalg.norm(m[:3]) for row in mine for m in json.loads(row["jitter"]).values()]
        turns = [abs(json.loads(row["tray"])[0]) for row in mine]
        assert 0.05 < np.mean(parts) < 0.1 and 2 < np.mean(turns) < 8


FAULTS = {}


def fault(*found_by):
    def register(function):
        FAULTS[function.__name__] = (found_by, function)
        return function

    return register


def first(editor, kind):
    return next(row for row in editor.samples() if row["kind"] == kind)


@fault("good_parts_within_tolerance")
def good_part_far_off(editor):
    row = first(editor, "normal")
    jitter = json.loads(row["jitter"])
    jitter[max(jitter)][:3] = [0.5, 0, 0]
    row["jitter"] = canonical_json(jitter)


@fault("good_parts_within_tolerance")
def good_part_turned_beside_a_defect(editor):
    row = first(editor, "missing")
    jitter = json.loads(row["jitter"])
    other = next(part for part in sorted(jitter) if int(part) != row["part_id"])
    jitter[other][3:] = [0, 0, 2.0]
    for one in editor.job(row):
        one["jitter"] = canonical_json(jitter)


@fault("defects_outside_tolerance")
def defect_within_tolerance(editor):
    row = first(editor, "position")
    spec = json.loads(row["spec"])
    editor.put_spec(row, {**spec, "translation": [1e-6, 0.0, 0.0]})


@fault("deviations_measured")
def deviation_told_larger(editor):
    row = first(editor, "position")
    row["deviation_mm"] += 0.05


@fault("deviations_measured")
def size_of_a_scratch_told_larger(editor):
    row = first(editor, "scratch")
    row["magnitude"] *= 1.5


@fault("deviations_measured")
def ratio_told_smaller(editor):
    row = first(editor, "normal")
    row["tolerance_ratio"] *= 0.5


@fault("deviations_measured")
def other_tolerance(editor):
    row = first(editor, "rotation")
    row["tolerance_deg"] += 0.5


@pytest.mark.parametrize("name", FAULTS)
def test_planted_faults_are_found(name, made, tmp_path, monkeypatch):
    found_by, inject = FAULTS[name]
    editor = Editor(made / "data", tmp_path / "copy")
    inject(editor)
    columns = pq.read_schema(made / "data" / "manifest.parquet")
    monkeypatch.setattr("tests.kinds.brokenchairs.verify.editor.SCHEMA", columns)
    editor.save()
    found = failures(editor.root, made, BANDS)
    assert set(found) & set(found_by), f"found by {sorted(found) or 'nothing'}"


def test_chairs_say_nothing_of_it(fake_dataset):
    columns = pq.read_schema(fake_dataset / "manifest.parquet").names
    assert not set(columns) & {"magnitude", "deviation_mm", "tolerance_ratio", "jitter", "tray", "looks"}
    assert manifest.WHERE_SAID.keys() >= {"magnitude", "deviation_mm", "jitter"}
    evidence = ChairEvidence(open_tree(fake_dataset))
    assert {r.status for r in CHECKS.run(evidence, BANDS)} == {"skipped"}


def test_a_dent_is_measured_on_the_surface(rows, plan, made):
    evidence = ChairEvidence(open_tree(made / "data"), source_options={"shapes": str(made / "parts")})
    for row in rows:
        if row["kind"] in ("dent", "scratch", "burr"):
            again = evidence.source.remade(row, evidence.recipe)
            whole = furthest(again.new_mesh, again.old_mesh) / again.normal.mm
            assert whole == pytest.approx(row["surface_mm"], abs=0.01)


def test_a_pattern_may_be_of_a_shape_beyond_the_limit(made, tmp_path):
    """A dry look at one shape of several does not refuse what another one has."""
    folder = tmp_path / "parts"
    shutil.copytree(made / "parts", folder)
    trimesh.creation.box((0.01, 0.02, 0.03)).export(folder / "block.glb")
    for limit in (1, 3):
        for pattern in ("screw_1", "component_1"):
            check_drawing(plan_of(limit, "inspection", (f"anomaly.parts={{dent: {{{pattern}: 1}}}}",), folder))
    with pytest.raises(UsageError, match="no part is called nut"):
        check_drawing(plan_of(1, "inspection", ("anomaly.parts={dent: {nut: 1}}",), folder))


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        (
            "tolerance.by_part={'screw_*': {position_mm: 1}, screw_1: {position_mm: 0.01}}",
            r"screw_1 is never used.*screw_\*",
        ),
        ('materials.by_part={\'*\': {colour: "#cc0000"}, plate: {colour: "#0000cc"}}', r"plate is never used"),
        ("anomaly.parts={dent: {'*': 1, screw_2: 0}}", r"screw_2 is never used"),
        ("tolerance.together={a: [bracket, screw_1], b: [screw_1, screw_2]}", "screw_1 of .* is in a and in b"),
    ],
)
def test_patterns_that_can_never_hold_are_refused(made, setting, why):
    with pytest.raises(UsageError, match=why):
        check_drawing(plan_of(1, "inspection", (setting,), made / "parts"))


def test_what_a_part_leaves_out_is_as_for_all_parts():
    told = load_recipe(
        find_recipe("inspection"), ["tolerance={position_mm: 0.1, rotation_deg: 0.3}", TOLERANT]
    ).tolerance
    assert (told.of(["screw_1"]).position_mm, told.of(["screw_1"]).rotation_deg) == (0.5, 0.3)
    assert told.of(["plate"]).position_mm == 0.1


def test_a_build_of_wrong_variants_verifies(made, tmp_path):
    wrong = [str(path) for path in sorted((made / "variants").glob("*.glb"))]
    sets = (*SETS[:-3], "anomaly.slots={swapped: 1}", f"anomaly.swapped.variants={{'screw_*': {json.dumps(wrong)}}}")
    run_build(tmp_path / "data", 1, "inspection", sets, made / "parts")
    assert any(row["kind"] == "swapped" for row in read_manifest(tmp_path / "data") if row["row_type"] == "sample")
    assert not failures(tmp_path / "data", made)


def test_without_its_variants_a_build_is_not_held_against_its_plan(made, tmp_path):
    """Paths of a recipe are looked up from where datagen is called, which need not be where the build was."""
    shutil.copytree(made / "variants", tmp_path / "variants")
    wrong = [str(path) for path in sorted((tmp_path / "variants").glob("*.glb"))]
    sets = (*SETS[:-3], "anomaly.slots={swapped: 1}", f"anomaly.swapped.variants={{'screw_*': {json.dumps(wrong)}}}")
    run_build(tmp_path / "data", 1, "inspection", sets, made / "parts")
    shutil.rmtree(tmp_path / "variants")
    evidence = ChairEvidence(open_tree(tmp_path / "data"), source_options={"shapes": str(made / "parts")})
    found = {result.name: result for result in CHECKS.run(evidence, ())}
    assert not [result for result in found.values() if result.status == FAIL and result.level == ERROR]
    assert found["rows_of_plan"].status == SKIPPED and "screw_long.glb, which the recipe names, is not here" in str(
        found["rows_of_plan"]
    )


def test_a_variant_in_another_unit_is_refused_by_name(made, tmp_path):
    """STL says no unit: its numbers are those of the assembly's file, a GLB in metres."""
    scene = trimesh.load(made / "variants" / "screw_long.glb", force="mesh")
    for factor, said in ((1000.0, r"screw\.stl is [\d,]+ times as large as screw_1 of bracket_00"), (1e-3, "th of")):
        scene.copy().apply_scale(factor).export(tmp_path / "screw.stl")
        setting = f"anomaly.swapped.variants={{'screw_*': ['{tmp_path / 'screw.stl'}']}}"
        with pytest.raises(UsageError, match=said):
            check_drawing(plan_of(1, "inspection", (setting,), made / "parts"))
        read_variant.cache_clear()


def test_the_reference_from_a_query_camera_has_every_part_in_its_place(made, tmp_path):
    sets = (*SETS[:-2], "reference.at_query=true", "anomaly.slots={position: 1}", "normal.views={3: 1}")
    sets = (
        *sets,
        "tolerance={position_mm: 2, rotation_deg: 2}",
        "anomaly.position={mm: [3, 5]}",
        "anomaly.rotation={deg: [3, 9]}",
    )
    sets, shown = (*sets, "variation.tray={}"), {}
    for jitter in ("true", "false"):
        root = tmp_path / jitter
        run_build(root, 1, "inspection", (*sets, f"variation.jitter={jitter}"), made / "parts")
        shown[jitter] = {path.name: path.read_bytes() for path in root.rglob("view_old_*_normal_depth.npy")}
    assert len(shown["true"]) == 3 and shown["true"] == shown["false"]


def test_pairs_of_anomalous_references(made, tmp_path):
    """Twins stand as their anomalous pictures do, off their places alike, and verify measures both."""
    sets = (*SETS, "reference.counterfactual=true", "variation.tray={}", "anomaly.slots={position: 1, dent: 1}")
    run_build(tmp_path / "data", 1, "inspection", (*sets, "normal.views={2: 1}"), made / "parts")
    found = failures(tmp_path / "data", made)
    assert not found, {name: r.examples[:2] for name, r in found.items()}
    rows = [row for row in read_manifest(tmp_path / "data") if row["row_type"] == "sample"]
    twins = {row["detail"]: row for row in rows if row["reason"] == "twin"}
    defects = [row for row in rows if row["label"]]
    assert defects and len(twins) == len(defects)
    for row in defects:
        twin = twins[row["sample_id"]]
        assert all(twin[name] == row[name] for name in ("jitter", "looks", "T_shape_source", "material_ids"))
        assert twin["tolerance_ratio"] <= 1 and twin["magnitude"] == 0
    with pytest.raises(RecipeError, match=r"leave variation\.tray out"):
        plan_of(1, "inspection", ("reference.counterfactual=true",), made / "parts")
