"""Metrics of the detector: by object, pooled and by scene, by kind, severity and number of objects."""

from typing import Any

import numpy as np

from datagen.core.statistics import auc
from datagen.train.report import Figure, measured, score_report, without_nan
from datagen.train.tasks.detector.predictions import ObjectPredictions

COUNTS = ((2, 3), (4, 5), (6, 7), (8, 12))
"""Numbers of objects, from and to, that are told apart."""


def object_report(found: ObjectPredictions, threshold: float, rounds: int) -> dict[str, Any]:
    """Every metric with its 95 % interval over shapes. Scores are of the true boxes."""
    every = np.arange(len(found.samples))
    more: dict[str, Figure | None] = {
        "auc_by_scene": (lambda rows: by_scene(found, rows), every),
        "auc_residual": (lambda rows: auc(found.label[rows], found.residual[rows]), every),
    }
    report = score_report(found, threshold, rounds, more)
    kinds = np.array([sample.thing.kind for sample in found.samples])
    counts = np.array([len(sample.scene.things) for sample in found.samples])
    normal = np.flatnonzero(found.label == 0)
    report["per_kind"] = {
        kind: _auc(found, np.sort(np.concatenate([normal, np.flatnonzero(kinds == kind)])), rounds)
        for kind in sorted(set(kinds[found.label == 1].tolist()))
    }
    report["per_count"] = {
        f"{low} to {high}": _auc(found, rows, rounds)
        for low, high in COUNTS
        if len(rows := np.flatnonzero((counts >= low) & (counts <= high)))
    }
    plain: dict[str, Any] = without_nan(report)
    return plain


def by_scene(found: ObjectPredictions, rows: np.ndarray) -> float:
    """Mean AUC of the scenes that have both labels; a scene drawn twice counts twice."""
    values = []
    scenes, start = np.unique(found.scene[rows], return_index=True)
    for scene in scenes[np.argsort(start)]:
        own = rows[found.scene[rows] == scene]
        value = auc(found.label[own], found.score[own])
        if np.isfinite(value):
            values.append(value)
    return float(np.mean(values)) if values else float("nan")


def _auc(found: ObjectPredictions, rows: np.ndarray, rounds: int) -> dict[str, Any]:
    told = measured(found, lambda r: auc(found.label[r], found.score[r]), rows, rounds)
    return told | {"anomalies": int(found.label[rows].sum())}
