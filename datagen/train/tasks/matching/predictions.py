"""What a network answered to every sample of a split: scores, boxes and views."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from datagen.train.predictions import Predictions

BINS = 64
"""Equal bins of a change map's probability, an even number, by which pixels are counted."""


@dataclass(frozen=True, eq=False)
class MatchingPredictions(Predictions):
    """One row per sample, in the split's order; boxes are cx, cy, w, h."""

    box: np.ndarray
    """(n, 4); NaN where the network predicts none."""
    true_box: np.ndarray
    view: np.ndarray
    """Predicted nearest view, -1 where the network predicts none."""
    true_view: np.ndarray
    angle: np.ndarray
    """(n,) degrees between the directions of query and true nearest view; NaN where unknown."""
    pose_error: np.ndarray | None = None
    """(n,) degrees between the true camera and the one found by rendering; NaN where unknown, None without renders."""
    pixels: np.ndarray | None = None
    """(n, 2, BINS) unchanged and changed pixels by the probability that the network's change map gives them."""
    regions: np.ndarray | None = None
    """(n, BINS + 1): over the connected regions of the true change, the sum of the shares of their pixels in every bin
    of that probability; and the number of regions."""

    @property
    def normal_of_known_pose(self) -> np.ndarray:
        """Rows by which viewpoint is measured, as in section 5.1: an anomaly may hide what tells the view."""
        return np.flatnonzero((self.true_view >= 0) & (self.label == 0))


def viewpoint_accuracy(found: MatchingPredictions) -> float:
    """Share of normal queries of known pose whose nearest view is named; NaN without such a query."""
    rows = found.normal_of_known_pose
    return float((found.view[rows] == found.true_view[rows]).mean()) if len(rows) else float("nan")


def collect(samples: tuple[Any, ...], answers: Mapping[str, np.ndarray]) -> MatchingPredictions:
    """The predictions out of the columns of `DetectionObjective.answer`."""
    return MatchingPredictions(
        samples=samples,
        label=np.array([sample.label for sample in samples]),
        score=answers["score"],
        box=answers["box"],
        true_box=np.array([sample.box for sample in samples]).reshape(-1, 4),
        view=answers["view"],
        true_view=answers["true_view"],
        angle=answers["angle"],
        pose_error=answers.get("pose_error"),
        pixels=answers.get("pixels"),
        regions=answers.get("regions"),
    )
