"""Grain that the denoiser left on the ground is seen, and such a ground taken again."""

import numpy as np
import pytest
from scipy import ndimage

from datagen.render.grain import MOST_DOUBLINGS, speckled, without_grain


def ground(grain=0.0, share=0.5, seed=0):
    """Linear (128, 128, 3): white with the soft shadow and the dark contact of a leg; `grain` on its lower part."""
    rng = np.random.default_rng(seed)
    shadow = np.zeros((128, 128))
    shadow[70:100, 40:90] = 0.5
    shadow = ndimage.gaussian_filter(shadow, 5)
    shadow[96:99, 60:63] = 0.9
    picture = 1.13 - np.repeat(shadow[..., None], 3, axis=2) + rng.normal(0, 1 / 255, (128, 128, 3))
    lower = int(128 * (1 - share))
    picture[lower:] += ndimage.gaussian_filter(rng.normal(0, grain * 3, (128 - lower, 128, 1)), (0.7, 0.7, 0))
    return picture.astype(np.float32)


def test_shadows_are_no_grain():
    assert not speckled(ground())


@pytest.mark.parametrize(("grain", "share"), [(0.05, 0.5), (0.1, 0.3)])
def test_grain_is_seen(grain, share):
    assert speckled(ground(grain, share))


def test_a_grainy_ground_is_taken_again_with_twice_the_samples():
    taken = []

    def take(samples):
        taken.append(samples)
        return ground(0.05 if samples < 16 else 0.0)

    assert not speckled(without_grain(take, 4))
    assert taken == [4, 8, 16]


def test_a_clean_ground_is_taken_once_and_a_hopeless_one_not_for_ever():
    taken = []
    without_grain(lambda samples: taken.append(samples) or ground(), 4)
    assert taken == [4]
    taken.clear()
    without_grain(lambda samples: taken.append(samples) or ground(0.1), 4)
    assert len(taken) == 1 + MOST_DOUBLINGS and taken[-1] == 4 << MOST_DOUBLINGS
