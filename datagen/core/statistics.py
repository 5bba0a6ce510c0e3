"""Figures of labels, scores and pictures: AUC, bootstrap over groups, PSNR."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from datagen.core.rng import stream

Statistic = Callable[[np.ndarray], float]


def auc(label: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve of labels (n,), 1 or 0, equal scores counting half; NaN when a class is absent."""
    positive = int((label == 1).sum())
    negative = len(label) - positive
    if not positive or not negative:
        return float("nan")
    _, inverse, count = np.unique(score, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(count) - (count - 1) / 2
    above = mean_rank[inverse][label == 1].sum() - positive * (positive + 1) / 2
    return float(above / (positive * negative))


def resampled(groups: np.ndarray | Sequence[str], rounds: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Row numbers of `rounds` bootstrap samples of groups (n,), drawn whole and with replacement.

    Views of one shape are no independent samples, so shapes are what is drawn; with a single group rows are.
    Nothing without rows.
    """
    _, owner = np.unique(groups, return_inverse=True)
    if not len(owner):
        return
    if owner.max() == 0:
        owner = np.arange(len(owner))
    members = [np.flatnonzero(owner == g) for g in range(owner.max() + 1)]
    rng = stream(seed, "bootstrap")
    for _ in range(rounds):
        drawn = rng.integers(0, len(members), len(members))
        yield np.concatenate([members[g] for g in drawn])


def bootstrap(groups: np.ndarray, statistic: Statistic, rounds: int = 1000, seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of `statistic(rows)` over `resampled` rows; NaN where no round is defined."""
    values = np.array([statistic(rows) for rows in resampled(groups, rounds, seed)])
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of two uint8 arrays of one shape; infinite for equal ones."""
    error = float(((a.astype(float) - b.astype(float)) ** 2).mean())
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def evenly(count: int, wanted: int) -> tuple[int, ...]:
    """`wanted` of the numbers 0 to `count` - 1, evenly spread from 0 on; all of them where there are fewer."""
    wanted = min(wanted, count)
    return tuple(int(k * count / wanted) for k in range(wanted))
