"""Metrics of the matching task: those of scores, boxes and views, and AUC by groups of anomalies."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import trapezoid

from datagen.core.statistics import auc
from datagen.datasets.samples import open_dataset
from datagen.train.infer import predict_split
from datagen.train.metrics import average_precision, box_iou
from datagen.train.pod import pod_figures
from datagen.train.report import Figure, measured, score_report, severity_bins, shapes_of, without_nan
from datagen.train.runtime import Runtime
from datagen.train.task import Loaded
from datagen.train.tasks.matching.predictions import BINS, MatchingPredictions
from datagen.train.tasks.matching.recipe import COMPARES, MatchingRecipe, with_data
from datagen.train.tasks.matching.rendered import rendered_by

ANGLE_STEP_DEG = 5
CHANGED_PX = (0, 300, 600, 1000, 2000, 4000)
"""From how many changed pixels a group of anomalies goes, of a picture of 256 x 256."""
MOST_FALSE = 0.3
"""False positive rate up to which AUPRO is taken."""
CONTROLS = ("nearest", "opposite", "blank")
"""What the comparator is given in place of the view that it chooses: the true nearest one, one half a turn off, an
empty picture."""


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
    maps = map_figures(found)
    poses = pose_figures(found.pose_error) if found.pose_error is not None else {}
    report = score_report(found, threshold, rounds, {"ap50": boxes, "viewpoint": views, **maps, **poses})
    for name, groups in partitions(found):
        report[name] = {
            group: measured(found, lambda r: auc(found.label[r], found.score[r]), rows, rounds) | {"anomalies": count}
            for group, rows, count in groups
        }
    if "per_severity" in report:
        kinds, units = (np.array([getattr(s, name) for s in found.samples]) for name in ("kind", "unit"))
        sizes = np.array([float((s.severity if s.magnitude is None else s.magnitude) or 0.0) for s in found.samples])
        report["pod"] = pod_figures(found.label, found.score, kinds, sizes, shapes_of(found), units=units)
    plain: dict[str, Any] = without_nan(report)
    return plain


def pose_figures(error_deg: np.ndarray) -> dict[str, Figure | None]:
    """Median error of the cameras found, in degrees, and the share of at most 2; of queries with a known camera."""
    rows = np.flatnonzero(np.isfinite(error_deg))
    if not len(rows):
        return {"pose_error_deg": None, "pose_within_2_deg": None}
    return {
        "pose_error_deg": (lambda r: float(np.median(error_deg[r])) if len(r) else float("nan"), rows),
        "pose_within_2_deg": (lambda r: float((error_deg[r] <= 2).mean()) if len(r) else float("nan"), rows),
    }


def map_figures(found: MatchingPredictions) -> dict[str, Figure | None]:
    """`change_iou` (at one half), `change_auroc` and `change_aupro` of the change maps, over anomalies of known masks;
    nothing of networks without maps.

    AUPRO is the mean share of the true regions that is found, averaged over false positive rates up to 0.3 (Bergmann et
    al. 2020). All within the width of a bin.
    """
    if found.pixels is None or found.regions is None:
        return {}
    pixels, regions = found.pixels, found.regions
    rows = np.flatnonzero(pixels[:, 1].sum(1) > 0)
    if not len(rows):
        return {"change_iou": None, "change_auroc": None, "change_aupro": None}

    def iou(chosen: np.ndarray) -> float:
        unchanged, changed = pixels[chosen].sum(0)
        union = changed.sum() + unchanged[BINS // 2 :].sum()
        return float(changed[BINS // 2 :].sum() / union) if union else float("nan")

    def auroc(chosen: np.ndarray) -> float:
        unchanged, changed = pixels[chosen].sum(0).astype(float)
        below = np.cumsum(unchanged) - unchanged / 2
        pairs = changed.sum() * unchanged.sum()
        return float((changed * below).sum() / pairs) if pairs else float("nan")

    def aupro(chosen: np.ndarray) -> float:
        unchanged, shares = pixels[chosen, 0].sum(0)[::-1].astype(float), regions[chosen].sum(0)
        if not unchanged.sum() or not shares[BINS]:
            return float("nan")
        rate = np.concatenate([[0.0], np.cumsum(unchanged) / unchanged.sum()])
        overlap = np.concatenate([[0.0], np.cumsum(shares[:BINS][::-1]) / shares[BINS]])
        within = np.linspace(0, MOST_FALSE, 301)
        return float(trapezoid(np.interp(within, rate, overlap), within) / MOST_FALSE)

    return {"change_iou": (iou, rows), "change_auroc": (auroc, rows), "change_aupro": (aupro, rows)}


def angle_groups(angle: np.ndarray, label: np.ndarray) -> list[tuple[str, np.ndarray, int]]:
    """Samples, normal and anomalous, by how far the nearest view is off, in steps of 5 degrees."""
    groups = []
    with np.errstate(invalid="ignore"):
        step = np.where(np.isfinite(angle), angle // ANGLE_STEP_DEG, -1).astype(int)
    for number in sorted(set(step[step >= 0].tolist())):
        rows = np.flatnonzero(step == number)
        low = number * ANGLE_STEP_DEG
        groups.append((f"{low} to {low + ANGLE_STEP_DEG}", rows, int(label[rows].sum())))
    return groups


def partitions(found: MatchingPredictions) -> Iterator[tuple[str, list[tuple[str, np.ndarray, int]]]]:
    """Anomalies by kind, part class, severity third of their kind and changed pixels, each against all normal samples;
    and all samples by category, where there are several, and by the angle to the nearest view."""
    normal = np.flatnonzero(found.label == 0)
    kind, part = (np.array([getattr(s, name) for s in found.samples]) for name in ("kind", "part_class"))
    columns = {"per_kind": kind, "per_part_class": part}
    severity = [s.severity for s in found.samples]
    # The published data do not tell how severe an anomaly is.
    if all(value is not None for value, label in zip(severity, found.label, strict=True) if label):
        known = np.array([0.0 if value is None else value for value in severity])
        columns["per_severity"] = severity_bins(kind, known, found.label)
    share = [s.changed_share for s in found.samples]
    if all(value is not None for value, label in zip(share, found.label, strict=True) if label):
        columns["per_changed_px"] = changed_bins(np.array([value or 0.0 for value in share]))
    for name, column in columns.items():
        groups = []
        for group in sorted({str(value) for value in column[found.label == 1]}, key=_by_number):
            rows = np.flatnonzero((found.label == 1) & (column == group))
            groups.append((group or "unknown", np.sort(np.concatenate([normal, rows])), len(rows)))
        yield name, groups
    if categories := category_groups(found):
        yield "per_category", categories
    yield "per_view_angle", angle_groups(found.angle, found.label)


def changed_bins(share: np.ndarray) -> np.ndarray:
    """`300 to 600`, ... by the shares of their pictures that samples change, as pixels of 256 x 256."""
    names = [f"{low} to {high}" for low, high in pairwise(CHANGED_PX)] + [f"{CHANGED_PX[-1]} or more"]
    return np.array(names)[np.digitize(share * 256**2, CHANGED_PX[1:])]


def _by_number(group: str) -> tuple[int, str]:
    first = group.split(" ")[0]
    return (int(first) if first.isdigit() else 0), group


def rendered_ways(loaded: Loaded, folder: Path, split: str) -> list[str]:
    """By what a reference can be rendered from a query's camera in this split, and whether it holds such pictures."""
    sample = loaded.task.open_data(folder, split, loaded.recipe, None).samples[0]
    ways: list[str] = [*rendered_by(open_dataset(folder), f"shapes/shape_{sample.bundle}")]
    return [*ways, "own_camera"] if sample.own_view else ways


