"""Metrics of the matching task: those of scores, boxes and views, and AUC by groups of anomalies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from datagen.core.statistics import auc
from datagen.train.infer import predict_split
from datagen.train.metrics import average_precision, box_iou
from datagen.train.report import Figure, measured, score_report, without_nan
from datagen.train.runtime import Runtime
from datagen.train.task import Loaded
from datagen.train.tasks.matching.predictions import MatchingPredictions
from datagen.train.tasks.matching.recipe import MatchingRecipe


def matching_report(found: MatchingPredictions, threshold: float, rounds: int) -> dict[str, Any]:
    """Every metric of section 5, each with its 95 % interval over shapes."""
    iou = box_iou(found.box, found.true_box)
    right = (found.view == found.true_view).astype(float)
    boxes: Figure | None = None
    views: Figure | None = None
    if bool(np.isfinite(found.box).all()):
        every = np.arange(len(found.samples))
        boxes = (lambda r: average_precision(found.label[r], found.score[r], iou[r]), every)
    if (found.true_view >= 0).any() and (found.view >= 0).any():
        views = (lambda r: float(right[r].mean()) if len(r) else float("nan"), found.normal_of_known_pose)
    report = score_report(found, threshold, rounds, {"ap50": boxes, "viewpoint": views})
    for name, groups in partitions(found):
        report[name] = {
            group: measured(found, lambda r: auc(found.label[r], found.score[r]), rows, rounds) | {"anomalies": count}
            for group, rows, count in groups
        }
    plain: dict[str, Any] = without_nan(report)
    return plain


def partitions(found: MatchingPredictions) -> Iterator[tuple[str, list[tuple[str, np.ndarray, int]]]]:
    """Anomalies by kind, part class and severity third of their kind, each against all normal samples."""
    normal = np.flatnonzero(found.label == 0)
    kind, part = (np.array([getattr(s, name) for s in found.samples]) for name in ("kind", "part_class"))
    columns = {"per_kind": kind, "per_part_class": part}
    severity = [s.severity for s in found.samples]
    # The published data do not tell how severe an anomaly is.
    if all(value is not None for value, label in zip(severity, found.label, strict=True) if label):
        known = np.array([0.0 if value is None else value for value in severity])
        columns["per_severity"] = severity_bins(kind, known, found.label)
    for name, column in columns.items():
        groups = []
        for group in sorted({str(value) for value in column[found.label == 1]}):
            rows = np.flatnonzero((found.label == 1) & (column == group))
            groups.append((group or "unknown", np.sort(np.concatenate([normal, rows])), len(rows)))
        yield name, groups


def severity_bins(kind: np.ndarray, severity: np.ndarray, label: np.ndarray) -> np.ndarray:
    """`low`, `middle` or `high` third within each kind: severities of different kinds have different units."""
    bins = np.full(len(kind), "", dtype=object)
    for one in np.unique(kind[label == 1]):
        rows = np.flatnonzero((label == 1) & (kind == one))
        rank = severity[rows].argsort(kind="stable").argsort(kind="stable")
        bins[rows] = np.array(["low", "middle", "high"], dtype=object)[rank * 3 // len(rows)]
    return bins.astype(str)


def sensitivity(loaded: Loaded, folder: Path, split: str, runtime: Runtime) -> dict[str, dict[str, float | None]]:
    """AUC over k at all views, and over the number of views at the recipe's k (the paper's Figure 7)."""
    grid = loaded.recipe.data.grid
    views = loaded.recipe.data.eval_views
    most = views * grid * grid
    by_k: dict[str, float] = {}
    data = loaded.task.open_data(folder, split, loaded.recipe, None)
    for k in [k for k in (10, 50, 100, 200, 500, 1000) if k < most] + [0]:
        found = predict_split(loaded.task, loaded.objective, data, runtime, loaded.recipe, k=k)
        by_k[str(k) if k else "all"] = auc(found.label, found.score)
    by_views: dict[str, float] = {}
    for count in sorted({count for count in (1, 2, 5, 10, 15, 20) if count <= views} | {views}):
        recipe = with_views(loaded.recipe, count)
        data = loaded.task.open_data(folder, split, recipe, None)
        found = predict_split(loaded.task, loaded.objective, data, runtime, recipe)
        by_views[str(count)] = auc(found.label, found.score)
    found_by: dict[str, dict[str, float | None]] = without_nan({"k": by_k, "views": by_views})
    return found_by


def with_views(recipe: MatchingRecipe, count: int) -> MatchingRecipe:
    """The recipe with another number of evaluation views."""
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"eval_views": count})})
