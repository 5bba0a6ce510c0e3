"""An evaluation as JSON and as one HTML page: figures, curves, confusions, and what the task adds."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment

from datagen.train.log import read_log
from datagen.train.metrics import roc_curve, spelt
from datagen.train.task import Evaluation, Loaded

FIELD = 200
"""Edge of a curve's field in the page's pixels."""


def write_page(folder: Path, name: str, found: Evaluation, loaded: Loaded) -> Path:
    """Write `<name>.json` and `<name>.html`; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(found.report, indent=1) + "\n", encoding="utf-8")
    page = folder / f"{name}.html"
    page.write_text(render_page(found, loaded, folder), encoding="utf-8")
    return page


def render_page(found: Evaluation, loaded: Loaded, run: Path) -> str:
    """The page's text, with the blocks of the network's task; pictures stand inside it."""
    predictions, report = found.predictions, found.report
    false, true = roc_curve(predictions.label, predictions.score)
    curves = [("ROC", polyline(false, true), "false positive rate", "true positive rate")]
    curves += _training_curves(run, loaded.objective.measure)
    curves += _sweep_curves(report.get("sweep") or {})
    confusions = [
        ("0.5", report["confusion"]),
        (f"{report['threshold']:.3f}, the threshold chosen on validation", report["confusion_at_validation_threshold"]),
    ]
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = files("datagen.train").joinpath("page.html.j2").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        report=report, curves=curves, confusions=confusions, blocks=loaded.task.blocks(found, loaded)
    )


def polyline(x: np.ndarray, y: np.ndarray) -> str:
    """SVG points of a curve whose axes run from 0 to 1, on the field."""
    return " ".join(f"{FIELD * a:.1f},{FIELD * (1 - b):.1f}" for a, b in zip(x, y, strict=True))


def scaled_polyline(x: np.ndarray, y: np.ndarray) -> str:
    """SVG points of a curve scaled to the field."""
    span = [np.ptp(v) or 1.0 for v in (x, y)]
    return polyline((x - x.min()) / span[0], (y - y.min()) / span[1])


def _training_curves(run: Path, measure: str) -> list[tuple[str, str, str, str]]:
    curves = []
    for name, column in (("train.csv", "loss"), ("val.csv", measure)):
        if not (run / name).is_file():
            continue
        rows = [row for row in read_log(run / name) if np.isfinite(row.get(column, np.nan))]
        if len(rows) > 1:
            x, y = (np.array([row[key] for row in rows]) for key in ("step", column))
            low, high = f"{y.min():.3g}", f"{y.max():.3g}"
            title = "Training loss" if column == "loss" else f"Validation {spelt(measure)}"
            curves.append((title, scaled_polyline(x, y), f"step, to {int(x.max())}", f"{low} to {high}"))
    return curves


def _sweep_curves(sweep: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    curves = []
    for key, values in sweep.items():
        points = [(name, value) for name, value in values.items() if value is not None]
        if len(points) > 1:
            x, y = np.arange(len(points), dtype=float), np.array([value for _, value in points])
            label = ", ".join(name for name, _ in points)
            curves.append((f"AUC over {key}", scaled_polyline(x, y), label, f"{y.min():.3f} to {y.max():.3f}"))
    return curves
