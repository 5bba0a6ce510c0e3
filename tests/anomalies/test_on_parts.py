"""The five operators: what they promise of any shape, seed and part."""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datagen.anomalies.registry import apply, propose
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected, spec_from_json
from datagen.core.rng import stream
from datagen.core.shape import Part
from datagen.formats.brokenchairs import KINDS
from datagen.kinds.brokenchairs.policy import FRAME_RADIUS, GROUND_TOLERANCE, chair_setting
from datagen.recipe.models import Recipe
from datagen.shapes.collections import open_collection
from tests.conftest import box

RECIPE = Recipe()
SLOW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Pool:
    """Every built-in chair but the asker can give."""

    def __init__(self, source) -> None:
        self.source = source

    def candidates(self, part_class, shape_id):
        return tuple(
            e.shape_id for e in self.source.entries() if part_class in e.part_classes and e.shape_id != shape_id
        )

    def load(self, shape_id):
        return self.source.load(shape_id)


@pytest.fixture(scope="module")
def source():
    return open_collection("partnet/chair")


@pytest.fixture(scope="module")
def pool(source):
    return Pool(source)


def attempt(shape, kind, seed, pool):
    setting = chair_setting(RECIPE, pool)
    _, spec = propose(shape, kind, stream(seed, "test"), setting)
    return spec, spec if isinstance(spec, Rejected) else apply(shape, spec, setting)


@SLOW
@given(kind=st.sampled_from(KINDS), chair=st.integers(0, 23), seed=st.integers(0, 2**31))
def test_operators_keep_their_promises(source, pool, kind, chair, seed):
    shape = source.load(source.entries()[chair].shape_id)
    before = shape.digest
    spec, result = attempt(shape, kind, seed, pool)
    again, _ = attempt(shape, kind, seed, pool)
    assert spec == again
    assert dataclasses.replace(shape).digest == before
    if isinstance(result, Rejected):
        assert result.reason
        return
    assert spec_from_json(spec.to_json()) == spec
    assert 0 < result.severity <= 1
    check_geometry(shape, result)


def check_geometry(shape, result: AnomalousShape):
    if result.new_mesh is None:
        assert result.spec.kind == "missing"
        return
    changed = result.changed[result.spec.part_id]
    assert len(changed) == len(result.new_mesh.faces) and changed.any()
    assert result.new_mesh.bounds[0, 2] > -GROUND_TOLERANCE - 1e-9
    assert np.linalg.norm(result.new_mesh.vertices - shape.centre, axis=1).max() <= FRAME_RADIUS + 1e-9
    others = [i for i, _ in result.meshes() if i != result.spec.part_id]
    assert sorted([*others, result.spec.part_id]) == sorted(p.part_id for p in shape.parts)


@pytest.mark.parametrize("kind", KINDS)
def test_most_proposals_are_accepted(source, pool, kind):
    outcomes = []
    for k, entry in enumerate(source.entries()):
        outcomes.append(not isinstance(attempt(source.load(entry.shape_id), kind, k, pool)[1], Rejected))
    assert np.mean(outcomes) >= (0.3 if kind == "broken" else 0.4), (kind, np.mean(outcomes))


def test_position_moves_by_what_it_says(plain_chair, pool):
    for seed in range(5):
        spec, result = attempt(plain_chair, "position", seed, pool)
        if not isinstance(result, Rejected):
            assert np.allclose(result.new_mesh.centre - result.old_mesh.centre, spec.values["translation"])
            length = np.linalg.norm(spec.values["translation"]) / plain_chair.diagonal
            assert length + 1e-9 >= 0.04 and length <= 0.2 + 1e-9


def test_a_symmetric_turn_is_rejected(plain_chair):
    top = plain_chair.part(3).mesh.centre
    turn = {"pivot": top.tolist(), "axis": [0.0, 0.0, 1.0], "angle_deg": 90.0}
    spec = AnomalySpec("rotation", 3, "Leg", turn)
    assert apply(plain_chair, spec, chair_setting(RECIPE, None)).reason == "symmetric"


def test_rotation_keeps_the_contact(plain_chair, pool):
    for seed in range(8):
        spec, result = attempt(plain_chair, "rotation", seed, pool)
        if isinstance(result, AnomalousShape) and spec.part_class == "Leg":
            seat = plain_chair.part(1).mesh.bounds[0, 2]
            assert abs(spec.values["pivot"][2] - seat) < 0.05


def test_broken_removes_volume_and_closes_the_cut(plain_chair, pool):
    import trimesh

    seen = 0
    for seed in range(6):
        _, result = attempt(plain_chair, "broken", seed, pool)
        if isinstance(result, Rejected):
            continue
        seen += 1
        solid = trimesh.Trimesh(result.new_mesh.vertices, result.new_mesh.faces)
        whole = trimesh.Trimesh(result.old_mesh.vertices, result.old_mesh.faces)
        assert solid.is_watertight
        assert np.isclose(1 - solid.volume / whole.volume, result.severity, atol=1e-3)
        assert 0.1 <= result.severity <= 0.9
    assert seen >= 3


def test_doubled_open_parts_can_be_broken(plain_chair, pool):
    """PartNet's usual part: an open shell, every face twice."""
    seat = plain_chair.part(1).mesh
    shell = seat.faces[:-4]
    doubled = dataclasses.replace(
        plain_chair.parts[0], mesh=type(seat)(seat.vertices, np.concatenate([shell, shell[:, ::-1]]))
    )
    shape = dataclasses.replace(plain_chair, parts=(doubled,))
    results = [attempt(shape, "broken", seed, pool)[1] for seed in range(8)]
    taken = [r for r in results if isinstance(r, AnomalousShape)]
    assert len(taken) >= 3
    assert all(r.method in ("repaired", "solidified") for r in taken)


def test_swaps_fit_the_slot(source, pool):
    fits = 0
    for entry in source.entries()[:12]:
        shape = source.load(entry.shape_id)
        spec, result = attempt(shape, "swapped", 3, pool)
        if isinstance(result, Rejected):
            continue
        fits += 1
        old, new = shape.part(spec.part_id).mesh, result.new_mesh
        axis = int(np.argmax(old.extents))
        assert np.isclose(old.extents[axis], new.extents[axis], rtol=0.02)
        assert spec.values["donor_shape_id"] != shape.shape_id
    assert fits >= 4


def removed(shape, part_id):
    return apply(shape, AnomalySpec("missing", part_id), chair_setting(RECIPE, None))


def test_missing_refuses_trifles_and_halves(plain_chair):
    assert removed(plain_chair, 1).severity > 0.1
    tiny = Part(9, "knob", "chair/knob", "Other", box((0.01, 0.01, 0.01), (0, 0, 0.5)))
    shape = dataclasses.replace(plain_chair, parts=(*plain_chair.parts, tiny))
    assert removed(shape, 9).reason == "too_small"
    half = dataclasses.replace(plain_chair, parts=plain_chair.parts[1:3])
    assert removed(half, 2).reason == "too_much"
