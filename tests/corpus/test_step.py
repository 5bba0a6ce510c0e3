"""STEP by OpenCASCADE: solids with and without colours, units, assemblies with instances; errors name the file."""

import re
from pathlib import Path

import numpy as np
import pytest

from datagen.core.errors import MeshLoadError, MissingDependency, StoppedEarly
from datagen.core.shape import Mesh, concatenate
from datagen.meshfiles import step
from datagen.meshfiles.load import read_mesh_file
from datagen.meshfiles.step_solids import solid_faces
from datagen.meshfiles.values import NEXT_STEP
from datagen.shapes.collections import open_collection
from datagen.shapes.looks import load_textured
from tests.conftest import box
from tests.corpus.step_writer import Step

pytest.importorskip("cascadio", reason="the extra `step` is not installed")
RED, BLUE = (0.8, 0.1, 0.1), (0.1, 0.2, 0.7)
MILLIMETRES = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "inch": 25.4}


def plate(colors: str = "", unit: str = "mm") -> Step:
    """One solid of 40 x 20 x 5 units, uncoloured, coloured, or with one face coloured."""
    file = Step(unit)
    solid, faces = file.box((0, 0, 0), (40, 20, 5))
    file.product("plate", [solid])
    if colors in ("solid", "both"):
        file.color(solid, RED)
    if colors in ("face", "both"):
        file.color(faces[0], BLUE)
    return file


@pytest.mark.parametrize("colors", ["", "solid", "face", "both"])
def test_a_solid_loads_whatever_is_coloured(tmp_path: Path, colors: str) -> None:
    path = plate(colors).write(tmp_path / "plate.step")
    (part,) = read_mesh_file(path).parts
    assert part.mesh.extents / part.mesh.extents[0] == pytest.approx([1, 0.5, 0.125])
    assert part.name == "plate"
    (piece,), _ = load_textured(path)
    if colors == "solid":
        (material,) = piece.materials
        assert material.metallic == 0 and material.base_color[0] > 10 * material.base_color[2]
    if colors == "both":
        reddest, bluest = sorted(piece.materials, key=lambda m: m.base_color[2])
        assert reddest.base_color[0] > 10 * reddest.base_color[2] and bluest.base_color[2] > 10 * bluest.base_color[0]
    if colors in ("", "face"):
        assert not piece.materials, "what is coloured in part only is dressed like what has no colour"
    for textured in (True, False):
        source = open_collection(str(path), textured=textured)
        shape = source.load(source.entries()[0].shape_id)
        assert sum(p.mesh.area for p in shape.parts) > 0


@pytest.mark.parametrize("unit", list(MILLIMETRES))
def test_units_are_metres_once_read(tmp_path: Path, unit: str) -> None:
    mesh = read_mesh_file(plate(unit=unit).write(tmp_path / "plate.stp")).mesh
    assert mesh.extents == pytest.approx(np.array([40, 20, 5]) * MILLIMETRES[unit] / 1000, rel=1e-4)


def test_instances_of_an_assembly_are_parts(tmp_path: Path) -> None:
    file = Step()
    leg = file.product("leg", [file.box((0, 0, 0), (2, 2, 30))[0]])
    top = file.product("top", [file.box((0, 0, 30), (40, 20, 32))[0]])
    table = file.product("table", [])
    places = {"leg a": (0, 0, 0), "leg b": (38, 0, 0), "leg c": (0, 18, 0), "leg d": (38, 18, 0)}
    for name, at in places.items():
        file.instance(table, leg, name, at)
    file.instance(table, top, "top 1", (0, 0, 0))
    parts = read_mesh_file(file.write(tmp_path / "table.step")).parts
    assert len(parts) == 5
    lows = sorted(tuple(np.round(1000 * part.mesh.bounds[0], 3).tolist()) for part in parts)
    assert lows == sorted([*map(tuple, ([float(v) for v in at] for at in places.values())), (0.0, 0.0, 30.0)])


