"""What an evaluation's page shows of this task: groups, best and worst samples, correspondences."""

from importlib.resources import files
from typing import Any, cast

import numpy as np
import torch
from jinja2 import Environment
from PIL import Image
from torch import Tensor

from datagen.datasets.matching import MatchingDataset
from datagen.datasets.samples import Sample
from datagen.formats.pictures import data_url
from datagen.models.cmt import CMT
from datagen.models.published import PublishedCMT
from datagen.train.page import FIELD, polyline
from datagen.train.pod import PodCurve
from datagen.train.runtime import Runtime
from datagen.train.task import Evaluation, Loaded
from datagen.train.tasks.matching.compare import ComparatorObjective
from datagen.train.tasks.matching.comparison import comparison_picture, map_of
from datagen.train.tasks.matching.pictures import BLUE, RED, attention_picture, with_box
from datagen.train.tasks.matching.reference import Reference

SHOWN = 8
CORRESPONDENCES = 4
COMPARISONS = 12
GROUPS = {
    "per_kind": "Kinds",
    "per_part_class": "Part classes",
    "per_category": "Categories (against normal samples of the same)",
    "per_severity": "Severity (thirds of each kind)",
    "per_changed_px": "Pixels that the anomaly changes, of 256 x 256",
    "per_view_angle": "Degrees to the nearest view (against normal samples of the same step)",
}
PAIR_WORDS = {
    "auc": "area under the ROC curve of the four pairs; chance 0.5, and so is any network that sees one side alone",
    "auc_clean": "the same of anomalous pictures alone, against their own references and another anomaly's; chance 0.5",
    "auc_shuffled": "as auc, with references of another shape: 0.5 where the own reference is what tells",
    "auc_blank": "as auc, with white pictures for references: 0.5",
    "reference_score": "share of fours where for both pictures the other's reference scores higher; chance 1/4",
    "query_score": "share of fours where for both references the other's picture scores higher; chance 1/4",
    "group_score": "share of fours where both differing pairs score above both others; chance 1/6",
    "swap_difference": "how far the scores of the two differing pairs lie apart; 0 is best, there is no chance level",
}
"""Figures of pairs -> what they are, in a line."""


def blocks(found: Evaluation, loaded: Loaded) -> list[str]:
    """The blocks as HTML; pictures stand inside it."""
    predictions, report = found.predictions, found.report
    error = np.abs(predictions.label - predictions.score)
    order = np.argsort(error, kind="stable")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = files("datagen.train.tasks.matching").joinpath("blocks.html.j2").read_text(encoding="utf-8")
    block = environment.from_string(template).render(
        pairs=report.get("pairs"),
        pair_words=PAIR_WORDS,
        pod=report.get("pod"),
        pod_curves=_pod_curves(report.get("pod") or {}),
        groups=[(title, report[key]) for key, title in GROUPS.items() if report.get(key)],
        best=[_tile(found, int(row)) for row in order[:SHOWN]],
        worst=[_tile(found, int(row)) for row in order[::-1][:SHOWN]],
        correspondences=_correspondences(found, loaded, order),
        comparisons=_comparisons(found, loaded, order),
    )
    return [block]


def _pod_curves(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """What is drawn of every kind's curve: points over the logarithm of size, its ends, a90 and a90/95."""
    curves = []
    for kind, told in (pod.get("per_kind") or {}).items():
        if told["curve"] is not None:
            low, high = told["sizes"]
            size = np.geomspace(low, high, 60)
            marks = [(told[key], dash) for key, dash in (("a90", ""), ("a90_95", "4 3"))]
            curves.append(
                {
                    "kind": kind,
                    "points": polyline(np.linspace(0, 1, 60), PodCurve(*told["curve"]).at(size)),
                    "ends": (f"{low:.3g}", f"{high:.3g} {told['unit'] or '(severity)'}"),
                    "marks": [
                        (FIELD * float(np.log(value / low) / np.log(high / low)), dash)
                        for value, dash in marks
                        if value is not None and low < value < high
                    ],
                }
            )
    return curves


def _tile(found: Evaluation, row: int) -> dict[str, Any]:
    p, sample = found.predictions, found.predictions.samples[row]
    picture = np.array(found.data.source.query(sample))
    if sample.label:
        picture = with_box(picture, sample.box, RED)
    if np.isfinite(p.box[row]).all() and p.score[row] > found.report["threshold"]:
        picture = with_box(picture, tuple(p.box[row]), BLUE)
    return {
        "url": data_url(Image.fromarray(picture)),
        "kind": sample.kind,
        "score": p.score[row],
        "path": sample.query_path,
    }


def reference_of(data: MatchingDataset, sample: Sample, *, published: bool) -> Reference:
    """The views that a sample was judged by, in their order."""
    shape = data.reference_of(sample)
    views = data.evaluated_views(shape)
    positions = data.source.published_positions if published else data.source.positions
    azimuths = data.source.azimuths(shape)[list(views)]
    return Reference(data.source.pictures(shape, views), positions(shape, views), azimuths)


def _correspondences(found: Evaluation, loaded: Loaded, order: np.ndarray) -> list[dict[str, Any]]:
    model = loaded.objective.model
    if not isinstance(model, CMT | PublishedCMT):
        return []
    p = found.predictions
    anomalies = [int(row) for row in order if p.label[row] == 1][:CORRESPONDENCES]
    pictures = []
    for row in anomalies:
        sample = p.samples[row]
        views = reference_of(found.data, sample, published=isinstance(model, PublishedCMT))
        photo = np.array(found.data.source.query(sample))
        nearest = int(p.view[row]) if p.view[row] >= 0 else None
        picture = attention_picture(model, photo, views, sample.box, nearest)
        pictures.append({"url": data_url(Image.fromarray(picture)), "kind": sample.kind, "path": sample.query_path})
    return pictures


def scored_comparison(data: MatchingDataset, number: int, loaded: Loaded) -> tuple[np.ndarray, np.ndarray]:
    """The change map (S, S) of a sample as evaluation reads it, and the view or render (S, S) that it was compared
    with."""
    batch = {name: t[None].to(loaded.device) for name, t in data[number].items()}
    precision = Runtime(0, 1, loaded.device).precision(loaded.recipe.optim.amp)
    with torch.no_grad(), precision:
        output, view = cast(ComparatorObjective, loaded.objective).locate(batch)
    change = map_of(cast(Tensor, output.change_Bhw), batch["query"].shape[-1])
    compared = batch["own"][0] if "own" in batch else batch["views"][0, int(view[0])]
    return change, compared.cpu().numpy()


def _comparisons(found: Evaluation, loaded: Loaded, order: np.ndarray) -> list[dict[str, Any]]:
    """Change maps beside masks, of the anomalies that are found best and worst by turns; of the comparison that was
    scored."""
    if not isinstance(loaded.objective, ComparatorObjective):
        return []
    p = found.predictions
    rows = [int(row) for row in order if p.label[row] == 1]
    tiles = []
    for row in [row for pair in zip(rows, rows[::-1], strict=True) for row in pair][: min(COMPARISONS, len(rows))]:
        sample = p.samples[row]
        photo = np.array(found.data.source.query(sample))
        change, compared = scored_comparison(found.data, row, loaded)
        mask = found.data.source.changed(sample)
        picture = comparison_picture(photo, change, compared, sample.box, mask, RED)
        url = data_url(Image.fromarray(picture))
        tiles.append({"url": url, "kind": sample.kind, "score": p.score[row], "path": sample.query_path})
    return tiles
