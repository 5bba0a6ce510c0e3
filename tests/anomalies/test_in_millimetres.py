"""Anomalies in the drawing's words: sizes are true millimetres, degrees and cubic millimetres, measured on meshes."""

import numpy as np
import pytest

from datagen.anomalies.registry import apply, operators, propose
from datagen.anomalies.sizes import drawn
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.rng import stream
from datagen.core.shape import Mesh
from datagen.geometry.deviation import furthest, volume_of
from datagen.kinds.brokenchairs.measured import measure
from datagen.kinds.brokenchairs.policy import NoDonors, chair_setting
from datagen.recipe.inspection import VariationRecipe
from datagen.recipe.models import Recipe
from datagen.shapes.collections import open_collection
from datagen.shapes.standins.brackets import write_brackets

SPANS = {
    "position": {"mm": [0.2, 5]},
    "rotation": {"deg": [0.5, 10]},
    "broken": {"mm3": [20, 800]},
    "missing": {"min_area": 0.0},
    "fracture": {"mm": [0.2, 1.5], "removed": [0.02, 0.6], "aimed": [0.05, 0.4]},
    "scratch": {"depth_mm": [0.1, 0.5], "length_mm": [5, 20], "width_mm": [0.5, 1.5]},
    "dent": {"depth_mm": [0.3, 2], "length_mm": [3, 12], "width_mm": [3, 12]},
    "burr": {"depth_mm": [0.3, 1.5], "length_mm": [2, 10], "width_mm": [0.5, 1.5]},
}
UNITS = {"position": "mm", "rotation": "deg", "broken": "mm3", "missing": "mm3", "crack": "mm"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("brackets")


@pytest.fixture(scope="module")
def shape(folder):
    return open_collection(str(write_brackets(folder, 1)), units="file").load("bracket_001")


def recipe(**more):
    return Recipe.model_validate({"units": "file", "category": "other", "anomaly": {**SPANS, **more}})


def results(shape, told, kind, count=6):
    """Accepted results of a kind."""
    setting, found = chair_setting(told, NoDonors()), []
    for seed in range(60):
        _, spec = propose(shape, kind, stream(seed, "mm", kind), setting)
        made = spec if isinstance(spec, Rejected) else apply(shape, spec, setting)
        found += [made] if isinstance(made, AnomalousShape) else []
        if len(found) == count:
            break
    return found


@pytest.mark.parametrize("kind", ["position", "rotation", "broken", "missing", "crack", "scratch", "dent", "burr"])
def test_sizes_are_those_of_the_recipe(shape, kind):
    told = recipe()
    found = results(shape, told, kind)
    assert len(found) == 6
    for made in found:
        size = measure(made, shape, told.tolerance)
        key = "fracture" if kind == "crack" else kind
        spans = [v for k, v in SPANS[key].items() if k in ("mm", "deg", "mm3", "depth_mm")]
        assert size.magnitude_unit == UNITS.get(kind, "mm")
        assert all(low * 0.95 <= size.magnitude <= high * 1.05 for low, high in spans), size


def test_a_scratch_is_no_longer_than_its_part(shape):
    long = recipe(scratch={"depth_mm": [0.3, 0.5], "length_mm": [500, 600], "width_mm": [1, 2]})
    _, spec = propose(shape, "scratch", stream(0, "long"), chair_setting(long, NoDonors()))
    assert isinstance(spec, Rejected) and spec.reason == "too_long" and "mm across" in spec.detail


def only(source):
    return source.load(source.entries()[0].shape_id)


def in_mm(shape, mesh):
    return Mesh(mesh.vertices / shape.mm, mesh.faces)


def test_millimetres_are_those_of_the_file(folder, shape):
    """The plate is as large as its file says, whatever the scale of the scene."""
    import trimesh

    plate = trimesh.load(folder / "parts" / "bracket_001.glb").geometry["plate"]
    read = in_mm(shape, next(part.mesh for part in shape.parts if part.name == "plate"))
    assert np.allclose(sorted(read.extents), sorted(1000 * plate.extents), rtol=1e-5)
    assert volume_of(read) == pytest.approx(1e9 * plate.volume, rel=1e-4)


def test_a_shift_and_a_break_by_their_vertices(shape):
    told = recipe()
    for made in results(shape, told, "position"):
        went = np.linalg.norm(in_mm(shape, made.new_mesh).vertices - in_mm(shape, made.old_mesh).vertices, axis=1)
        assert np.allclose(went, measure(made, shape, told.tolerance).magnitude, atol=1e-6)
    for made in results(shape, told, "broken"):
        lost = volume_of(in_mm(shape, made.old_mesh)) - volume_of(in_mm(shape, made.new_mesh))
        size = measure(made, shape, told.tolerance)
        assert lost == pytest.approx(size.magnitude, rel=0.02)
        assert 0.2 * np.cbrt(lost) < size.surface_mm < 3 * np.cbrt(lost)


@pytest.mark.parametrize("kind", ["scratch", "dent", "burr"])
def test_a_local_defect_is_local_and_as_deep_as_it_says(shape, kind):
    for made in results(shape, recipe(), kind):
        faces, old, new = made.changed[made.spec.part_id], in_mm(shape, made.old_mesh), in_mm(shape, made.new_mesh)
        spot = Mesh(new.vertices, new.faces[faces])
        depth = measure(made, shape, recipe().tolerance).surface_mm
        assert furthest(spot, old) == pytest.approx(depth, abs=1e-9)
        assert furthest(Mesh(new.vertices, new.faces[~faces]), old) < 0.03 * depth + 1e-6
        length, width = (made.spec.values[key] / shape.mm for key in ("length", "width"))
        assert spot.diagonal < 1.1 * np.hypot(np.hypot(length, width), max(length, width)) + 1
        grew = volume_of(new) - volume_of(old)
        assert grew > 0 if kind == "burr" else grew < 0


def test_small_sizes_are_as_likely_as_large_ones():
    sizes = np.array([drawn((0.1, 10.0), stream(k, "size")) for k in range(400)])
    assert sizes.min() >= 0.1 and sizes.max() <= 10 and 0.42 < (sizes < 1).mean() < 0.58


def test_patterns_choose_parts(shape):
    told = recipe(parts={"position": {"screw_1": 1, "screw_*": 0, "bracket": 3}})
    names = [made.normal.part(made.spec.part_id).name for made in results(shape, told, "position", 30)]
    assert set(names) == {"screw_1", "bracket"} and names.count("bracket") > names.count("screw_1")
    _, spec = propose(shape, "dent", stream(0, "x"), chair_setting(recipe(parts={"dent": {"nut*": 1}}), NoDonors()))
    assert isinstance(spec, Rejected) and spec.reason == "no_part"


def test_within_tolerance_is_refused_by_what_is_measured(shape):
    band = {"position_mm": 0.1, "by_part": {"screw_*": {"position_mm": 1.0, "surface_mm": 0.4}}}
    data = {
        "units": "file",
        "category": "other",
        "tolerance": band,
        "anomaly": {**SPANS, "parts": {"position": {"screw_*": 1}}},
    }
    told = Recipe.model_validate(data)
    assert all(measure(made, shape, told.tolerance).deviation_mm > 1 for made in results(shape, told, "position"))
    setting = chair_setting(told, NoDonors())
    rejected = []
    for seed in range(30):
        _, spec = propose(shape, "position", stream(seed, "mm"), setting)
        rejected.append(apply(shape, spec, setting))
    assert "within_tolerance" in {made.reason for made in rejected if isinstance(made, Rejected)}


def test_a_turn_about_an_axis_of_symmetry_is_none(folder):
    """A disc turned about its axis looks as before, however far its points go."""
    import trimesh

    (folder / "discs").mkdir()
    scene = trimesh.Scene()
    scene.add_geometry(trimesh.creation.cylinder(10, 4, sections=256), node_name="disc", geom_name="disc")
    scene.add_geometry(trimesh.creation.box((30, 30, 2)), node_name="base", geom_name="base")
    scene.export(folder / "discs" / "disc.glb")
    one = only(open_collection(str(folder / "discs"), units="mm"))
    part = next(part for part in one.parts if part.name == "disc")
    axis = np.eye(3)[int(np.argmin(part.mesh.extents))]
    values = {"pivot": part.mesh.centre.tolist(), "axis": axis.tolist(), "angle_deg": 7.0}
    made = apply(one, AnomalySpec("rotation", part.part_id, values=values), chair_setting(recipe(), NoDonors()))
    assert isinstance(made, Rejected) and made.reason == "symmetric"


def test_a_wrong_variant_keeps_its_size(folder, shape):
    files = [str(folder / "variants" / "screw_long.glb")]
    for seat in ("top", "centre", "bottom"):
        told = recipe(swapped={"variants": {"screw_*": files}, "seat": seat})
        found = results(shape, told, "swapped", 4)
        assert len(found) == 4
        for made in found:
            old, new = in_mm(shape, made.old_mesh), in_mm(shape, made.new_mesh)
            assert new.extents[2] == pytest.approx(old.extents[2] + 3, abs=1e-3)
            place = {"top": new.bounds[1, 2] - old.bounds[1, 2], "bottom": new.bounds[0, 2] - old.bounds[0, 2]}
            assert place.get(seat, new.centre[2] - old.centre[2]) == pytest.approx(0, abs=1e-6)
            reach = 1.5 if seat == "centre" else 3
            assert measure(made, shape, told.tolerance).magnitude == pytest.approx(reach, abs=0.05)


def test_nothing_is_in_millimetres_without_a_unit(tmp_path):
    import trimesh

    trimesh.creation.box((10, 20, 30)).export(tmp_path / "block.stl")
    for units, mm in (("", 0.0), ("file", 0.0), ("mm", 1.0), ("inch", 25.4)):
        one = only(open_collection(str(tmp_path), units=units))
        assert one.source_mm == mm
        _, spec = propose(one, "dent", stream(0, "x"), chair_setting(recipe(), NoDonors()))
        assert isinstance(spec, Rejected) == (mm == 0.0)
    (tmp_path / "collection.json").write_text('{"units": "cm"}')
    assert only(open_collection(str(tmp_path), units="file")).source_mm == 10.0


@pytest.mark.parametrize("kind", ["position", "rotation"])
def test_the_only_part_is_off_no_place_on_a_tray(tmp_path, kind):
    """Where it lies tells nothing; in a fixture, without a tray, it does."""
    import trimesh

    trimesh.creation.box((10, 20, 30)).export(tmp_path / "block.stl")
    one = only(open_collection(str(tmp_path), units="mm"))
    part = one.parts[0]
    values = {"translation": [0.05, 0.0, 0.0], "pivot": part.mesh.centre.tolist(), "axis": [0, 0, 1], "angle_deg": 8.0}
    for tray, refused in (({"turn_deg": 10}, True), ({"shift_mm": 2}, True), ({}, False)):
        told = recipe().model_copy(update={"variation": VariationRecipe.model_validate({"tray": tray})})
        made = apply(one, AnomalySpec(kind, part.part_id, values=values), chair_setting(told, NoDonors()))
        assert (isinstance(made, Rejected) and made.reason == "nothing_beside") == refused
        assert refused or isinstance(made, AnomalousShape)


@pytest.mark.parametrize("kind", ["dent", "scratch"])
def test_a_defect_over_an_edge_folds_nothing(shape, kind):
    """The wall below an edge is pushed down with it: no face turns inside out."""
    part = next(part for part in shape.parts if part.name == "plate")
    corner = part.mesh.bounds[1]
    centre = [float(part.mesh.centre[0]), float(part.mesh.bounds[0, 1]), float(corner[2])]
    sizes = {"depth": 1.5 * shape.mm, "length": 12 * shape.mm, "width": 6 * shape.mm}
    values = {"centre": centre, "normal": [0, 0, 1], "along": [1, 0, 0], "phases": [0.0] * 4, **sizes}
    spec, setting = AnomalySpec(kind, part.part_id, values=values), chair_setting(recipe(), NoDonors())
    made = operators()[kind].apply(shape, spec, setting)
    low, high = in_mm(shape, part.mesh), in_mm(shape, made.new_mesh)
    a, b, c = high.triangles.transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    wall = (np.abs(high.triangles[..., 1] - low.bounds[0, 1]) < 1e-6).all(axis=1)
    assert wall.sum() > 50 and (normals[wall, 1] < 1e-9).all()
    assert high.bounds[1, 2] <= low.bounds[1, 2] + 1e-9
    # What lies below an edge is near the wall: measured from the old surface it is less deep.
    assert 0.9 < measure(made, shape, recipe().tolerance).surface_mm < 1.5
