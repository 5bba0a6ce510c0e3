"""Lights and backgrounds of a recipe: in pictures, manifest, run.json and verify, and what is refused."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from datagen.annotate.quality import grey
from datagen.core.errors import MissingDependency, RecipeError, UsageError
from datagen.kinds.brokenchairs.queries import scene_of
from datagen.kinds.brokenchairs.verify.checks import CHECKS
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.registry import open_tree
from datagen.pipeline.assets import open_library
from datagen.pipeline.jobs import prepare
from datagen.shapes.standins.brackets import write_brackets
from datagen.store.manifest import read_manifest
from datagen.verify.check import ERROR, FAIL, SKIPPED
from tests.conftest import plan_of, run_build

FEW = (
    *("query.size_px=128", "reference.views=4", "reference.points=500", "anomaly.views={2: 1}", "normal.views={4: 1}"),
    *("anomaly.slots={position: 1, missing: 1}", "quality.ground_floor=0"),
)
RING = "[{ring: {radius_mm: 60, height_mm: 160}}, {room: {strength: 0.3}}]"


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return write_brackets(tmp_path_factory.mktemp("brackets"), 1)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(3)
    for name in ("bench.png", "floor.jpg"):
        coarse = rng.integers(90, 220, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((320, 240), Image.Resampling.BICUBIC).save(folder / name)
    (folder / "notes.txt").write_text("no photo")
    return folder


def built(parts, out, *sets):
    run_build(out, 1, "inspection", (*FEW, *sets), parts)
    return [row for row in read_manifest(out) if row["row_type"] == "sample"]


def faults(parts, out):
    evidence = ChairEvidence(open_tree(out), source_options={"shapes": str(parts)})
    return {r.name: r.examples for r in CHECKS.run(evidence, ()) if r.status == FAIL and r.level == ERROR}


def picture(out, row):
    return np.asarray(Image.open(out / row["query_path"]))


def test_photos_lie_behind_are_named_and_are_checked(parts, photos, tmp_path):
    rows = built(parts, tmp_path / "a", f"query.background={{photos: {photos}}}", f"query.lights={RING}")
    told = [json.loads(row["background"]) for row in rows]
    assert {t["photo"] for t in told} == {"bench.png", "floor.jpg"} and {row["label"] for row in rows} == {0, 1}
    for t in told:
        assert t["sha256"] == hashlib.sha256((photos / t["photo"]).read_bytes()).hexdigest()
    run = json.loads((tmp_path / "a" / "run.json").read_text())
    assert run["recipe"]["query"]["lights"][0]["ring"]["radius_mm"] == 60
    assert run["recipe"]["query"]["background"]["photos"] == str(photos)
    assert not faults(parts, tmp_path / "a")
    again = built(parts, tmp_path / "b", f"query.background={{photos: {photos}}}", f"query.lights={RING}")
    assert [row["sha256"] for row in rows] == [row["sha256"] for row in again]


def test_a_picture_on_another_photo_is_found(parts, photos, tmp_path):
    rows = built(parts, tmp_path / "a", f"query.background={{photos: {photos}}}")
    path = tmp_path / "a" / rows[0]["query_path"]
    shown = np.array(Image.open(path))
    shown[:40] = np.random.default_rng(0).integers(0, 60, shown[:40].shape)
    Image.fromarray(shown).save(path)
    assert "pictures_show_geometry" in faults(parts, tmp_path / "a")


def test_another_photo_makes_other_jobs_and_white_makes_those_of_before(parts, photos, tmp_path):
    shared = tmp_path / "photos"
    shared.mkdir()
    Image.new("RGB", (64, 64), "grey").save(shared / "a.png")
    sets = (*FEW, f"query.background={{photos: {shared}}}")
    first = [job.job_id for job in plan_of(1, "inspection", sets, parts).jobs()]
    Image.new("RGB", (64, 64), "blue").save(shared / "a.png")
    assert not set(first) & {job.job_id for job in plan_of(1, "inspection", sets, parts).jobs()}
    plain = [job.job_id for job in plan_of(1, "inspection", FEW, parts).jobs()]
    white = plan_of(1, "inspection", (*FEW, "query.background=white"), parts)
    assert [job.job_id for job in white.jobs()] == plain
    assert not {"lights", "background"} & set(white.run_record()["recipe"]["query"])


@pytest.mark.parametrize(
    ("background", "told"), [('{colour: "#205080"}', "colour"), ("{floor: floor_02_tiles, tile_mm: 80}", "floor")]
)
def test_colours_and_floors(parts, tmp_path, background, told):
    rows = built(parts, tmp_path / "a", f"query.background={background}")
    assert rows and all(told in json.loads(row["background"]) for row in rows)
    levels = [grey(picture(tmp_path / "a", row))[0, 0] for row in rows]
    assert max(levels) < 230 and not faults(parts, tmp_path / "a")


def test_a_backlit_build_passes_its_checks(parts, tmp_path):
    lights = "[{backlight: {size_mm: [500, 500]}}]"
    rows = built(parts, tmp_path / "a", f"query.lights={lights}")
    assert len(rows) > 4 and not faults(parts, tmp_path / "a")
    shown = grey(picture(tmp_path / "a", rows[0]))
    assert shown[0, 0] > 240 and shown.min() < 10


@pytest.mark.parametrize(
    ("sets", "error", "why"),
    [
        ("query.background={photos: /nowhere}", MissingDependency, "/nowhere is no folder"),
        ("query.background={floor: floor_99}", MissingDependency, "neither a folder nor a floor"),
        ("query.background=black", RecipeError, "query.background.*write white"),
        ("query.background={colour: red}", RecipeError, "query.background.colour"),
        ('query.background={colour: "#102030", photos: x}', RecipeError, "one of colour, photos and floor"),
        ("query.lights=[{ring: {radius_mm: -5, height_mm: 10}}]", RecipeError, "lights.0.ring.radius_mm"),
        ("query.lights=[{room: {}}]", RecipeError, "room alone"),
        ("query.lights=[{point: {position_mm: [0, 0, 3]}}]", UsageError, "inside"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_built(parts, tmp_path, sets, error, why):
    with pytest.raises(error, match=why):
        built(parts, tmp_path / "a", sets)
    assert not (tmp_path / "a" / "manifest.parquet").exists()


def test_lights_need_a_unit_and_a_pass_of_the_ground():
    for more, why in (((), "units"), (("units=mm", "render.ground_samples=0"), "ground_samples")):
        with pytest.raises(RecipeError, match=why):
            plan_of(1, "quickstart", (f"query.lights={RING}", *more))


def test_damaged_and_missing_photos_are_refused_by_name(parts, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    with pytest.raises(MissingDependency, match="holds no photo"):
        built(parts, tmp_path / "a", f"query.background={{photos: {folder}}}")
    (folder / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    with pytest.raises(MissingDependency, match=r"cut\.jpg"):
        built(parts, tmp_path / "a", f"query.background={{photos: {folder}}}")


def steel_folder(folder):
    """An image set as libraries of PBR textures ship them."""
    folder.mkdir()
    rng = np.random.default_rng(5)
    streaks = np.repeat(rng.integers(120, 160, (64, 1, 1), dtype=np.uint8), 64, axis=1)
    Image.fromarray(np.repeat(streaks, 3, axis=2)).save(folder / "metal_steel_basecolor.png")
    Image.fromarray(streaks[..., 0]).save(folder / "metal_steel_roughness.png")
    return folder


BY_PART = '{"screw_*": {colour: "#b0b4b8", metallic: 1, roughness: 0.2}, bracket: {colour: "#203f80"}, "*": FOLDER}'


def test_parts_wear_what_the_recipe_says_by_name(parts, tmp_path):
    folder = steel_folder(tmp_path / "steel")
    table = BY_PART.replace("FOLDER", f"{{folder: {folder}, tile_mm: 40}}")
    sets = ("variation.colour=0", "variation.wear=[0, 0]", f"materials.by_part={table}")
    rows = built(parts, tmp_path / "a", *sets)
    assert len({row["material_ids"].__repr__() for row in rows}) <= 2 and not faults(parts, tmp_path / "a")
    worn = set(rows[0]["material_ids"])
    assert worn == {
        "screw_*: #b0b4b8 metallic 1 roughness 0.2",
        "bracket: #203f80 metallic 0 roughness 0.5",
        *(name for name in worn if name.startswith("*: ")),
    }
    assert len(worn) == 3
    plan = plan_of(1, "inspection", (*FEW, *sets), parts)
    context = plan.building.context(plan, open_library(plan), "cycles")
    job = next(job for job in plan.jobs() if job.job_type == "normal")
    scene = scene_of(context, prepare(job, context).shots[0])
    steel = next(m for name, m in scene.materials.items() if name.startswith("*: "))
    shape = context.shapes.load(job.shape_id)
    assert steel.tile_size == pytest.approx(40 * shape.mm * plan.recipe.query.scale) and "roughness" in steel.maps
    dressed = {part.part_id: scene.materials[part.surface.material_id] for part in scene.objects[0].parts}
    for part in shape.parts:
        metal = dressed[part.part_id].metallic
        assert metal == {"plate": steel.metallic, "bracket": 0.0}.get(part.name, 1.0), part.name


@pytest.mark.parametrize(
    ("table", "error", "why"),
    [
        ('{"nut_*": {colour: "#808080"}}', UsageError, r"materials.by_part: no part is called nut_\*"),
        ("{plate: /nowhere}", MissingDependency, "materials.by_part.plate"),
        ("{plate: {metallic: 1}}", RecipeError, "one of folder and colour"),
        ('{plate: {colour: "#808080", roughness: 2}}', RecipeError, "roughness"),
        ("{plate: {folder: x, roughness: 0.1}}", RecipeError, "roughness belongs to colour"),
    ],
)
def test_materials_by_part_that_cannot_be_are_refused(parts, tmp_path, table, error, why):
    with pytest.raises(error, match=why):
        built(parts, tmp_path / "a", f"materials.by_part={table}")
    with pytest.raises(error, match=why):
        run_build(tmp_path / "b", 1, "quickstart", (f"materials.by_part={table}",))


def test_without_by_part_nothing_of_a_run_changes(parts):
    first, again = (plan_of(1, "inspection", sets, parts) for sets in (FEW, (*FEW, "materials.by_part={}")))
    assert [j.job_id for j in first.jobs()] == [j.job_id for j in again.jobs()]
    assert "by_part" not in first.run_record()["recipe"]["materials"]


def test_stressed_pictures_are_named_and_labelled_by_their_meshes(parts, tmp_path):
    asked = "variation.reflection_stress={share: 0.5, light_deg: 45, tilt_deg: 1.5}"
    rows = built(parts, tmp_path / "a", asked, "normal.views={12: 1}", "anomaly.slots={position: 4, missing: 2}")
    told = [json.loads(row["stress"] or "{}") for row in rows]
    for label in (0, 1):
        assert {bool(t) for t, row in zip(told, rows, strict=True) if row["label"] == label} == {True, False}
    stressed = [t for t in told if t]
    assert all(0 < abs(t["light_deg"]) <= 45 and len(t["parts"]) == 6 for t in stressed)
    assert max(abs(a) for t in stressed for g in t["parts"].values() for a in g["tilt_deg"]) <= 1.5
    turns = {}
    for t in stressed:
        turns.setdefault(json.dumps(t["parts"]), set()).add(t["light_deg"])
    assert max(map(len, turns.values())) > 1, "light moves between pictures of one dress"
    assert not faults(parts, tmp_path / "a")


def test_without_stress_there_is_no_column(parts, tmp_path):
    (row, *_) = built(parts, tmp_path / "a")
    assert not {"stress", "background", "lens"} & set(row)
    run = json.loads((tmp_path / "a" / "run.json").read_text())
    assert "reflection_stress" not in run["recipe"]["variation"]


def test_the_card_tells_lights_and_background_and_verify_goes_on_without_the_photos(parts, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.effect_noise((200, 150), 40).convert("RGB").save(folder / "a.png")
    built(parts, tmp_path / "a", f"query.background={{photos: {folder}}}", f"query.lights={RING}")
    card = (tmp_path / "a" / "README.md").read_text()
    assert "* ring: radius_mm 60.0" in card and "30% of the light below is left" in card and f"photos {folder}" in card
    assert not faults(parts, tmp_path / "a")
    (folder / "a.png").unlink()
    assert not faults(parts, tmp_path / "a")
    evidence = ChairEvidence(open_tree(tmp_path / "a"), source_options={"shapes": str(parts)})
    skipped = {r.name: r.why for r in CHECKS.run(evidence, ()) if r.status == SKIPPED}
    assert "photos" in skipped["rows_of_plan"]
