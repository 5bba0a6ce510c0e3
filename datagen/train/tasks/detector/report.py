"""Metrics of the detector: by object, pooled and by scene, by kind, severity and number of objects."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from datagen.core.errors import BrokenFile, UsageError
from datagen.core.statistics import auc
from datagen.datasets.scenes import SceneSample
from datagen.train.infer import predict_split
from datagen.train.recipes import apply_overrides
from datagen.train.report import Figure, measured, score_report, severity_bins, without_nan
from datagen.train.runtime import Runtime
from datagen.train.task import Loaded
from datagen.train.tasks.detector.predictions import ObjectPredictions
from datagen.train.tasks.detector.scenes import SceneObjective

FITS = 0.5
"""IoU above which a box is the object's (section 4.3)."""
SWEPT = (1, 3, 5, 10, 20)
"""Numbers of views of `evaluate --sweep`."""
UNTRAINED = "loss.classify is 0: nothing taught this network to judge objects, so AUC and accuracy mean nothing"
ONLY_PUBLISHED = "boxes are of the published form, as these scenes have no other, whatever data.boxes says"
COUNTS = ((2, 3), (4, 5), (6, 7), (8, 12))
"""Numbers of objects, from and to, that are told apart."""


def object_report(found: ObjectPredictions, threshold: float, rounds: int) -> dict[str, Any]:
    """Every metric with its 95 % interval over shapes. Scores are of the true boxes; of swapped majorities those of
    `of_twins`."""
    found = of_twins(found)
    every = np.arange(len(found.samples))
    first = np.unique(found.scene, return_index=True)[1]
    more: dict[str, Figure | None] = {
        "auc_by_scene": (lambda rows: by_scene(found, rows), every),
        "auc_residual": None
        if np.isnan(found.residual).any()
        else (lambda rows: auc(found.label[rows], found.residual[rows]), every),
        "correspondence_recall": (lambda rows: recall(found, rows), first),
        "mask_error": None
        if np.isnan(found.mask_error).any()
        else (lambda rows: float(found.mask_error[found.scene[rows]].mean()), first),
        "swap_score": (lambda rows: swap_score(found, rows), first) if swapped(found) else None,
        "swap_chance": (lambda rows: swap_chance(found, rows), first) if swapped(found) else None,
    }
    report = score_report(found, threshold, rounds, more)
    kinds = np.array([sample.thing.kind for sample in found.samples])
    counts = np.array([len(sample.scene.things) for sample in found.samples])
    normal = np.flatnonzero(found.label == 0)
    report["per_kind"] = {
        kind: _auc(found, np.sort(np.concatenate([normal, np.flatnonzero(kinds == kind)])), rounds)
        for kind in sorted(set(kinds[found.label == 1].tolist()))
    }
    severity = np.array([sample.thing.severity for sample in found.samples])
    # Published scenes do not tell how severe an anomaly is.
    third = severity_bins(kinds, severity, found.label * (severity > 0))
    report["per_severity"] = {
        name: _auc(found, np.sort(np.concatenate([normal, rows])), rounds)
        for name in ("low", "middle", "high")
        if len(rows := np.flatnonzero(third == name))
    }
    report["per_count"] = {
        f"{low} to {high}": _auc(found, rows, rounds)
        for low, high in COUNTS
        if len(rows := np.flatnonzero((counts >= low) & (counts <= high)))
    }
    plain: dict[str, Any] = without_nan(report)
    return plain


def found_report(loaded: Loaded, folder: Path, split: str, runtime: Runtime, rounds: int) -> dict[str, Any]:
    """`found_boxes`: the same scenes with boxes found by the hull of the masks and, over the floor, by density.

    An object without a box is missed: it counts as called normal, with the lowest score.
    """
    objective = cast(SceneObjective, loaded.objective)
    data = loaded.task.open_data(folder, split, loaded.recipe, None)
    told = {}
    for way in ("own",) if objective.finds else objective.ways:
        options = {} if objective.finds else {"boxes": way}
        found = of_twins(predict_split(loaded.task, objective, data, runtime, loaded.recipe, **options))
        figures = found_figures(found, loaded.threshold)
        told[way] = {name: measured(found, *figure, rounds) for name, figure in figures.items()}
    report: dict[str, Any] = without_nan({"found_boxes": told})
    notes = []
    if any(thing.only_published for sample in data.samples for thing in sample.things):
        notes.append(ONLY_PUBLISHED)
    if not loaded.recipe.loss.classify and loaded.recipe.model.variant != "residual":
        notes.append(UNTRAINED)
    return report | ({"notes": notes} if notes else {})