def test_instances_that_are_only_numbered_have_their_products_names(tmp_path: Path) -> None:
    file = Step()
    leg = file.product("leg", [file.box((0, 0, 0), (2, 2, 30))[0]])
    top = file.product("top", [file.box((0, 0, 30), (40, 20, 32))[0]])
    table = file.product("table", [])
    for number, (product, x) in enumerate([(leg, 0), (leg, 38), (top, 0)], 1):
        file.instance(table, product, f"NAUO{number}", (x, 0, 0))
    parts = read_mesh_file(file.write(tmp_path / "table.step")).parts
    assert [part.name for part in parts] == ["leg", "leg_2", "top"]


def edited(tmp_path: Path, old: str, new: str, unit: str = "mm") -> Path:
    """A plate's file with one text in the place of another."""
    path = plate(unit=unit).write(tmp_path / "plate.step")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("unit", "old", "new", "match"),
    [
        ("mm", ".MILLI.,.METRE.", ".FOO.,.METRE.", "has the prefix FOO"),
        ("mm", "SI_UNIT(.MILLI.,.METRE.)", "CONTEXT_DEPENDENT_UNIT('smoot')", "none that can be told .*smoot"),
        ("inch", "LENGTH_MEASURE(25.4)", "LENGTH_MEASURE(*)", "INCH is no positive number of metres"),
        ("inch", "LENGTH_MEASURE(25.4)", "LENGTH_MEASURE(0.)", "INCH is no positive number of metres"),
    ],
)
def test_a_unit_that_the_file_does_not_tell_is_refused_by_name(tmp_path, unit, old, new, match):
    with pytest.raises(MeshLoadError, match=rf"plate\.step: its unit of length .*{match}.*; export it in millimetres$"):
        read_mesh_file(edited(tmp_path, old, new, unit))


@pytest.mark.parametrize(
    ("old", "new", "millimetres"),
    [
        (".MILLI.,.METRE.", ".MICRO.,.METRE.", 0.001),
        (".MILLI.,.METRE.", ".KILO. , .METRE.", 1e6),
        ("SI_UNIT(.MILLI.,.METRE.)", "SI_UNIT(/* a remark */ .MILLI.,\n .METRE.)", 1.0),
    ],
)
def test_every_unit_of_metres_is_read_as_it_says(tmp_path, old, new, millimetres):
    found = read_mesh_file(edited(tmp_path, old, new))
    assert found.mesh.extents == pytest.approx(np.array([40, 20, 5]) * millimetres / 1000, rel=1e-4)
    assert found.warnings == ()


def test_a_unit_of_the_files_own_is_read_as_it_is_measured(tmp_path):
    path = edited(tmp_path, "LENGTH_MEASURE(25.4)", "LENGTH_MEASURE(201168.)", "inch")
    path.write_text(path.read_text().replace("INCH", "FURLONG"))
    assert read_mesh_file(path).mesh.extents[0] == pytest.approx(40 * 201.168, rel=1e-4)


def test_a_file_that_names_no_unit_is_read_in_millimetres_with_a_warning(tmp_path):
    path = plate().write(tmp_path / "plate.step")
    text = path.read_text()
    path.write_text(re.sub(r"GLOBAL_UNIT_ASSIGNED_CONTEXT\(\([^)]*\)\)", "", text))
    found = read_mesh_file(path)
    assert found.warnings == ("unit of length not named: plate.step is taken to be in millimetres",)
    assert found.mesh.extents == pytest.approx([0.04, 0.02, 0.005], rel=1e-4)


