"""Metrics of scored samples as plain data, each with its interval."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from datagen.core.statistics import auc, bootstrap
from datagen.train.metrics import accuracy
from datagen.train.predictions import Predictions

Figure = tuple[Callable[[np.ndarray], float], np.ndarray]
"""A measure of rows, and the rows that it is taken of."""


def score_report(
    found: Predictions, threshold: float, rounds: int, more: Mapping[str, Figure | None] | None = None
) -> dict[str, Any]:
    """AUC, accuracy and confusion at 0.5 and at the threshold, and `more` figures; None is told as null.

    Values stand by name; `intervals` has their 95 % intervals from `rounds` of the bootstrap over shapes. `n` counts
    samples, `n_shapes` shapes. JSON has no NaN: an undefined number is None.
    """
    label, score, every = found.label, found.score, np.arange(len(found.samples))
    figures: dict[str, Figure] = {
        "auc": (lambda r: auc(label[r], score[r]), every),
        "accuracy": (lambda r: accuracy(label[r], score[r]), every),
        "accuracy_at_validation_threshold": (lambda r: accuracy(label[r], score[r], threshold), every),
    }
    figures |= {name: figure for name, figure in (more or {}).items() if figure}
    done = {name: measured(found, *figure, rounds) for name, figure in figures.items()}
    report: dict[str, Any] = {name: figure["value"] for name, figure in done.items()}
    report |= {name: None for name in more or {} if name not in done}
    report |= {"n": len(every), "n_shapes": len(set(shapes_of(found).tolist())), "threshold": threshold}
    report["intervals"] = {name: figure["interval"] for name, figure in done.items()}
    report["confusion"] = confusion(label, score)
    report["confusion_at_validation_threshold"] = confusion(label, score, threshold)
    return without_nan(report)


def measured(found: Predictions, value: Callable[[np.ndarray], float], rows: np.ndarray, rounds: int) -> dict[str, Any]:
    """A measure of some rows with its interval, and how many they are."""
    low, high = bootstrap(shapes_of(found)[rows], lambda r: value(rows[r]), rounds)
    return {"value": value(rows), "interval": [low, high], "n": len(rows)}


def shapes_of(found: Predictions) -> np.ndarray:
    """The shape (n,) of every sample."""
    return np.array([sample.shape for sample in found.samples])


def severity_bins(kind: np.ndarray, severity: np.ndarray, label: np.ndarray) -> np.ndarray:
    """`low`, `middle` or `high` third within each kind: severities of different kinds have different units."""
    bins = np.full(len(kind), "", dtype=object)
    for one in np.unique(kind[label == 1]):
        rows = np.flatnonzero((label == 1) & (kind == one))
        rank = severity[rows].argsort(kind="stable").argsort(kind="stable")
        bins[rows] = np.array(["low", "middle", "high"], dtype=object)[rank * 3 // len(rows)]
    return bins.astype(str)


def confusion(label: np.ndarray, score: np.ndarray, threshold: float = 0.5) -> dict[str, int]:
    """Counts of decisions at a threshold."""
    said = score > threshold
    return {
        "true_positive": int((said & (label == 1)).sum()),
        "false_positive": int((said & (label == 0)).sum()),
        "false_negative": int((~said & (label == 1)).sum()),
        "true_negative": int((~said & (label == 0)).sum()),
    }


def without_nan(value: Any) -> Any:
    """Plain data with None for every number that is not finite."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
