"""Probability of detection against the size of a defect: hits and misses, a logistic curve, a90 and its 95 % bound.

The model of MIL-HDBK-1823A for hit/miss data: logit P(hit) = intercept + slope * ln(size). a90 is the size that is
found nine times in ten; a90/95 the upper bound of that with 95 % confidence, here by a bootstrap over shapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from datagen.core.statistics import resampled

FOUND = 0.9
CONFIDENCE = 0.95
FALSE_CALLS = 0.05
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Shares of false calls whose thresholds are told."""
ROUNDS = 200
LARGEST = 300.0
"""Logarithm of a size that is as good as infinite."""
LEAST = 8
"""Defects below which no curve is drawn."""


@dataclass(frozen=True)
class PodCurve:
    """P(hit) = expit(intercept + slope ln size). A slope that is not above 0 says that size does not help."""

    intercept: float
    slope: float

    def at(self, size: np.ndarray) -> np.ndarray:
        """The probability at sizes above 0."""
        found: np.ndarray = expit(self.intercept + self.slope * np.log(size))
        return found

    def size_found(self, share: float = FOUND) -> float:
        """The size that is found so often; infinite where larger defects are not found more often."""
        if self.slope <= 0:
            return float("inf")
        return float(np.exp(min((logit(share) - self.intercept) / self.slope, LARGEST)))


@dataclass(frozen=True)
class Pod:
    """A curve with what it was fitted to. `a90` is infinite where it lies beyond the largest defect that was tried,
    `a90_95` where the data do not bound it."""

    curve: PodCurve | None
    a90: float
    a90_95: float
    hits: int
    n: int
    separated: bool = False
    """Every defect from some size on is found and none below, but for ties at that size: no curve is best, a90 is the
    smallest from which on nine in ten were found."""


def threshold_for(normal_scores: np.ndarray, false_calls: float) -> float:
    """The lowest score above which at most this share of the normal samples is called anomalous."""
    ranked = np.sort(normal_scores)
    allowed = int(np.floor(false_calls * len(ranked)))
    return float(ranked[len(ranked) - 1 - allowed]) if len(ranked) else float("nan")


def fit(size: np.ndarray, hit: np.ndarray) -> PodCurve | None:
    """The likeliest curve; None where all or none were found, or where size parts hits from misses."""
    if hit.all() or not hit.any() or _separated(size, hit):
        return None
    model = LogisticRegression(C=np.inf, max_iter=1000).fit(np.log(size)[:, None], hit)
    return PodCurve(float(model.intercept_[0]), float(model.coef_[0, 0]))


def _separated(size: np.ndarray, hit: np.ndarray) -> bool:
    """Whether no miss is larger than a hit, and there are both: the likeliest curve is a step."""
    return bool(hit.any() and not hit.all() and size[hit].min() >= size[~hit].max())


def size_found(size: np.ndarray, hit: np.ndarray) -> float:
    """a90 of hits and misses: of the curve; of separated ones the smallest size from which on nine in ten were found.

    Infinite where there is none.
    """
    if not hit.any():
        return float("inf")
    if hit.all() or _separated(size, hit):
        enough = [s for s in np.unique(size[hit]) if hit[size >= s].mean() >= FOUND]
        return float(min(enough, default=float("inf")))
    curve = fit(size, hit)
    return curve.size_found() if curve else float("inf")


def probability_of_detection(
    size: np.ndarray, hit: np.ndarray, groups: np.ndarray | Sequence[str], rounds: int = 1000
) -> Pod | None:
    """A curve of defects of known size (n,) above 0 that were hit or missed (n,) bool; None for fewer than `LEAST`.

    `groups` (n,) names the shape of each: the bootstrap draws shapes, as their defects are not independent.
    """
    if len(size) < LEAST:
        return None
    # Screws of one drawing differ in their last digits alone, and are of one size.
    size = np.array([float(f"{value:.4g}") for value in size])
    drawn = [size_found(size[rows], hit[rows]) for rows in resampled(groups, rounds)]
    bound = float(np.quantile(drawn, CONFIDENCE, method="higher")) if drawn else float("inf")
    a90, most = size_found(size, hit), float(size.max())
    reached = [value if value <= most else float("inf") for value in (a90, max(bound, a90))]
    parted = bool(hit.all() or _separated(size, hit))
    return Pod(fit(size, hit), reached[0], reached[1], int(hit.sum()), len(size), parted)


def pod_figures(
    label: np.ndarray,
    score: np.ndarray,
    kinds: np.ndarray,
    sizes: np.ndarray,
    shapes: np.ndarray,
    false_calls: float = FALSE_CALLS,
    units: np.ndarray | None = None,
) -> dict[str, Any]:
    """Figures as plain data: the threshold at a share of false calls on the normal samples, and a curve for each kind.

    `sizes` (n,) are in `units` (n,) of words, `mm` and the like, or severities, whose measure is a kind's own, where a
    unit is ''; NaN or 0 where unknown. Kinds with fewer than `LEAST` defects of known size are left out.
    `thresholds` are those of other shares of false calls.
    """
    threshold = threshold_for(score[label == 0], false_calls)
    curves = {}
    for kind in sorted(set(kinds[label == 1].tolist())):
        rows = np.flatnonzero((label == 1) & (kinds == kind) & (sizes > 0))
        found = probability_of_detection(sizes[rows], score[rows] > threshold, shapes[rows], ROUNDS)
        if found is not None:
            curves[kind] = {
                "a90": found.a90,
                "a90_95": found.a90_95,
                "hits": found.hits,
                "n": found.n,
                "separated": found.separated,
                "curve": [found.curve.intercept, found.curve.slope] if found.curve else None,
                "unit": "" if units is None else str(units[rows][0]),
                "sizes": [float(sizes[rows].min()), float(sizes[rows].max())],
            }
    false = float((score[label == 0] > threshold).mean()) if (label == 0).any() else float("nan")
    told = {"threshold": threshold, "false_calls": false, "wanted_false_calls": false_calls, "per_kind": curves}
    return {**told, "thresholds": {str(share): threshold_for(score[label == 0], share) for share in SHARES}}
