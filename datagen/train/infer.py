"""A network's answers to every sample of a split."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Subset

from datagen.datasets.dataset import SampleDataset
from datagen.train.config import TrainRecipe
from datagen.train.loaders import eval_loader, in_own_words
from datagen.train.objective import Objective
from datagen.train.runtime import Runtime
from datagen.train.task import Task


@torch.no_grad()
def predict_split(
    task: Task, objective: Objective, data: SampleDataset, runtime: Runtime, recipe: TrainRecipe, **options: Any
) -> Any:
    """The task's predictions of all samples, each once, split over the processes; `answer` is given the options."""
    objective.eval()
    mine = list(range(runtime.rank, len(data), runtime.ranks))
    # Evaluation keeps no gradients: the training batch fits.
    loader = eval_loader(Subset(data, mine), recipe.data.eval_batch or recipe.optim.batch, recipe.data.workers)
    parts: list[dict[str, np.ndarray]] = []
    for batch in in_own_words(loader):
        batch = runtime.to_device(batch)
        with runtime.precision(recipe.optim.amp):
            answer = objective.answer(batch, **options)
        parts.append({name: _numbers(t) for name, t in {**answer, "number": batch["number"]}.items()})
    every = [part for of_rank in runtime.gather(parts) for part in of_rank]
    columns = {name: np.concatenate([part[name] for part in every]) for name in every[0]}
    order = columns.pop("number").argsort(kind="stable")
    numbers = np.concatenate([part["number"] for part in every])[order]
    samples = tuple(data.samples[number] for number in numbers)
    return task.collect(samples, {name: column[order] for name, column in columns.items()})


def _numbers(tensor: Tensor) -> np.ndarray:
    """float64 for floats, as JSON and CSV write them."""
    found = tensor.cpu()
    return (found.double() if found.is_floating_point() else found).numpy()
