"""Deviations are measured on meshes: against motions that are known, and near misses that are none."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from datagen.core.shape import Mesh
from datagen.geometry.deviation import Motion, centre_of, furthest, moved_by, rigid_motion, volume_of
from tests.conftest import box


@pytest.mark.parametrize("seed", range(20))
def test_a_motion_is_measured_as_it_was_made(seed):
    rng = np.random.default_rng(seed)
    mesh = box(rng.uniform(0.2, 2, 3), rng.uniform(-1, 1, 3))
    shift, turn = rng.normal(size=3) * 0.01, rng.normal(size=3) * 0.05
    found = rigid_motion(mesh, moved_by(mesh, Motion(shift, turn)))
    assert found is not None
    assert np.allclose(found.shift, shift, atol=1e-12) and np.allclose(found.turn, turn, atol=1e-12)
    assert found.distance == pytest.approx(np.linalg.norm(shift))
    assert found.angle_deg == pytest.approx(np.degrees(np.linalg.norm(turn)))


def test_the_place_is_that_of_the_surface_not_of_the_vertices():
    fine = Mesh(np.concatenate([box((1, 1, 1)).vertices, np.zeros((50, 3)) + 0.5]), box((1, 1, 1)).faces)
    assert np.allclose(centre_of(fine), 0)
    quarter = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    T = np.eye(4)
    T[:3, :3] = quarter
    assert rigid_motion(fine, fine.transformed(T)).distance < 1e-12


def test_what_no_rigid_motion_explains_is_none():
    mesh = box((1, 2, 3))
    bent = Mesh(mesh.vertices + np.array([0.001, 0, 0]) * (mesh.vertices[:, [2]] > 0), mesh.faces)
    mirrored = Mesh(mesh.vertices * [-1, 1, 1] + 0.1 * mesh.vertices[:, [1]], mesh.faces)
    assert rigid_motion(mesh, bent) is None and rigid_motion(mesh, mirrored) is None
    assert rigid_motion(mesh, Mesh(mesh.vertices, mesh.faces[:-1])) is None


def test_surfaces_and_volumes():
    assert furthest(box((1, 1, 1)), box((1.2, 1.2, 1.2))) == pytest.approx(0.1, abs=1e-9)
    assert furthest(box((1.2, 1.2, 1.2)), box((1, 1, 1))) == pytest.approx(0.1 * np.sqrt(3), abs=1e-9)
    assert volume_of(box((1, 2, 3), (5, 5, 5))) == pytest.approx(6)
    inside_out = Mesh(box((1, 2, 3)).vertices, box((1, 2, 3)).faces[:, ::-1])
    assert volume_of(inside_out) == pytest.approx(6)
