"""Bad input through the real command: one line, the right exit code, nothing half written.

The wording is in golden/errors.txt; `UPDATE_GOLDEN=1 pytest tests/cli` rewrites it for review.
"""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from datagen.shapes.standins.brackets import write_brackets
from tests.conftest import ROOT
from tests.helpers.forked_commands import run_forked

GOLDEN = Path(__file__).parent / "golden" / "errors.txt"
CHAIRS = ROOT / "assets" / "partnet" / "chair"
FAST = [
    "--renderer",
    "fake",
    "--executor",
    "serial",
    "--set",
    "anomaly.slots_per_shape=1",
    "--set",
    "normal.views={1: 1}",
]


def datagen(*arguments, cwd):
    return run_forked(arguments, {"COLUMNS": "200"}, cwd=cwd)


def one_chair(folder: Path) -> Path:
    source = sorted(p for p in CHAIRS.iterdir() if p.is_dir())[0]
    return Path(shutil.copytree(source, folder / "chairs" / source.name))


def empty_folder(tmp):
    (tmp / "nothing").mkdir()
    return ["build", "--shapes", "nothing", *FAST]


def unread_formats(tmp):
    (tmp / "models" / "x").mkdir(parents=True)
    (tmp / "models" / "x" / "chair.fbx").write_bytes(b"Kaydara FBX Binary")
    return ["build", "--shapes", "models", *FAST]


def missing_folder(tmp):
    return ["build", "--shapes", "nowhere/at/all", *FAST]


def unknown_key(tmp):
    (tmp / "bad.yaml").write_text("anomaly:\n  slotz: 3\n")
    return ["build", "--shapes", CHAIRS, "--recipe", "bad.yaml", *FAST]


def unknown_recipe(tmp):
    return ["build", "--shapes", CHAIRS, "--recipe", "nosuch", *FAST]


def no_yaml(tmp):
    (tmp / "bad.yaml").write_text("a: [1, 2\n")
    return ["build", "--shapes", CHAIRS, "--recipe", "bad.yaml", *FAST]


def below_images(tmp):
    return ["build", "--shapes", CHAIRS, "--out", "images/run", *FAST]


def output_is_a_file(tmp):
    (tmp / "out").write_text("mine")
    return ["build", "--shapes", CHAIRS, "--out", "out", *FAST]


def unwritable(tmp):
    return ["build", "--shapes", CHAIRS, "--out", "/proc/datagen", *FAST]


def unknown_renderer(tmp):
    return ["build", "--shapes", CHAIRS, "--renderer", "povray", "--out", "out"]


def missing_library(tmp):
    return ["build", "--shapes", CHAIRS, "--out", "out", *FAST, "--set", "materials.libraries=[nosuch]"]


def broken_json(tmp):
    chair = one_chair(tmp)
    for name in ("result.json", "result_after_merging.json"):
        (chair / name).write_text('[{"id": 0,')
    return ["build", "--shapes", "chairs", "--out", "out", *FAST]


def missing_obj(tmp):
    sorted((one_chair(tmp) / "objs").glob("*.obj"))[0].unlink()
    return ["build", "--shapes", "chairs", "--out", "out", *FAST]


def nan_vertices(tmp):
    obj = sorted((one_chair(tmp) / "objs").glob("*.obj"))[0]
    obj.write_text(re.sub(r"^v \S+", "v nan", obj.read_text(), count=1))
    return ["build", "--shapes", "chairs", "--out", "out", *FAST]


def no_faces_at_all(tmp):
    for obj in (one_chair(tmp) / "objs").glob("*.obj"):
        obj.write_text("v 0 0 0\n")
    return ["build", "--shapes", "chairs", "--out", "out", *FAST]


def truncated_texture(tmp):
    folder = tmp / "library" / "oak_wood"
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(folder / "basecolor.png")
    (folder / "basecolor.png").write_bytes((folder / "basecolor.png").read_bytes()[:500])
    return [
        "build",
        "--shapes",
        CHAIRS,
        "--limit",
        "1",
        "--out",
        "out",
        *FAST,
        "--set",
        "materials.libraries=[library]",
    ]


def _scenes(value):
    return ["build", "--recipe", "toysad_quickstart", "--out", "out", "--dry-run", "--set", value]


def missing_hdri(tmp):
    return ["build", "--shapes", CHAIRS, "--out", "out", "--dry-run", "--set", "light.worlds=[sky.hdr]"]


def missing_floors(tmp):
    return [*(word for word in _scenes("light.floors=[nosuch]") if word != "--dry-run"), *FAST[:4]]


def missing_sky(tmp):
    return _scenes("light.worlds=[studio, nosuch/sky.exr]")


def sky_without_number(tmp):
    return _scenes('light.worlds=["procedural:x"]')


def missing_weights(tmp):
    return _scenes("anomaly.similar.weights=dinov2.pth")


def missing_plugin(tmp):
    return _scenes('anomaly.plugin="nosuch.module:break_apart"')