def category_groups(found: MatchingPredictions) -> list[tuple[str, np.ndarray, int]]:
    """All samples by the category of their shape; none where the dataset does not tell it."""
    names = np.array([sample.category for sample in found.samples])
    if not any(names.tolist()):
        return []
    groups = ((name, np.flatnonzero(names == name)) for name in sorted(set(names.tolist())))
    return [(name or "unknown", rows, int(found.label[rows].sum())) for name, rows in groups]


def sensitivity(loaded: Loaded, folder: Path, split: str, runtime: Runtime) -> dict[str, dict[str, float | None]]:
    """AUC over k at all views, for networks that choose patches; over the number of views at the recipe's k (the
    paper's Figure 7); and for the comparator by what the query is compared with.
    """
    recipe: MatchingRecipe = with_data(loaded.recipe, against="view")

    def scored(recipe: MatchingRecipe, **options: Any) -> float:
        data = loaded.task.open_data(folder, split, recipe, None)
        if recipe.data.against in ("mesh", "points"):
            data = loaded.task.prepare(replace(loaded, recipe=recipe), data, runtime)
        found = predict_split(loaded.task, loaded.objective, data, runtime, recipe, **options)
        return auc(found.label, found.score)

    views, compares = recipe.data.eval_views, recipe.model.network in COMPARES
    found: dict[str, dict[str, float]] = {}
    if compares:
        found["reference"] = {"chosen": scored(recipe), **{name: scored(recipe, against=name) for name in CONTROLS}}
        if len(set(loaded.task.open_data(folder, split, recipe, None).shapes)) > 1:
            found["reference"]["of another shape"] = scored(with_data(recipe, shuffle_references=True))
        ways = rendered_ways(loaded, folder, split)
        found["reference"] |= {way: scored(with_data(recipe, against=way)) for way in ways}
    else:
        most = views * recipe.data.grid**2
        ks = [k for k in (10, 50, 100, 200, 500, 1000) if k < most] + [0]
        found["k"] = {str(k) if k else "all": scored(recipe, k=k) for k in ks}
    counts = sorted({count for count in (1, 2, 5, 10, 15, 20) if count <= views} | {views})
    found["views"] = {str(count): scored(with_data(recipe, eval_views=count)) for count in counts}
    plain: dict[str, dict[str, float | None]] = without_nan(found)
    return plain
