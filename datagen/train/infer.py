"""Scores, boxes and predicted views of every sample of a split."""

import numpy as np
import torch
from torch.utils.data import Subset

from datagen.datasets.chairs import Chairs
from datagen.train.config import TrainRecipe
from datagen.train.data import eval_loader, plainly
from datagen.train.objective import Objective
from datagen.train.predictions import Predictions
from datagen.train.runtime import Runtime


@torch.no_grad()
def predict_split(
    objective: Objective, data: Chairs, runtime: Runtime, recipe: TrainRecipe, k: int | None = None
) -> Predictions:
    """Evaluate a network on all samples, each once, split over the processes."""
    objective.eval()
    mine = list(range(runtime.rank, len(data), runtime.ranks))
    # Evaluation sees more views than training and keeps no gradients: the training batch fits.
    loader = eval_loader(Subset(data, mine), recipe.data.eval_batch or recipe.optim.batch, recipe.data.workers)
    rows: list[tuple[int, float, list[float], int, int]] = []
    for batch in plainly(loader):
        batch = runtime.to_device(batch)
        with runtime.precision(recipe.optim.amp):
            output, view = objective.locate(batch, k)
        views = [-1] * len(output.logit_B) if view is None else view.tolist()
        score = torch.sigmoid(output.logit_B.float()).tolist()
        boxes = [[float("nan")] * 4] * len(score) if output.box_B4 is None else output.box_B4.float().tolist()
        rows += zip(batch["number"].tolist(), score, boxes, views, batch["nearest"].tolist(), strict=True)
    every = sorted(row for part in runtime.gather(rows) for row in part)
    samples = tuple(data.samples[row[0]] for row in every)
    return Predictions(
        samples=samples,
        label=np.array([sample.label for sample in samples]),
        score=np.array([row[1] for row in every]),
        box=np.array([row[2] for row in every]).reshape(-1, 4),
        true_box=np.array([sample.box for sample in samples]).reshape(-1, 4),
        view=np.array([row[3] for row in every]),
        true_view=np.array([row[4] for row in every]),
    )
