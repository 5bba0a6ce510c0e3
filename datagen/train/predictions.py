"""What a network answered to every sample of a split."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Predictions:
    """One row per sample, in the split's order. A task adds its own columns in a subclass."""

    samples: tuple[Any, ...]
    """Of the dataset; each has a `shape`."""
    label: np.ndarray
    """(n,); 1 for anomalous."""
    score: np.ndarray
    """(n,); the probability of an anomaly."""


def collect_scores(samples: tuple[Any, ...], answers: Mapping[str, np.ndarray]) -> Predictions:
    """The predictions of an objective whose answer holds `label` and `score`."""
    return Predictions(samples, answers["label"], answers["score"])