def _inspection(tmp, *values, units="file"):
    """A dry run over one bracket; without units an STL."""
    parts = write_brackets(tmp, 1)
    if not units:
        (parts / "bracket_001.glb").unlink()
        trimesh.creation.box((10, 20, 30)).export(parts / "block.stl")
    sets = [word for value in values for word in ("--set", value)]
    return ["build", "--recipe", "inspection", "--shapes", parts, "--out", "out", "--dry-run", *FAST[:4], *sets]


def tolerance_wider_than_range(tmp):
    return _inspection(tmp, "tolerance.position_mm=0.5")


def tolerance_of_a_part_wider(tmp):
    return _inspection(tmp, 'tolerance.by_part={"screw_*": {rotation_deg: 12}}')


def pattern_fits_nothing(tmp):
    return _inspection(tmp, 'anomaly.parts={position: {"scrw_*": 1}}')


def tolerance_of_nothing(tmp):
    return _inspection(tmp, "tolerance.together={lid: [cover]}")


def pattern_of_a_whole_object(tmp):
    return _inspection(tmp, "anomaly.parts={crack: {bracket: 1}}")


def unknown_units(tmp):
    return _inspection(tmp, "units=furlong")


def units_not_said(tmp):
    return _inspection(tmp, units="")


def millimetres_without_units(tmp):
    return _inspection(tmp, 'units=""')


def span_the_wrong_way_round(tmp):
    return _inspection(tmp, "anomaly.rotation.deg=[10, 0.5]")


def missing_variant(tmp):
    return _inspection(tmp, 'anomaly.swapped.variants={"screw_*": [long.stl]}')


def broken_variant(tmp):
    (tmp / "long.stl").write_bytes(b"solid nothing")
    return _inspection(tmp, 'anomaly.swapped.variants={"screw_*": [long.stl]}')


def show_nothing(tmp):
    return ["show", tmp]


def export_unknown_format(tmp):
    return ["export", tmp, "--to", "yolo", "--out", "out"]


def export_into_files(tmp):
    (tmp / "out").mkdir()
    (tmp / "out" / "notes.txt").write_text("mine")
    return ["export", tmp / "data", "--to", "coco", "--out", "out"]


def export_no_dataset(tmp):
    return ["export", tmp, "--to", "coco", "--out", tmp.parent / f"{tmp.name}-out"]


def export_of_others(tmp):
    (tmp / "set" / "images" / "a").mkdir(parents=True)
    (tmp / "set" / "images" / "a" / "render_1_2_2.5_36_20_3_normal.png").write_bytes(b"")
    return ["export", tmp / "set", "--to", "coco", "--out", "out"]


CASES = {
    empty_folder: 2,
    unread_formats: 2,
    missing_folder: 2,
    unknown_key: 2,
    unknown_recipe: 2,
    no_yaml: 2,
    below_images: 2,
    output_is_a_file: 2,
    unwritable: 2,
    unknown_renderer: 2,
    missing_library: 5,
    broken_json: 3,
    missing_obj: 3,
    nan_vertices: 3,
    no_faces_at_all: 3,
    truncated_texture: 5,
    tolerance_wider_than_range: 2,
    tolerance_of_a_part_wider: 2,
    pattern_fits_nothing: 2,
    tolerance_of_nothing: 2,
    pattern_of_a_whole_object: 2,
    unknown_units: 2,
    units_not_said: 2,
    millimetres_without_units: 2,
    span_the_wrong_way_round: 2,
    missing_variant: 5,
    broken_variant: 2,
    show_nothing: 2,
    missing_hdri: 5,
    missing_floors: 5,
    missing_sky: 5,
    sky_without_number: 2,
    missing_weights: 5,
    missing_plugin: 5,
    export_unknown_format: 2,
    export_into_files: 2,
    export_no_dataset: 2,
    export_of_others: 2,
}


def said(case, tmp_path, result) -> str:
    """The error lines of stderr, with the test's own paths taken out."""
    text = result.stderr.replace(str(tmp_path), "TMP").replace(str(ROOT), "ROOT")
    named = re.compile(r"\b[A-Z]\w+(Error|Collection|Recipe|Parts|Early|Dependency): ")
    lines = [line for line in text.splitlines() if named.search(line)]
    return f"[{case.__name__}] exit {result.returncode}\n" + "\n".join(dict.fromkeys(lines)) + "\n"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    found = {}
    for case in CASES:
        tmp = tmp_path_factory.mktemp(case.__name__)
        found[case] = (tmp, datagen(*case(tmp), cwd=tmp))
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_exit_code_and_no_trace(results, case):
    _, result = results[case]
    assert "Traceback" not in result.stderr, result.stderr
    assert result.returncode == CASES[case], result.stderr
    assert result.stdout == ""


def test_the_wording_is_the_reviewed_one(results):
    text = "\n".join(said(case, *results[case]) for case in CASES)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


@pytest.mark.parametrize(
    "case", [empty_folder, unknown_key, below_images, output_is_a_file, missing_library, missing_floors]
)
def test_usage_errors_write_nothing(results, case):
    tmp, _ = results[case]
    assert not (tmp / "images").exists()
    assert not (tmp / "out").is_dir() and not (tmp / "out" / "dataset").exists()
