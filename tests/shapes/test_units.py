"""A millimetre is one of the part, whatever format and unit its file is in."""

import json

import numpy as np
import pytest
import trimesh

from datagen.core.errors import UsageError
from datagen.shapes.collections import open_collection
from datagen.shapes.meshes import millimetres
from tests.corpus.step_writer import Step

EDGES = np.array([40.0, 20.0, 10.0])
"""Of the base, in mm."""


def only(folder, units="file"):
    source = open_collection(str(folder), units=units)
    return source.load(source.entries()[0].shape_id)


def edges_of(shape, name):
    part = next(part for part in shape.parts if part.name == name)
    return np.sort(part.mesh.extents / shape.mm)


@pytest.mark.parametrize("unit,size", [("mm", 1.0), ("inch", 25.4), ("m", 1000.0)])
def test_step_says_its_unit(tmp_path, unit, size):
    """An assembly with instances; whatever a recipe says of units, the file is right."""
    pytest.importorskip("cascadio", reason="the extra `step` is not installed")
    step = Step(unit)
    base = step.product("base", [step.box((0, 0, 0), EDGES / size)[0]])
    screw = step.product("screw", [step.box((0, 0, 0), np.array([4.0, 4.0, 8.0]) / size)[0]])
    whole = step.product("assembly", [])
    step.instance(whole, base, "base", (0, 0, 0))
    for k, x in enumerate((4, 30)):
        step.instance(whole, screw, f"screw_{k + 1}", np.array([x, 8, 10]) / size)
    step.write(tmp_path / "a.step")
    for units in ("file", "cm"):
        shape = only(tmp_path, units)
        assert [part.name for part in shape.parts] == ["base", "screw_1", "screw_2"]
        assert np.allclose(edges_of(shape, "base"), np.sort(EDGES), rtol=1e-5)
        assert np.allclose(edges_of(shape, "screw_2"), [4, 4, 8], rtol=1e-5)


@pytest.mark.parametrize("suffix", ["stl", "obj", "ply", "glb"])
def test_other_files_are_told_theirs(tmp_path, suffix):
    trimesh.creation.box(EDGES / 25.4).export(tmp_path / f"base.{suffix}")
    assert only(tmp_path).source_mm == (1000.0 if suffix == "glb" else 0.0)
    for units in ("inch", "file"):
        shape = only(tmp_path, units)
        assert np.allclose(np.sort(shape.parts[0].mesh.extents / shape.mm), np.sort(EDGES))
        (tmp_path / "collection.json").write_text(json.dumps({"units": "inch"}))


def test_words_and_what_counts_first(tmp_path):
    files = [tmp_path / "a.stl"]
    assert [millimetres(files, word) for word in ("", "file", "mm", "cm", "m", "inch")] == [0, 0, 1, 10, 1000, 25.4]
    assert millimetres(files, "mm", "inch") == 1 and millimetres(files, "file", "inch") == 25.4
    trimesh.creation.box(EDGES).export(tmp_path / "base.stl")
    (tmp_path / "collection.json").write_text(json.dumps({"units": "furlong"}))
    with pytest.raises(UsageError, match="units is 'furlong', not one of mm, cm, m, inch"):
        open_collection(str(tmp_path))


def test_a_shape_keeps_its_millimetre_however_it_is_moved(tmp_path):
    trimesh.creation.box(EDGES).export(tmp_path / "base.stl")
    shape = only(tmp_path, "mm")
    T = np.diag([3.0, 3.0, 3.0, 1.0])
    assert shape.transformed(T).mm == pytest.approx(3 * shape.mm)
    assert shape.posed({"none": 1.0}).mm == shape.mm


def test_a_size_that_no_part_has_is_told_with_the_next_step(tmp_path):
    trimesh.creation.box(EDGES).export(tmp_path / "block.stl")
    (warning,) = only(tmp_path, "m").warnings
    assert (
        warning
        == "unlikely size: 4e+04 x 2e+04 x 1e+04 mm; if that is not meant, write the unit of its file as `units`"
    )
    assert only(tmp_path, "mm").warnings == ()


def test_a_part_that_was_exported_twice_is_told(tmp_path):
    scene = trimesh.Scene()
    for name, x in (("plate", 0.0), ("screw_1", 30.0), ("screw_2", 30.0)):
        box = trimesh.creation.box((20.0, 10.0, 5.0) if name == "plate" else (4.0, 4.0, 9.0))
        scene.add_geometry(box.apply_translation((x, 0, 0)), geom_name=name, node_name=name)
    scene.export(tmp_path / "block.glb")
    (warning,) = only(tmp_path, "mm").warnings
    assert warning.endswith("by the other: screw_1 and screw_2")
