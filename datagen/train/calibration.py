"""A decision threshold from a few real photographs, and what so few of them can promise.

A network learned from renders; what it scores a good part's photograph is another matter. The scores of n good photos
rank a new good one: above the k-th largest of them it comes with probability k / (n + 1) (split conformal prediction),
and with 95 % confidence no more often than the upper Clopper-Pearson bound says.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression

from datagen.core.errors import UsageError
from datagen.core.ids import bytes_hash
from datagen.core.statistics import auc
from datagen.formats.encode import json_bytes

CONFIDENCE = 0.95
EDGE = 1e-6
"""Scores are held this far from 0 and 1, so that logits are finite."""


@dataclass(frozen=True)
class Calibration:
    """`score = expit(scale * logit(raw) + shift)`, anomalous above `threshold`; for the checkpoint of that SHA-256.

    `expected_false_calls` is the share of good parts that will be called anomalous on average over such photos,
    `most_false_calls` its upper bound with 95 % confidence, `hits` of `bad` photos are above the threshold.
    """

    checkpoint: str
    threshold: float
    scale: float
    shift: float
    good: int
    wanted_false_calls: float
    expected_false_calls: float
    most_false_calls: float
    bad: int = 0
    hits: int = 0
    auc: float | None = None

    def __call__(self, score: float) -> float:
        """The calibrated score of a network's, both in 0..1."""
        return float(expit(self.scale * _logits(np.array([score]))[0] + self.shift))

    @property
    def hit_rate(self) -> tuple[float, float, float] | None:
        """Share of the bad photos above the threshold and its 95 % interval (Clopper and Pearson); None without any."""
        if not self.bad:
            return None
        tail = (1 - CONFIDENCE) / 2
        low = float(beta.ppf(tail, self.hits, self.bad - self.hits + 1)) if self.hits else 0.0
        high = float(beta.ppf(1 - tail, self.hits + 1, self.bad - self.hits)) if self.hits < self.bad else 1.0
        return self.hits / self.bad, low, high

    def lines(self) -> list[str]:
        """What the photos tell, in words."""
        said = [
            f"threshold {self.threshold:.3f} from {self.good} good photos",
            f"false calls: {self.expected_false_calls:.1%} expected, at most {self.most_false_calls:.1%} with 95 % "
            "confidence",
        ]
        if self.expected_false_calls > self.wanted_false_calls:
            said.append(
                f"too few photos for {self.wanted_false_calls:.1%}: that takes {photos_for(self.wanted_false_calls)} "
                f"good ones, and {photos_to_bound(self.wanted_false_calls)} to say so with 95 % confidence"
            )
        elif self.good < (more := photos_to_bound(self.wanted_false_calls)):
            said.append(f"to say {self.wanted_false_calls:.1%} with 95 % confidence takes {more} good photos")
        rate = self.hit_rate
        if rate is not None:
            told = f"{self.hits} of {self.bad} ({rate[1]:.0%} to {rate[2]:.0%}), AUC {self.auc:.3f}"
            said.append(f"bad photos found: {told}")
        return said

    def to_json(self) -> dict[str, Any]:
        """All fields and the hit rate with its interval as plain data."""
        return {**asdict(self), "hit_rate": self.hit_rate}


def calibrate(
    good: Sequence[float],
    bad: Sequence[float],
    checkpoint: Path,
    *,
    false_calls: float = 0.05,
    affine: bool = False,
) -> Calibration:
    """The threshold for a wanted share of false calls, from scores (0..1) of photographs of good and bad parts.

    `affine` also brings scores to probabilities by a logistic fit to both (Platt), both classes weighing alike.
    Raises UsageError without good photos, for `affine` without bad ones, or where bad ones do not score higher.
    """
    if not good:
        raise UsageError("no good photo could be judged; --photos needs some that show the part whole")
    raw, odd = _logits(np.array(good)), _logits(np.array(bad))
    scale, shift = _affine(raw, odd) if affine else (1.0, 0.0)
    called = max(1, int(np.floor(false_calls * (len(raw) + 1) + 1e-9)))
    scores = np.sort(expit(scale * raw + shift))[::-1]
    threshold = float(scores[called - 1])
    hits = int((expit(scale * odd + shift) > threshold).sum())
    label = np.r_[np.zeros(len(raw)), np.ones(len(odd))]
    return Calibration(
        checkpoint=bytes_hash(checkpoint.read_bytes()),
        threshold=threshold,
        scale=scale,
        shift=shift,
        good=len(raw),
        wanted_false_calls=false_calls,
        expected_false_calls=called / (len(raw) + 1),
        most_false_calls=float(beta.ppf(CONFIDENCE, called, len(raw) - called + 1)),
        bad=len(odd),
        hits=hits,
        auc=auc(label, np.r_[raw, odd]) if len(odd) else None,
    )


def photos_for(false_calls: float) -> int:
    """Good photos from which on this share of false calls can be expected."""
    return int(np.ceil(1 / false_calls - 1 - 1e-9))


def photos_to_bound(false_calls: float) -> int:
    """Good photos from which on this share holds with 95 % confidence, the threshold being the largest score."""
    return int(np.ceil(np.log(1 - CONFIDENCE) / np.log(1 - false_calls) - 1e-9))


def write_calibration(found: Calibration, path: Path) -> None:
    """Write it as JSON. Raises OSError."""
    path.write_bytes(json_bytes(found.to_json()))


def read_calibration(path: Path, checkpoint: Path) -> Calibration:
    """Raises UsageError for a file that is none, or one of another network."""
    try:
        told = json.loads(path.read_bytes())
        told.pop("hit_rate", None)
        found = Calibration(**told)
        valid = 0 <= found.threshold <= 1 and np.isfinite([found.scale, found.shift]).all()
    except (OSError, ValueError, TypeError, AttributeError) as error:
        why = "it has other fields" if isinstance(error, TypeError | AttributeError) else error
        raise UsageError(f"--calibration {path} is none of `datagen calibrate` ({why}); make it again") from error
    if not valid:
        raise UsageError(f"--calibration {path} has numbers out of range; make it again with `datagen calibrate`")
    if found.checkpoint != bytes_hash(checkpoint.read_bytes()):
        raise UsageError(f"--calibration {path} is of another network than {checkpoint}; calibrate this one")
    return found


def _logits(scores: np.ndarray) -> np.ndarray:
    found: np.ndarray = logit(np.clip(np.asarray(scores, dtype=np.float64), EDGE, 1 - EDGE))
    return found


def _affine(good: np.ndarray, bad: np.ndarray) -> tuple[float, float]:
    if not len(bad):
        raise UsageError("--affine needs photos of bad parts too; give --bad, or leave it out")
    label = np.r_[np.zeros(len(good)), np.ones(len(bad))]
    fitted = LogisticRegression(class_weight="balanced").fit(np.r_[good, bad][:, None], label)
    scale, shift = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    if scale <= 0:
        raise UsageError(
            "bad parts score no higher than good ones, so no scale helps; look at the photos with `datagen predict`"
        )
    return scale, shift
