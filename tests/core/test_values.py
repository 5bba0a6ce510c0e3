"""Ids, streams, meshes, shapes and cameras."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.core.anomaly import AnomalySpec, spec_from_json
from datagen.core.camera import Camera, rigid_inverse
from datagen.core.errors import MeshLoadError
from datagen.core.ids import canonical_json, content_hash
from datagen.core.rng import random_rotation, stream
from datagen.core.shape import T_INSIDE_FROM_PUBLISHED, T_PUBLISHED_FROM_INSIDE, Mesh


def test_canonical_json_is_one_text_for_one_value():
    assert canonical_json({"b": 1, "a": [1.5, np.float64(2)]}) == '{"a":[1.5,2.0],"b":1}'
    assert content_hash({"b": 1, "a": 2}) == content_hash({"a": 2, "b": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_streams_depend_on_keys_alone():
    a, b, c = (stream(0, "x", key).random(4) for key in (1, 1, 2))
    assert (a == b).all() and not (a == c).any()
    assert not (stream(1, "x", 1).random(4) == a).any()


@given(st.integers(0, 2**32))
def test_random_rotations_are_rotations(seed):
    R = random_rotation(stream(seed))
    assert np.allclose(R @ R.T, np.eye(3)) and np.isclose(np.linalg.det(R), 1)


@pytest.mark.parametrize(
    ("vertices", "faces", "word"),
    [
        (np.zeros((1, 0)), np.zeros((1, 3)), "no triangle mesh"),
        (np.zeros((0, 3)), np.zeros((0, 3)), "empty"),
        (np.full((3, 3), np.nan), [[0, 1, 2]], "not finite"),
        (np.zeros((3, 3)), [[0, 1, 3]], "outside"),
        (np.zeros((3, 3)), [[0, 1, -1]], "outside"),
    ],
)
def test_impossible_meshes_are_refused(vertices, faces, word):
    with pytest.raises(MeshLoadError, match=word):
        Mesh(vertices, faces)


def test_meshes_cannot_be_written_to(plain_chair):
    with pytest.raises(ValueError, match="read-only"):
        plain_chair.parts[0].mesh.vertices[0] = 0


def test_normalised_shapes_stand_in_the_unit_sphere(plain_chair):
    assert np.isclose(plain_chair.bounds[0, 2], 0)
    assert np.allclose(plain_chair.centre[:2], 0)
    reach = max(np.linalg.norm(p.mesh.vertices - plain_chair.centre, axis=1).max() for p in plain_chair.parts)
    assert np.isclose(reach, 1)


def test_frames_are_inverse_rotations():
    assert np.allclose(T_INSIDE_FROM_PUBLISHED @ T_PUBLISHED_FROM_INSIDE, np.eye(4))
    up, front = np.array([0, 1, 0, 0]), np.array([0, 0, 1, 0])
    assert (T_INSIDE_FROM_PUBLISHED @ up == [0, 0, 1, 0]).all()
    assert (T_INSIDE_FROM_PUBLISHED @ front == [0, -1, 0, 0]).all()


@given(st.floats(0, 360), st.floats(0, 80), st.floats(1, 10))
def test_cameras_look_at_their_target(azimuth, elevation, radius):
    camera = Camera(azimuth, elevation, radius, target=(0.1, -0.2, 0.3))
    pixels, depth = camera.project(np.array([[0.1, -0.2, 0.3]]))
    assert np.allclose(pixels, 128) and np.isclose(depth[0], radius)
    T = camera.T_world_camera
    assert np.allclose(rigid_inverse(T) @ T, np.eye(4)) and np.isclose(np.linalg.det(T[:3, :3]), 1)
    above, _ = camera.project(np.array([[0.1, -0.2, 0.4]]))
    assert above[0, 1] < 128


@pytest.mark.parametrize(
    "spec",
    [
        AnomalySpec("position", 3, "Leg", {"translation": [0.1, 0.2, 0.3]}),
        AnomalySpec("missing", 3),
        AnomalySpec("bend", values={"axis": 2, "angle_deg": 31.5, "towards": [0.0, 1.0, 0.0]}),
    ],
)
def test_specs_survive_json(spec):
    assert spec_from_json(json.loads(canonical_json(spec.to_json()))) == spec