@pytest.mark.parametrize(("mark", "encoding"), [(b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le")])
def test_a_byte_order_mark_is_read_over(tmp_path, mark, encoding):
    path = plate().write(tmp_path / "plate.step")
    path.write_bytes(mark + path.read_text().encode(encoding))
    assert read_mesh_file(path).mesh.extents == pytest.approx([0.04, 0.02, 0.005], rel=1e-4)


def solids(tmp_path: Path, *boxes: tuple, colors: tuple = ()) -> tuple:
    """Parts of a product of boxes, as they are read."""
    file = Step()
    made = [file.box(low, high) for low, high in boxes]
    file.product("block", [solid for solid, _ in made])
    for (solid, faces), color in zip(made, colors, strict=False):
        file.color(solid, color)
        file.color(faces[2], BLUE)
    return read_mesh_file(file.write(tmp_path / "block.step")).parts


@pytest.mark.parametrize("colors", [(), (RED, BLUE), (RED, RED, RED)])
def test_touching_solids_of_one_product_are_parts(tmp_path, colors):
    """They share a face, an edge, or lie apart; a colour on one face changes nothing."""
    boxes = (((0, 0, 0), (10, 10, 10)), ((10, 0, 0), (20, 10, 10)), ((20, 10, 0), (30, 20, 10)))
    parts = solids(tmp_path, *boxes, ((50, 0, 0), (60, 10, 10)), colors=colors)
    assert [part.name for part in parts] == ["block", "block_2", "block_3", "block_4"]
    assert all(part.mesh.extents == pytest.approx([0.01, 0.01, 0.01], rel=1e-4) for part in parts)
    assert [round(1000 * float(part.mesh.bounds[0, 0])) for part in parts] == [0, 10, 20, 50]


def test_solids_are_told_by_their_faces_alone():
    """Touching solids are two; a hollow is its solid's; what is not closed is one piece."""
    cube = box((2, 2, 2))
    inside = box((1, 1, 1))
    hollow = concatenate([cube, Mesh(inside.vertices, inside.faces[:, ::-1])])
    assert [len(faces) for faces in solid_faces(concatenate([hollow, box((2, 2, 2), (2, 0, 0))]))] == [24, 12]
    assert [len(faces) for faces in solid_faces(concatenate([cube, inside]))] == [12, 12]
    bowl = Mesh(cube.vertices, cube.faces[:-2])
    assert [len(faces) for faces in solid_faces(concatenate([inside, bowl]))] == [12, 10]
    assert [len(faces) for faces in solid_faces(bowl)] == [10]


@pytest.mark.parametrize(
    ("cut", "cause"),
    [(0.5, "Incorrect syntax: unexpected end of file"), (1.0, "")],
)
def test_what_opencascade_says_is_the_cause_and_the_advice_stands_once(tmp_path, cut, cause):
    path = plate().write(tmp_path / "plate.step")
    text = path.read_text() if cut < 1 else path.read_text().replace("FACE_OUTER_BOUND", "FACE_INNER_BOUND")
    path.write_text(text[: int(cut * len(text))])
    with pytest.raises(MeshLoadError, match=rf"plate\.step: .*{cause}") as caught:
        read_mesh_file(path)
    assert str(caught.value).count(NEXT_STEP) == 1


@pytest.mark.parametrize(
    "data", ["", "ISO-10303-21;\nHEADER;\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n", "no STEP\n"]
)
def test_what_is_no_step_is_refused_by_name(tmp_path: Path, data: str) -> None:
    (tmp_path / "a.step").write_text(data)
    with pytest.raises(MeshLoadError, match=r"a\.step: "):
        read_mesh_file(tmp_path / "a.step")


def test_the_extra_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = plate().write(tmp_path / "a.step")
    monkeypatch.setattr(step, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"a\.step: needs cascadio.*datagen\[step\]"):
        read_mesh_file(path)


def test_a_signal_to_stop_is_not_the_fault_of_the_file_that_was_read(tmp_path, monkeypatch):
    path = tmp_path / "good.step"
    path.write_text("ISO-10303-21;\n")
    monkeypatch.setattr(step, "CONVERT", "import os; os.kill(os.getpid(), 15)")
    with pytest.raises(StoppedEarly, match=r"stopped while .*good\.step was read; run the same command again"):
        step.read_step(path)


@pytest.mark.parametrize(
    ("convert", "match"),
    [
        ("import time; time.sleep(60)", r"did not mesh it in 1 s; is its unit right"),
        ("import os; os.kill(os.getpid(), 11)", r"OpenCASCADE crashed on it \(signal 11\)"),
        ("raise RuntimeError('no shape')", r"cannot read it \(RuntimeError: no shape\)"),
        ("pass", r"not readable as STEP"),
    ],
)
def test_what_opencascade_does_to_itself_ends_no_build(tmp_path, monkeypatch, convert, match):
    """A file that crashes the library, or that it would mesh for ever, is refused like any other."""
    path = tmp_path / "vast.step"
    path.write_text("ISO-10303-21;\n")
    monkeypatch.setattr(step, "CONVERT", convert)
    monkeypatch.setattr(step, "MOST_SECONDS", 1 if "sleep" in convert else 60)
    with pytest.raises(MeshLoadError, match=rf"vast\.step: .*{match}"):
        step.read_step(path)
