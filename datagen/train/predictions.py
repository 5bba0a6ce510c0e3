"""What a network answered to every sample of a split."""

from dataclasses import dataclass

import numpy as np

from datagen.datasets.samples import Sample


@dataclass(frozen=True, eq=False)
class Predictions:
    """One row a sample, in the split's order: probability, predicted and true box (cx, cy, w, h), views."""

    samples: tuple[Sample, ...]
    label: np.ndarray
    score: np.ndarray
    box: np.ndarray
    """(n, 4); NaN where the network predicts none."""
    true_box: np.ndarray
    view: np.ndarray
    """Predicted nearest view, -1 where the network predicts none."""
    true_view: np.ndarray

    @property
    def normal_of_known_pose(self) -> np.ndarray:
        """Rows by which viewpoint is measured, as in section 5.1: an anomaly may hide what tells the view."""
        return np.flatnonzero((self.true_view >= 0) & (self.label == 0))


def viewpoint_accuracy(found: Predictions) -> float:
    """Share of normal queries of known pose whose nearest view is named; NaN without such a query."""
    rows = found.normal_of_known_pose
    return float((found.view[rows] == found.true_view[rows]).mean()) if len(rows) else float("nan")