def sweep_views(loaded: Loaded, folder: Path, split: str, runtime: Runtime) -> dict[str, dict[str, float | None]]:
    """AUC with 1, 3, 5, 10 and 20 views (Figure 5), as far as the scenes have so many."""
    told: dict[str, float | None] = {}
    for views in SWEPT:
        recipe = apply_overrides(loaded.recipe, [f"data.views={views}"])
        try:
            data = loaded.task.open_data(folder, split, recipe, None)
        except BrokenFile:
            break
        found = of_twins(predict_split(loaded.task, loaded.objective, data, runtime, recipe))
        told[str(views)] = auc(found.label, found.score)
    swept: dict[str, dict[str, float | None]] = without_nan({"views": told})
    return swept


def found_figures(found: ObjectPredictions, threshold: float) -> dict[str, Figure]:
    """AUC, `accuracy_iou` (right, and a box with IoU above one half), accuracy without that rule, `box_recall` at one
    half, and `count_accuracy`: scenes with as many boxes as objects."""
    every = np.arange(len(found.samples))
    score = np.where(np.isfinite(found.score), found.score, 0.0)
    right = (score > threshold) == (found.label == 1)
    fits = found.iou > FITS
    true = np.bincount(found.scene, minlength=len(found.count))
    counted = (found.count == true).astype(float)
    first = np.unique(found.scene, return_index=True)[1]
    return {
        "auc": (lambda r: auc(found.label[r], score[r]), every),
        "accuracy_iou": (lambda r: float((right & fits)[r].mean()), every),
        "accuracy": (lambda r: float(right[r].mean()), every),
        "box_recall": (lambda r: float(fits[r].mean()), every),
        "count_accuracy": (lambda r: float(counted[found.scene[r]].mean()), first),
    }


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


def recall(found: ObjectPredictions, rows: np.ndarray) -> float:
    """Mean share of exact correspondences found, of the scenes of the rows that have any; NaN without one."""
    values = found.recall[found.scene[rows]]
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def swapped(found: ObjectPredictions) -> bool:
    """Whether scenes have twins whose majority is odd in them."""
    return any(sample.scene.twin for sample in found.samples)


def of_twins(found: ObjectPredictions) -> ObjectPredictions:
    """Of swapped majorities the objects of scenes that hold an odd one, as their twins do; all of other scenes.

    Where no layout showed the change, both twins show the normal shape alone, and an object by itself tells.
    """
    if not swapped(found):
        return found
    own = {scene.name: (scene.twin, rows) for scene, rows in _odd_of_twins(found)}
    kept = [rows for twin, rows in own.values() if twin in own]
    if not kept:
        some = found.samples[0].scene
        raise UsageError(
            f"{some.name} and the other scenes with swapped majorities: none holds an odd object as its twin does; "
            "name both twins in the split, or build more scenes"
        )
    rows = np.sort(np.concatenate(kept))
    columns = {name: getattr(found, name)[rows] for name in ("label", "score", "residual", "scene", "iou")}
    return replace(found, samples=tuple(found.samples[row] for row in rows), **columns)


def swap_score(found: ObjectPredictions, rows: np.ndarray) -> float:
    """Share of scenes in which, as in their twins, every odd object scores above every normal one.

    A network that judges each object's shape by itself is right in one of two: its score is 0 but for ties. One that
    judges the place alone has `swap_chance`.
    """
    right: dict[str, float] = {}
    for scene, own in _odd_of_twins(found):
        odd, score = found.label[own] == 1, found.score[own]
        right[scene.name] = float(score[odd].min() > score[~odd].max())
    return _mean_of_twins(found, rows, right)


def swap_chance(found: ObjectPredictions, rows: np.ndarray) -> float:
    """The `swap_score` of a judge of the place alone, on the mean: 1 in (n over k) with k odd ones of n objects.

    Odd and normal objects stand in the same places in both twins, so it is right in both or in none.
    """
    chance = {}
    for scene, own in _odd_of_twins(found):
        chance[scene.name] = 1 / math.comb(len(own), int(found.label[own].sum()))
    return _mean_of_twins(found, rows, chance)


def _odd_of_twins(found: ObjectPredictions) -> Iterator[tuple[SceneSample, np.ndarray]]:
    """Scenes that have a twin, odd and normal objects, and the rows (n,) of their objects."""
    for scene in np.unique(found.scene):
        own = np.flatnonzero(found.scene == scene)
        sample = found.samples[own[0]].scene
        if sample.twin and 0 < found.label[own].sum() < len(own):
            yield sample, own


def _mean_of_twins(found: ObjectPredictions, rows: np.ndarray, told: dict[str, float]) -> float:
    """The mean over the rows' scenes of the lesser of a scene's and its twin's value; NaN where no two are there."""
    scenes = [found.samples[row].scene for row in rows]
    known = [min(told[s.name], told[s.twin]) for s in scenes if s.name in told and s.twin in told]
    return float(np.mean(known)) if known else float("nan")


def _auc(found: ObjectPredictions, rows: np.ndarray, rounds: int) -> dict[str, Any]:
    told = measured(found, lambda r: auc(found.label[r], found.score[r]), rows, rounds)
    return told | {"anomalies": int(found.label[rows].sum())}
