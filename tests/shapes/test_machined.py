"""Gearboxes and hinges to try inspection on: closed solids of real size, names, units, and a joint that opens."""

import hashlib

import numpy as np
import pytest
import trimesh

from datagen.geometry.rays import RayScene
from datagen.kinds.registry import load_recipe, open_shapes
from datagen.shapes.standins import brackets, gearboxes, hinges
from datagen.shapes.standins.gearboxes import gearbox, write_gearboxes
from datagen.shapes.standins.hinges import hinge, write_hinges
from datagen.store.manifest import read_manifest
from tests.conftest import ROOT, run_build

RECIPE = load_recipe(ROOT / "recipes" / "inspection.yaml", [])


def digests(folder):
    return {p.relative_to(folder): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("number", range(1, 5))
def test_parts_are_closed_solids_and_no_two_fill_one_place(number):
    for parts in (gearbox(number), hinge(number)[0]):
        for name, mesh in parts.items():
            solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
            assert solid.is_watertight and solid.volume > 0, name
            assert len(solid.split()) == 1, name
        scenes = {name: RayScene([(1, mesh)]) for name, mesh in parts.items()}
        up = np.array([0.0, 0.0, 1.0])
        rng = np.random.default_rng(number)
        for name, mesh in parts.items():
            # Points inside a part: between the first two surfaces that a ray up meets. No other part may be there.
            low, high = mesh.bounds
            starts = np.c_[rng.uniform(low[:2], high[:2], (60, 2)), np.full(60, low[2] - 1)]
            hits = scenes[name].cast(starts, np.broadcast_to(up, starts.shape))
            inside = starts[hits.face >= 0] + (hits.t[hits.face >= 0] + 0.2)[:, None] * up
            for other, scene in scenes.items():
                if other != name and len(inside):
                    above = scene.cast(inside, np.broadcast_to(up, inside.shape))
                    met = above.face >= 0
                    backs = scene.normals[above.face[met]] @ up > 0
                    assert backs.mean() < 0.05 if met.any() else True, (name, other)


def test_a_gearbox_has_its_parts_and_its_millimetres(tmp_path):
    source = open_shapes(RECIPE, str(write_gearboxes(tmp_path, 3)))
    counts = set()
    for entry in source.entries():
        shape = source.load(entry.shape_id)
        names = [part.name for part in shape.parts]
        assert {"housing", "gasket", "cover", "bearing_seat_1", "bearing_seat_2", "rib_1", "rib_4"} <= set(names)
        counts.add(sum(name.startswith("screw_") for name in names))
        gasket = next(part.mesh for part in shape.parts if part.name == "gasket")
        assert gasket.extents[2] / shape.mm == pytest.approx(1.2, abs=1e-3)
        assert 100 < (shape.bounds[1] - shape.bounds[0])[0] / shape.mm < 130
    assert counts <= {6, 8} and not source.warnings


def test_a_hinge_opens_about_its_pin(tmp_path):
    source = open_shapes(RECIPE, str(write_hinges(tmp_path, 2)))
    for entry in source.entries():
        shape = source.load(entry.shape_id)
        names = {part.part_id: part.name for part in shape.parts}
        (joint,) = shape.joints
        assert sorted(names[i] for i in joint.part_ids)[0] == "leaf_moving" and (joint.low, joint.high) == (0.0, 1.9)
        assert {names[i] for i in joint.part_ids} == {name for name in names.values() if "moving" in name}
        opened = shape.posed({joint.name: np.pi / 2})
        leaf = next(part.mesh for part in opened.parts if part.name == "leaf_moving")
        flat = next(part.mesh for part in shape.parts if part.name == "leaf_moving")
        assert leaf.bounds[1, 2] > flat.extents[0] * 0.8, "it folds up"
        pin = next(part.mesh for part in shape.parts if part.name == "pin")
        assert np.allclose(np.delete(joint.origin, 1), np.delete(pin.centre, 1), atol=1e-6)
        assert 40 < flat.extents[1] / shape.mm < 90


@pytest.mark.parametrize("module", [brackets, gearboxes, hinges], ids=lambda m: m.__name__.rpartition(".")[2])
def test_the_same_bytes_each_time_and_others_by_number(module, tmp_path):
    write = next(getattr(module, name) for name in vars(module) if name.startswith("write_") and name != "write_card")
    for name in "ab":
        write(tmp_path / name, 2)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    files = [digest for path, digest in digests(tmp_path / "a").items() if "_00" in str(path)]
    assert len(files) >= 2


@pytest.mark.parametrize("write", [write_gearboxes, write_hinges], ids=["gearboxes", "hinges"])
def test_they_are_built_and_a_hinge_s_state_is_normal(write, tmp_path):
    parts = write(tmp_path, 1)
    few = ("query.size_px=128", "reference.views=4", "reference.points=500", "normal.views={8: 1}", "units=file")
    sets = (*few, "anomaly.slots={position: 1, missing: 1}", "quality.ground_floor=0", "joints.share=0.7")
    run_build(tmp_path / "data", 1, "inspection", sets, parts)
    rows = [row for row in read_manifest(tmp_path / "data") if row["row_type"] == "sample"]
    assert {row["label"] for row in rows} == {0, 1}
    if write is write_hinges:
        assert any(row["pose"] for row in rows if row["label"] == 0)
