"""Meshes, shapes and their frames."""

import numpy as np
import pytest

from datagen.core.errors import MeshLoadError
from datagen.core.shape import T_INSIDE_FROM_PUBLISHED, T_PUBLISHED_FROM_INSIDE, Mesh


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
