"""Properties of the operators on objects: nothing changes its input, judged by what comes out."""

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from datagen.anomalies import registry
from datagen.anomalies.operator import Setting
from datagen.core.anomaly import AnomalySpec, Rejected
from datagen.core.errors import MissingDependency
from datagen.core.ids import canonical_json
from datagen.core.rng import stream
from datagen.core.shape import Skin, concatenate
from datagen.formats.oddoneout import KINDS, MODE_OF_KIND
from datagen.geometry.pieces import loose_area
from datagen.geometry.solid import to_manifold
from datagen.kinds.oddoneout.policy import ScenePolicy
from datagen.materials.objects import choose_materials, with_materials
from datagen.materials.open import open_libraries
from datagen.recipe.scenes import SceneAnomalyRecipe, SceneMaterialRecipe
from datagen.shapes.collections import open_collection

RECIPE, DRESS = SceneAnomalyRecipe(), SceneMaterialRecipe()
CHOICES = choose_materials(open_libraries(("procedural",), 0).materials, DRESS)


class Toys:
    """Neighbours among a few mugs."""

    source = open_collection("toys")

    def nearest(self, shape):
        return ("mug_002", "mug_003", "mug_004")

    def load(self, shape_id):
        return self.source.load(shape_id)


def setting(recipe=RECIPE):
    return Setting(ScenePolicy(recipe), neighbours=Toys(), materials=CHOICES, plugin=recipe.plugin)


def propose(shape, kind, recipe, rng):
    return registry.propose(shape, kind, rng, setting(recipe))[1]


def apply(shape, spec, recipe):
    return registry.apply(shape, spec, setting(recipe))


def toy(name="mug_001"):
    return with_materials(Toys.source.load(name), CHOICES, DRESS, stream(0, "dress", name))


def made(shape, kind, tries=8):
    for attempt in range(tries):
        spec = propose(shape, kind, RECIPE, stream(0, "test", shape.shape_id, kind, attempt))
        result = spec if isinstance(spec, Rejected) else apply(shape, spec, RECIPE)
        if not isinstance(result, Rejected):
            return result
    pytest.fail(f"{kind} was never accepted: {result}")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_changes_a_toy_and_leaves_its_input_alone(kind):
    shape = toy("mug_001" if kind == "similar" else "robot_001")
    before = shape.digest
    odd = made(shape, kind)
    assert shape.digest == before and odd.normal is shape
    assert odd.severity > 0 and odd.spec.kind == kind and odd.part_ids
    for part in odd.shape.parts:
        assert part.skin is not None and len(part.skin.slot) == len(part.mesh.faces)
        assert set(part.skin.materials) <= set(odd.shape.palette)
        if part.part_id in odd.changed:
            assert odd.changed[part.part_id].shape == (len(part.mesh.faces),)
    spec = AnomalySpec(kind, odd.spec.part_id, odd.spec.part_class, odd.spec.values)
    again = apply(shape, spec, RECIPE)
    assert again.shape.digest == odd.shape.digest, "a function of shape and spec alone"
    assert canonical_json(odd.spec.to_json()) and kind in MODE_OF_KIND


def volume(shape):
    return sum(to_manifold(part.mesh).volume() for part in shape.parts)


def test_a_fracture_removes_what_it_says_and_stays_in_one_piece():
    shape = toy("apple_001")
    odd = made(shape, "fracture")
    assert 0.1 <= odd.severity <= 0.9
    removed = 1 - volume(odd.shape) / volume(shape)
    assert removed == pytest.approx(odd.severity, abs=0.03)
    assert loose_area([part.mesh for part in odd.shape.parts], 0.02) < 0.05
    inside = {name for part in odd.shape.parts for name in part.skin.materials if name.startswith("inside:")}
    assert inside and all(odd.shape.palette[name].roughness > 0.8 for name in inside)


def test_a_crack_keeps_the_volume_and_moves_a_piece_a_little():
    shape = toy("apple_001")
    odd = made(shape, "crack")
    # The pieces may enter each other slightly: their sum stays.
    kept = sum(abs(signed_volume(part.mesh)) for part in odd.shape.parts)
    assert kept == pytest.approx(volume(shape), rel=0.03)
    assert odd.severity < 0.05


def signed_volume(mesh):
    a, b, c = mesh.triangles.transpose(1, 0, 2)
    return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6


@pytest.mark.parametrize("kind", ["bend", "twist", "deformation", "bump"])
def test_a_field_keeps_parts_together_and_tears_nothing(kind):
    shape = toy("car_001")
    odd = made(shape, kind)
    assert [p.part_id for p in odd.shape.parts] == [p.part_id for p in shape.parts]
    assert loose_area([p.mesh for p in odd.shape.parts], 0.03) < 0.02
    for old, new in zip(shape.parts, odd.shape.parts, strict=True):
        assert (to_manifold(old.mesh) is None) == (to_manifold(new.mesh) is None), "a closed part stays closed"


def test_missing_takes_no_leg_off_a_table_top():
    """A part whose loss leaves the rest in pieces is impractical to lose."""
    shape = toy("glass_001")
    for attempt in range(6):
        spec = propose(shape, "missing", RECIPE, stream(1, attempt))
        if isinstance(spec, Rejected):
            continue
        result = apply(shape, spec, RECIPE)
        if not isinstance(result, Rejected):
            assert loose_area([p.mesh for p in result.shape.parts], 0.03) < 0.05


