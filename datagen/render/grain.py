"""Grain that a denoiser left on the ground.

From few samples it now and then takes noise for texture and keeps it: one picture of 68 of a demo build, at 4 samples,
clean at 8. The ground has no texture, so grain can be seen, and the picture is taken again.
"""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

GRAIN = 4 / 255
"""Departure from the median of 5 x 5 pixels that smooth ground does not show, in linear light where white is 1."""

MOST_DOUBLINGS = 4


def speckled(ground: np.ndarray) -> bool:
    """Whether a denoised ground, linear (N, N, 3), is grainy in a tenth of its pixels or more.

    Shadows are smooth beside the few pixels at the feet: 1 to 1.4 of 255 at the 90th percentile on clean grounds from
    4 to 64 samples, 11.6 on a grainy one.
    """
    grey = ground.mean(axis=2)
    return bool(np.percentile(np.abs(grey - ndimage.median_filter(grey, 5)), 90) > GRAIN)


def without_grain(take: Callable[[int], np.ndarray], samples: int) -> np.ndarray:
    """`take(samples)`, a ground as for `speckled`, and again with twice the samples for as long as it is grainy."""
    found = take(samples)
    for doubling in range(1, MOST_DOUBLINGS + 1):
        if not speckled(found):
            break
        found = take(samples << doubling)
    return found
