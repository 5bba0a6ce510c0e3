"""Plain meshes: part folders, named nodes, components, MuJoCo placing, refusals."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from datagen.core.errors import EmptyCollection, MeshLoadError, MissingDependency, UnplacedParts
from datagen.recipe.categories import built_in
from datagen.shapes.assembly import is_heap
from datagen.shapes.classify import class_from_name, group_of
from datagen.shapes.collections import open_collection
from tests.helpers.meshes import load_mesh

from .helpers import obj_box, sample

LEGS = {f"leg_{i}{j}": ((i, j, 0.0), (i + 0.05, j + 0.05, 0.45)) for i in (0, 1) for j in (0, 1)}
CHAIR = {
    **LEGS,
    "seat": ((0.0, 0.0, 0.45), (1.05, 1.05, 0.5)),
    "back": ((1.0, 0.0, 0.5), (1.05, 1.05, 1.1)),
}


def box(low: tuple[float, ...], high: tuple[float, ...]) -> trimesh.Trimesh:
    return trimesh.creation.box(bounds=np.array([low, high]))


def write_parts(folder: Path, suffix: str = "obj") -> Path:
    folder.mkdir(parents=True)
    for name, (low, high) in CHAIR.items():
        box(low, high).export(folder / f"{name}.{suffix}")
    return folder


@pytest.mark.parametrize("suffix", ["obj", "stl", "ply", "off", "glb"])
def test_a_folder_of_parts_is_one_upright_chair(tmp_path: Path, suffix: str) -> None:
    folder = write_parts(tmp_path / "my_chair", suffix)
    source = open_collection(str(folder))
    assert [entry.shape_id for entry in source.entries()] == ["my_chair"]
    shape = source.load("my_chair")
    found = {part.name: part.part_class for part in shape.parts}
    assert found["seat"] == "SeatSurface" and found["back"] == "BackSurface" and found["leg_00"] == "Leg"
    assert len({part.group for part in shape.parts if part.part_class == "Leg"}) == 1
    seat, back = (next(p.mesh for p in shape.parts if p.name == name) for name in ("seat", "back"))
    assert back.centre[2] > seat.centre[2] > 0 and shape.bounds[0, 2] == pytest.approx(0, abs=1e-9)
    if suffix != "glb":
        # The named legs and seat say that z is up; glTF is y up by its standard. Back to +Y either way.
        assert back.centre[1] > seat.centre[1] + 0.1


def test_a_root_of_folders_and_twins(tmp_path: Path) -> None:
    write_parts(tmp_path / "chair_10")
    write_parts(tmp_path / "chair_2", "stl")
    (tmp_path / "taxi").mkdir()
    for name in ("model.obj", "model_nodraco.glb"):
        box((0, 0, 0), (1, 2, 3)).export(tmp_path / "taxi" / name)
    source = open_collection(str(tmp_path))
    assert [entry.shape_id for entry in source.entries()] == ["chair_2", "chair_10", "taxi"]
    assert len(source.load("taxi").parts) == 1


def test_whole_shapes_side_by_side_are_not_parts(tmp_path: Path) -> None:
    for name in ("aeron", "eames", "cesca"):
        box((0, 0, 0), (1, 1, 2)).export(tmp_path / f"{name}.stl")
    assert [e.shape_id for e in open_collection(str(tmp_path)).entries()] == ["aeron", "cesca", "eames"]


def test_named_nodes_carry_their_transforms(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    for name, (low, high) in CHAIR.items():
        centre = (np.array(low) + np.array(high)) / 2
        T = trimesh.transformations.translation_matrix(centre)
        scene.add_geometry(box(tuple(low - centre), tuple(high - centre)), node_name=name, geom_name=name, transform=T)
    scene.export(tmp_path / "chair.glb")
    meshes = dict(load_mesh(tmp_path / "chair.glb"))
    assert set(meshes) == set(CHAIR)
    assert np.allclose(meshes["seat"].bounds, CHAIR["seat"], atol=1e-6)
    assert len(open_collection(str(tmp_path / "chair.glb")).load("chair").parts) == len(CHAIR)


def test_obj_groups_are_named_meshes_and_materials_stay_shut(tmp_path: Path) -> None:
    text = "mtllib ../../secret.mtl\no seat\nusemtl a\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nf 1/1 2/2 4/3 3/4\n"
    (tmp_path / "a.obj").write_text(text + "o leg\nv 0 0 -1\nf 1//1 2//1 5//1\n")
    meshes = dict(load_mesh(tmp_path / "a.obj"))
    assert {name: len(mesh.faces) for name, mesh in meshes.items()} == {"seat": 2, "leg": 1}
    assert len(meshes["leg"].vertices) == 3


def test_a_single_mesh_falls_into_components(tmp_path: Path) -> None:
    apart = [box(tuple(np.add(low, 1e-3)), tuple(np.subtract(high, 1e-3))) for low, high in CHAIR.values()]
    trimesh.util.concatenate(apart).export(tmp_path / "chair.stl")
    shape = open_collection(str(tmp_path / "chair.stl")).load("chair")
    assert sorted(p.part_class for p in shape.parts) == ["BackSurface", *["Leg"] * 4, "SeatSurface"]


def test_gltf_buffers_never_leave_the_folder(tmp_path: Path) -> None:
    box((0, 0, 0), (1, 1, 1)).export(tmp_path / "whole.glb")
    for name, data in trimesh.Scene(box((0, 0, 0), (1, 1, 1))).export(file_type="gltf").items():
        (tmp_path / name).write_bytes(data)
    inside = tmp_path / "in"
    inside.mkdir()
    text = (tmp_path / "model.gltf").read_text()
    (inside / "model.gltf").write_text(text.replace("gltf_buffer", "../gltf_buffer"))
    with pytest.raises(MeshLoadError, match=r"model\.gltf"):
        load_mesh(inside / "model.gltf")


@pytest.mark.parametrize("name", ["a.stl", "a.ply", "a.off", "a.glb", "a.gltf", "a.obj"])
@pytest.mark.parametrize("data", [b"", b"\x00\xff garbage \n 1 2", b"glTF\x02\x00\x00\x00"])
def test_damaged_files_are_named(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(MeshLoadError, match=name.replace(".", r"\.")):
        load_mesh(tmp_path / name)


def test_non_finite_vertices_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.off").write_text("OFF\n3 1 0\n0 0 0\nnan 0 0\n0 1 0\n3 0 1 2\n")
    with pytest.raises(MeshLoadError, match=r"a\.off"):
        load_mesh(tmp_path / "a.off")
    entries = open_collection(str(tmp_path)).entries()
    assert [(e.shape_id, e.part_classes) for e in entries] == [("a", ())]


def test_heaps_and_assemblies() -> None:
    from datagen.core.shape import Mesh

    def mesh(low: tuple[float, ...], high: tuple[float, ...]) -> Mesh:
        made = box(low, high)
        return Mesh(made.vertices, made.faces)

    assembled = [mesh(*corners) for corners in CHAIR.values()]
    centre = np.array([0.525, 0.525, 0.5])
    assert not is_heap(assembled)
    assert not is_heap([mesh(tuple(low - centre), tuple(high - centre)) for low, high in CHAIR.values()])
    half = [(np.array(high) - np.array(low)) / 2 for low, high in CHAIR.values()]
    assert is_heap([mesh(tuple(-h), tuple(h)) for h in half])
    assert not is_heap([mesh((-1, -1, 0), (1, 1, 1)), mesh((-0.3, -0.3, -2), (0.3, 0.3, 0))])
    assert is_heap([mesh((-1, -1, -1), (1, 1, 1)), mesh((-0.3, -0.3, -2), (0.3, 0.3, 2))])


def test_heaped_parts_are_refused_with_the_way_out(tmp_path: Path) -> None:
    folder = tmp_path / "stool"
    folder.mkdir()
    for name in ("leg1", "leg2", "leg3", "seat"):
        (folder / f"{name}.obj").write_text(obj_box((-0.1, -0.5, -0.1), (0.1, 0.4, 0.1)))
    with pytest.raises(UnplacedParts, match=r"stool.*MuJoCo XML.*collection\.json"):
        open_collection(str(tmp_path)).entries()
    (folder / "collection.json").write_text('{"files": "shapes"}')
    assert len(open_collection(str(folder)).entries()) == 4


def test_names_tell_classes() -> None:
    cases = {
        "backLeg_2": "Leg",
        "armrest": "Arm",
        "chair_arm_L": "Arm",
        "charm": None,
        "seat_support1": "SeatSupport",
    }
    assert {name: class_from_name(name, built_in("chair")) for name in cases} == cases
    assert group_of("leg_left_2", "Leg") == group_of("leg_right_1", "Leg") == "leg"
    assert group_of("part7", "Leg") == "Leg" and group_of("part7", "Other") == ""


def test_clvrai_furniture_is_assembled() -> None:
    source = open_collection(str(sample("chairs_clvrai_furniture")))
    shapes = {entry.shape_id: source.load(entry.shape_id) for entry in source.entries()}
    assert len(shapes) == 14
    truth = open_collection(str(sample("chairs_partnet_format_clvrai")))
    for entry in truth.entries():
        # The same chairs, assembled by hand: same proportions, upright, back to +Y.
        mine, theirs = shapes[entry.model_id], truth.load(entry.shape_id)
        size, expected = np.ptp(mine.bounds, axis=0), np.ptp(theirs.bounds, axis=0)
        assert np.allclose(size, expected, atol=0.02), entry.model_id
        assert len(mine.parts) == len(theirs.parts)


@pytest.mark.parametrize("name", ["furniture_bench", "furniture_bench/chair", "furniture_bench/stool"])
def test_furniture_bench_is_refused(name: str) -> None:
    with pytest.raises(UnplacedParts, match="furniture_bench"):
        open_collection(str(sample(name))).entries()


def test_polyhaven_and_toys_load_and_repeat() -> None:
    for name, count in (("polyhaven_models_drake", 4), ("toys_kenney_gltf", 19)):
        source = open_collection(str(sample(name)))
        entries = source.entries()
        assert len(entries) == count and all(entry.part_classes for entry in entries)
        first = entries[0].shape_id
        assert source.load(first).digest == open_collection(str(sample(name))).load(first).digest


def test_extras_are_named() -> None:
    from importlib.util import find_spec

    folder = sample("toys_kenney_gltf/taxi")
    if find_spec("DracoPy") is None:
        with pytest.raises(MissingDependency, match=r"datagen\[draco\]"):
            load_mesh(folder / "model.gltf")
    if find_spec("cascadio") is None:
        with pytest.raises(MissingDependency, match=r"datagen\[step\]"):
            load_mesh(sample("cad_trimesh") / "box_sides.STEP")


def test_a_folder_without_meshes_is_empty(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(EmptyCollection):
        open_collection(str(tmp_path))


def test_folders_of_parts_that_are_read_as_shapes_are_told(tmp_path):
    for mill in ("mill_01", "mill_02"):
        (tmp_path / mill).mkdir()
        for k, name in enumerate(("tower", "sail_1", "sail_2")):
            trimesh.creation.box((1, 1, 1)).apply_translation((0, 0, k)).export(tmp_path / mill / f"{name}.stl")
    source = open_collection(str(tmp_path))
    assert len(source.entries()) == 6
    assert [w.rpartition(": ")[2] for w in source.warnings] == ["mill_01 (sail, tower)", "mill_02 (sail, tower)"]
    assert all('"files":"parts" in collection.json' in w.partition(": ")[0] for w in source.warnings)
    (tmp_path / "collection.json").write_text('{"files": "shapes"}')
    assert open_collection(str(tmp_path)).warnings == ()
    (tmp_path / "collection.json").write_text('{"files": "parts"}')
    assert [entry.shape_id for entry in open_collection(str(tmp_path)).entries()] == ["mill_01", "mill_02"]
