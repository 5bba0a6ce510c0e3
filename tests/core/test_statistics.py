"""Statistics against their definitions."""

import numpy as np

from datagen.core.statistics import auc


def test_auc_against_its_definition():
    rng = np.random.default_rng(0)
    y, scores = rng.integers(0, 2, 60), rng.integers(0, 9, 60).astype(float)
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[y == 1] for b in scores[y == 0]]
    assert np.isclose(auc(y, scores), np.mean(pairs))
