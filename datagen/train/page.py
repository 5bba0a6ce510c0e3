"""The evaluation as JSON and as one HTML page: curves, confusion, groups, best and worst samples, correspondences."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment
from PIL import Image

from datagen.datasets.chairs import Chairs
from datagen.datasets.samples import Sample
from datagen.formats.pictures import data_url
from datagen.models.cmt import CMT
from datagen.models.published import PublishedCMT
from datagen.train.evaluate import Evaluation
from datagen.train.load import Loaded
from datagen.train.log import read_log
from datagen.train.metrics import roc_curve
from datagen.train.pictures import BLUE, RED, attention_picture, with_box
from datagen.train.reference import Reference

SHOWN = 8
CORRESPONDENCES = 4


def write_page(folder: Path, name: str, found: Evaluation, loaded: Loaded) -> Path:
    """Write `<name>.json` and `<name>.html`; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(found.report, indent=1) + "\n", encoding="utf-8")
    page = folder / f"{name}.html"
    page.write_text(render_page(found, loaded, folder), encoding="utf-8")
    return page


def render_page(found: Evaluation, loaded: Loaded, run: Path) -> str:
    """The page's text; pictures stand inside it."""
    predictions, report = found.predictions, found.report
    false, true = roc_curve(predictions.label, predictions.score)
    error = np.abs(predictions.label - predictions.score)
    order = np.argsort(error, kind="stable")
    curves = [("ROC", polyline(false, true), "false positive rate", "true positive rate")]
    curves += _training_curves(run)
    curves += _sweep_curves(report.get("sweep"))
    confusions = [
        ("0.5", report["confusion"]),
        (f"{report['threshold']:.3f}, the threshold chosen on validation", report["confusion_at_validation_threshold"]),
    ]
    groups = [(title, report[key]) for key, title in GROUPS.items() if report.get(key)]
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_template()).render(
        report=report,
        curves=curves,
        confusions=confusions,
        groups=groups,
        best=[_tile(found, int(row)) for row in order[:SHOWN]],
        worst=[_tile(found, int(row)) for row in order[::-1][:SHOWN]],
        correspondences=_correspondences(found, loaded, order),
    )


def _template() -> str:
    return files("datagen.train").joinpath("page.html.j2").read_text(encoding="utf-8")


GROUPS = {"per_kind": "Kinds", "per_part_class": "Part classes", "per_severity": "Severity (thirds of each kind)"}


def polyline(x: np.ndarray, y: np.ndarray) -> str:
    """SVG points of a curve whose axes run from 0 to 1, on a 200 x 200 field."""
    return " ".join(f"{200 * a:.1f},{200 * (1 - b):.1f}" for a, b in zip(x, y, strict=True))


def scaled_polyline(x: np.ndarray, y: np.ndarray) -> str:
    """SVG points of a curve scaled to the field."""
    span = [np.ptp(v) or 1.0 for v in (x, y)]
    return polyline((x - x.min()) / span[0], (y - y.min()) / span[1])


def _training_curves(run: Path) -> list[tuple[str, str, str, str]]:
    curves = []
    for name, column in (("train.csv", "loss"), ("val.csv", "auc")):
        if not (run / name).is_file():
            continue
        rows = [row for row in read_log(run / name) if np.isfinite(row.get(column, np.nan))]
        if len(rows) > 1:
            x, y = (np.array([row[key] for row in rows]) for key in ("step", column))
            low, high = f"{y.min():.3g}", f"{y.max():.3g}"
            title = "Training loss" if column == "loss" else "Validation AUC"
            curves.append((title, scaled_polyline(x, y), f"step, to {int(x.max())}", f"{low} to {high}"))
    return curves


def _sweep_curves(sweep: dict[str, Any] | None) -> list[tuple[str, str, str, str]]:
    curves = []
    for key, title in (("k", "AUC over k"), ("views", "AUC over views")):
        points = [(name, value) for name, value in (sweep or {}).get(key, {}).items() if value is not None]
        if len(points) > 1:
            x, y = np.arange(len(points), dtype=float), np.array([value for _, value in points])
            label = ", ".join(name for name, _ in points)
            curves.append((title, scaled_polyline(x, y), label, f"{y.min():.3f} to {y.max():.3f}"))
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


def reference_of(data: Chairs, sample: Sample, *, published: bool) -> Reference:
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
