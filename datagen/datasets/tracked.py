"""The published alignment's points: two views and pixels of surface points seen in both."""

import numpy as np

from datagen.core.errors import BrokenFile
from datagen.datasets.source import SampleSource

MAX_DRAWS = 50


def farthest_points(points_T2: np.ndarray, count: int) -> np.ndarray:
    """Indices (count,) of a farthest-point sample that starts at point 0."""
    chosen = np.zeros(count, dtype=np.int64)
    distance = np.full(len(points_T2), np.inf)
    for k in range(1, count):
        distance = np.minimum(distance, np.linalg.norm(points_T2 - points_T2[chosen[k - 1]], axis=1))
        chosen[k] = distance.argmax()
    return chosen


def tracked_pairs(
    source: SampleSource, shape: str, count: int, rng: np.random.Generator
) -> tuple[int, int, np.ndarray]:
    """Two distinct views and the [row, col] pixels (2, count, 2) of surface points visible in both.

    Raises BrokenFile when no drawn pair of views shares `count` points.
    """
    for _ in range(MAX_DRAWS):
        first, second = (int(v) for v in rng.permutation(source.count(shape))[:2])
        (pixels1, seen1), (pixels2, seen2) = source.tracks(shape, first), source.tracks(shape, second)
        both = np.flatnonzero(seen1 & seen2)
        if len(both) >= count:
            picked = both[farthest_points(pixels1[both].astype(np.float64), count)]
            return first, second, np.stack([pixels1[picked], pixels2[picked]])
    raise BrokenFile(f"shape {shape}: in {MAX_DRAWS} draws no two reference views shared {count} visible points")
