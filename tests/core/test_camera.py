"""Cameras on a ring about their target."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datagen.core.camera import Camera, rigid_inverse


@given(st.floats(0, 360), st.floats(0, 80), st.floats(1, 10))
def test_cameras_look_at_their_target(azimuth, elevation, radius):
    camera = Camera(azimuth, elevation, radius, target=(0.1, -0.2, 0.3))
    pixels, depth = camera.project(np.array([[0.1, -0.2, 0.3]]))
    assert np.allclose(pixels, 128) and np.isclose(depth[0], radius)
    T = camera.T_world_camera
    assert np.allclose(rigid_inverse(T) @ T, np.eye(4)) and np.isclose(np.linalg.det(T[:3, :3]), 1)
    above, _ = camera.project(np.array([[0.1, -0.2, 0.4]]))
    assert above[0, 1] < 128
