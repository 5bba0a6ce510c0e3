"""What rendering for detection is worth, on a built dataset.

`python -m datagen.train.tasks.matching.poses RUN --data DIR` prints AUC with the view that the network chooses, with
the mesh rendered from the camera that is found and from the true one, and the error of the camera.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from datagen.core.camera import Camera
from datagen.core.rng import stream
from datagen.core.statistics import auc, bootstrap
from datagen.recipe.models import ReferenceRecipe
from datagen.train.load import load_network
from datagen.train.task import Loaded
from datagen.train.tasks.matching.comparison import as_batch
from datagen.train.tasks.matching.data import open_split
from datagen.train.tasks.matching.objective import DetectionObjective
from datagen.train.tasks.matching.page import reference_of
from datagen.train.tasks.matching.reference import Reference, load_shape
from datagen.train.tasks.matching.refine import MeshViews, off_deg, only_view, refine

WAYS = ("chosen", "refined", "true")


@torch.no_grad()
def judged(loaded: Loaded, photo: np.ndarray, views: Reference) -> tuple[float, int]:
    """The score of a photo (S, S, 3) beside views, and the view that was chosen."""
    batch = {name: t.to(loaded.device) for name, t in as_batch(photo, views).items()}
    output, view = cast(DetectionObjective, loaded.objective).locate(batch)
    return float(torch.sigmoid(output.logit_B.float())[0]), 0 if view is None else int(view[0])


def measure(loaded: Loaded, folder: Path, split: str, count: int) -> dict[str, Any]:
    """Figures over `count` samples drawn from a split, at the recipe's picture size.

    True cameras are read from the names of the pictures, so any dataset in the published tree will do.
    """
    data = open_split(folder, split, loaded.recipe)
    radius = ReferenceRecipe().radius
    rows = np.sort(stream(0, "poses").permutation(len(data))[:count])
    score = np.zeros((len(WAYS), len(rows)))
    error, iou, seconds = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows))
    shape = ""
    for place, row in enumerate(rows):
        sample = data.samples[row]
        if sample.shape != shape:
            shape, mesh = sample.shape, MeshViews(load_shape(folder / f"shapes/shape_{sample.shape}/model.obj"))
        photo, views = np.array(data.source.query(sample)), reference_of(data, sample, published=False)
        score[0, place], view = judged(loaded, photo, views)
        begun = time.perf_counter()
        found = refine(photo, mesh, float(views.azimuths[view]))
        seconds[place] = time.perf_counter() - begun
        azimuth, elevation = (float(word) for word in sample.query_path.split("_")[-4:-2])
        true = Camera(azimuth, elevation, radius, size_px=len(photo))
        for way, picture in ((1, found.picture), (2, mesh.picture(true))):
            score[way, place] = judged(loaded, photo, only_view(picture))[0]
        error[place], iou[place] = off_deg(found.camera, true), found.agreement
    label = np.array([data.samples[row].label for row in rows])
    shapes = np.array([data.samples[row].shape for row in rows])
    figures = {}
    for name, column in zip(WAYS, score, strict=True):
        figures[name] = {"auc": auc(label, column), "interval": interval(shapes, label, column)}
    return {
        "samples": len(rows),
        "compared_with": figures,
        "error_deg": {str(q): float(np.percentile(error, q)) for q in (25, 50, 75, 90)},
        "within_2_deg": float((error <= 2).mean()),
        "median_iou": float(np.median(iou)),
        "seconds_each": float(seconds.mean()),
    }


def interval(shapes: np.ndarray, label: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """95 % interval of the AUC over shapes."""
    return bootstrap(shapes, lambda rows: auc(label[rows], score[rows]))


def main(arguments: Sequence[str]) -> None:
    """Parse, measure, print JSON."""
    parser = argparse.ArgumentParser(prog="python -m datagen.train.tasks.matching.poses", description=__doc__)
    parser.add_argument("run", type=Path, help="a run of the comparator, or a checkpoint")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--count", type=int, default=200, help="samples, drawn from the split")
    given = parser.parse_args(arguments)
    found = measure(load_network(given.run, torch.device("cpu")), given.data, given.split, given.count)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
