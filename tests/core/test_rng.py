"""Named streams of random numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datagen.core.rng import random_rotation, stream


def test_streams_depend_on_keys_alone():
    a, b, c = (stream(0, "x", key).random(4) for key in (1, 1, 2))
    assert (a == b).all() and not (a == c).any()
    assert not (stream(1, "x", 1).random(4) == a).any()


@given(st.integers(0, 2**32))
def test_random_rotations_are_rotations(seed):
    R = random_rotation(stream(seed))
    assert np.allclose(R @ R.T, np.eye(3)) and np.isclose(np.linalg.det(R), 1)
