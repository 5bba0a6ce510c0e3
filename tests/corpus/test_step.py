"""STEP by OpenCASCADE: solids with and without colours, units, assemblies with instances; errors name the file."""

from pathlib import Path

import numpy as np
import pytest

from datagen.core.errors import MeshLoadError, MissingDependency
from datagen.meshfiles import step
from datagen.meshfiles.load import read_mesh_file
from datagen.shapes.collections import open_collection
from datagen.shapes.looks import load_textured
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
