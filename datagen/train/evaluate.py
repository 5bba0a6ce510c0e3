"""Numbers that mean the same every time: metrics of a checkpoint on a split, with intervals."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datagen.core.statistics import auc, bootstrap
from datagen.datasets.chairs import Chairs
from datagen.train.config import TrainRecipe
from datagen.train.data import open_split
from datagen.train.infer import predict_split
from datagen.train.load import Loaded
from datagen.train.metrics import accuracy, average_precision, box_iou
from datagen.train.predictions import Predictions
from datagen.train.runtime import Runtime, telling_memory

ADVICE = "lower the batch by --set data.eval_batch=1"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Metrics as plain data, and what they were computed from."""

    report: dict[str, Any]
    predictions: Predictions
    data: Chairs


def evaluate(
    loaded: Loaded, folder: Path, split: str, runtime: Runtime, rounds: int = 1000, sweep: bool = False
) -> Evaluation:
    """Score every sample of a split with all its views. Raises UsageError, BrokenFile, OutOfMemory."""
    data = open_split(folder, split, loaded.recipe)
    with telling_memory(ADVICE):
        found = predict_split(loaded.objective, data, runtime, loaded.recipe)
        report = {
            "checkpoint": loaded.origin,
            "recipe": loaded.recipe.name,
            "split": split,
            **summary(found, loaded.threshold, rounds),
        }
        if sweep:
            report["sweep"] = sensitivity(loaded, folder, split, runtime)
    return Evaluation(report, found, data)


def summary(found: Predictions, threshold: float, rounds: int) -> dict[str, Any]:
    """Every metric of section 5, each with its 95 % interval over shapes."""
    shapes = np.array([sample.shape for sample in found.samples])
    iou = box_iou(found.box, found.true_box)
    known = found.true_view >= 0
    right = (found.view == found.true_view).astype(float)
    boxed = bool(np.isfinite(found.box).all())

    def measured(value: Any, rows: np.ndarray) -> dict[str, Any]:
        low, high = bootstrap(shapes[rows], lambda r: value(rows[r]), rounds)
        return {"value": value(rows), "interval": [low, high], "n": len(rows)}

    every = np.arange(len(found.samples))
    figures = {
        "auc": measured(lambda r: auc(found.label[r], found.score[r]), every),
        "accuracy": measured(lambda r: accuracy(found.label[r], found.score[r]), every),
        "accuracy_at_validation_threshold": measured(
            lambda r: accuracy(found.label[r], found.score[r], threshold), every
        ),
    }
    if boxed:
        figures["ap50"] = measured(lambda r: average_precision(found.label[r], found.score[r], iou[r]), every)
    if known.any() and (found.view >= 0).any():
        normal = found.normal_of_known_pose
        figures["viewpoint"] = measured(lambda r: float(right[r].mean()) if len(r) else float("nan"), normal)
    report: dict[str, Any] = {name: figure["value"] for name, figure in figures.items()}
    report |= {"ap50": report.get("ap50"), "viewpoint": report.get("viewpoint")}
    report |= {"n": len(every), "n_shapes": len(set(shapes.tolist())), "threshold": threshold}
    report["intervals"] = {name: figure["interval"] for name, figure in figures.items()}
    report["confusion"] = confusion(found.label, found.score)
    report["confusion_at_validation_threshold"] = confusion(found.label, found.score, threshold)
    for name, groups in partitions(found):
        report[name] = {
            group: measured(lambda r: auc(found.label[r], found.score[r]), rows) | {"anomalies": count}
            for group, rows, count in groups
        }
    return _plain(report)


def confusion(label: np.ndarray, score: np.ndarray, threshold: float = 0.5) -> dict[str, int]:
    """Counts of decisions at a threshold."""
    said = score > threshold
    return {
        "true_positive": int((said & (label == 1)).sum()),
        "false_positive": int((said & (label == 0)).sum()),
        "false_negative": int((~said & (label == 1)).sum()),
        "true_negative": int((~said & (label == 0)).sum()),
    }


def partitions(found: Predictions) -> Iterator[tuple[str, list[tuple[str, np.ndarray, int]]]]:
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


def sensitivity(loaded: Loaded, folder: Path, split: str, runtime: Runtime) -> dict[str, dict[str, float]]:
    """AUC over k at all views, and over the number of views at the recipe's k (the paper's Figure 7)."""
    grid = loaded.recipe.data.grid
    views = loaded.recipe.data.eval_views
    most = views * grid * grid
    by_k: dict[str, float] = {}
    data = open_split(folder, split, loaded.recipe)
    for k in [k for k in (10, 50, 100, 200, 500, 1000) if k < most] + [0]:
        found = predict_split(loaded.objective, data, runtime, loaded.recipe, k)
        by_k[str(k) if k else "all"] = auc(found.label, found.score)
    by_views: dict[str, float] = {}
    for count in sorted({count for count in (1, 2, 5, 10, 15, 20) if count <= views} | {views}):
        data = open_split(folder, split, with_views(loaded.recipe, count))
        found = predict_split(loaded.objective, data, runtime, loaded.recipe)
        by_views[str(count)] = auc(found.label, found.score)
    return _plain({"k": by_k, "views": by_views})


def with_views(recipe: TrainRecipe, count: int) -> TrainRecipe:
    """The recipe with another number of evaluation views."""
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"eval_views": count})})


def _plain(value: Any) -> Any:
    """JSON has no NaN: an undefined number is null."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