@pytest.mark.parametrize("name", ["horse_007", "sheep_001", "lion_001"])
def test_no_foot_stays_behind_without_its_leg(name):
    """However little of the surface the loose piece is: it stands on the floor by itself, for all to see."""
    shape, legs = toy(name), 0
    reach = RECIPE.move.loose * shape.diagonal
    for part in shape.parts:
        result = apply(shape, AnomalySpec("missing", part.part_id), RECIPE)
        if isinstance(result, Rejected):
            legs += "loose" in result.detail
            continue
        before, after = (loose_area([p.mesh for p in s.parts], reach) for s in (shape, result.shape))
        assert after <= before * shape.area / result.shape.area + 1e-3, part.path
    assert legs > 0


def test_a_material_that_looks_the_same_is_refused():
    shape = toy("mug_001")
    part = shape.parts[0]
    spec = AnomalySpec("material", part.part_id, "", {"material": part.skin.materials[0]})
    result = apply(shape, spec, RECIPE)
    assert isinstance(result, Rejected) and result.reason == "low_contrast"


def test_the_same_shape_is_not_similar():
    shape = toy("mug_001")
    result = apply(shape, AnomalySpec("similar", values={"neighbour": "mug_001"}), RECIPE)
    assert isinstance(result, Rejected) and result.reason == "nearly_same"


def test_a_similar_shape_wears_the_texture_where_the_shape_has_it():
    def painted(part):
        height = part.mesh.triangles.mean(axis=1)[:, 2]
        uv = np.repeat(np.stack([height, 0 * height], axis=1)[:, None], 3, axis=1)
        return replace(part, skin=Skin(("atlas",), np.zeros(len(height), np.int32), uv))

    shape = toy("mug_001")
    shape = replace(shape, parts=tuple(painted(part) for part in shape.parts))
    loose = RECIPE.model_copy(update={"similar": RECIPE.similar.model_copy(update={"chamfer": (0.0, 0.5)})})
    odd = apply(shape, AnomalySpec("similar", values={"neighbour": "mug_002"}), loose)
    for part in odd.shape.parts:
        height, u = part.mesh.triangles.mean(axis=1)[:, 2], part.skin.uv[:, :, 0]
        assert (np.ptp(u, axis=1) == 0).all() and np.corrcoef(height, u[:, 0])[0, 1] > 0.9


def halves(vertices, faces, seed):
    """A fracture source as a user would install one: two halves of the bounding box's solid."""
    import manifold3d

    solid = manifold3d.Manifold(manifold3d.Mesh(vertices.astype(np.float32), faces.astype(np.uint32)))
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    out = []
    for piece in solid.split_by_plane((1.0, 0.0, 0.0), float(middle[0] + 0.1)):
        mesh = piece.to_mesh()
        out.append((np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts)))
    return out


@pytest.mark.parametrize("kind", ["fracture", "crack"])
def test_a_plug_in_may_break_instead(kind):
    recipe = RECIPE.model_copy(update={"plugin": f"{__name__}:halves"})
    shape = toy("apple_001")
    spec = propose(shape, kind, recipe, stream(0, "plug"))
    odd = apply(shape, spec, recipe)
    assert not isinstance(odd, Rejected) and "plugin" in odd.method
    assert concatenate([p.mesh for p in odd.shape.parts]).area > 0


def test_a_plug_in_that_is_not_there_is_a_missing_dependency():
    spec = AnomalySpec("fracture", values={"plugin": "no_such_module:break_it", "seed": 1})
    with pytest.raises(MissingDependency, match=r"anomaly\.plugin"):
        apply(toy("apple_001"), spec, RECIPE)


class FakeModes:
    """fracture_utility.fracture_modes by its documented calls: an impact cuts the fine mesh in two, as one OBJ."""

    def __init__(self, vertices, elements):
        assert vertices.shape[1] == 3 and elements.shape[1] == 4

    def compute_modes(self, parameters=None):
        assert parameters == {"num_modes": 10, "d": 3}

    def impact_precomputation(self, v_fine=None, f_fine=None):
        self.fine = v_fine, f_fine

    def impact_projection(self, contact_point=None, direction=None):
        assert contact_point.shape == (3,) and np.linalg.norm(direction) == pytest.approx(1)
        self.pieces = halves(*self.fine, 0)

    def write_segmented_output(self, filename=None):
        lines, start = [], 1
        for vertices, faces in self.pieces:
            lines += [f"v {x} {y} {z}" for x, y, z in vertices]
            lines += [f"f {a} {b} {c}" for a, b, c in faces + start]
            start += len(vertices)
        Path(filename).write_text("\n".join(lines))


def fake_fracture_modes(monkeypatch):
    tetrahedra = np.array([[0, 1, 2, 3]])
    modules = {
        "fracture_utility": {"fracture_modes": FakeModes, "fracture_modes_parameters": dict},
        "tetgen": {"TetGen": lambda v, f: SimpleNamespace(tetrahedralize=lambda: (v, tetrahedra, None, None))},
        "gpytoolbox": {},
        "gpytoolbox.copyleft": {"lazy_cage": lambda v, f, num_faces: (v, f)},
    }
    for name, members in modules.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.parametrize("kind", ["fracture", "crack"])
def test_fracture_modes_breaks_where_it_is_installed(kind, monkeypatch):
    recipe = RECIPE.model_copy(update={"plugin": "datagen.anomalies.fracture_modes:break_apart"})
    shape = toy("apple_001")
    spec = propose(shape, kind, recipe, stream(0, "plug"))
    with pytest.raises(MissingDependency, match=r"fracture_utility.*clone https.*non-commercial"):
        apply(shape, spec, recipe)
    fake_fracture_modes(monkeypatch)
    odd = apply(shape, spec, recipe)
    assert not isinstance(odd, Rejected) and 0.1 < odd.measures["removed"] < 0.9
