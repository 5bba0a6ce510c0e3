"""A training task that comes with a kind: two layers tell from how points spread whether a part is gone."""

import io
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from datagen.datasets.dataset import SampleDataset, samples_of
from datagen.store.reader import DatasetReader
from datagen.train.config import TrainRecipe
from datagen.train.objective import Objective, ScoreObjective
from datagen.train.task import Task


class CloudTraining(TrainRecipe):
    task: Literal["clouds"] = "clouds"
    width: int = 16


class Clouds(SampleDataset):
    def __init__(self, folder: Path, split: str, recipe: CloudTraining, objective: Objective | None) -> None:
        self.files = DatasetReader(folder, ("clouds",))
        self.samples = samples_of(self.files, split)

    def item(self, epoch: int, number: int) -> dict[str, Tensor]:
        row = self.samples[number].row
        spread = np.quantile(np.load(io.BytesIO(self.files.read(row["query_path"]))), np.linspace(0, 1, 8), axis=0)
        return {"spread": torch.from_numpy(spread.ravel()).float(), "label": torch.tensor(float(row["label"]))}


def make_objective(recipe: CloudTraining) -> ScoreObjective:
    torch.manual_seed(recipe.seed)
    layers = nn.Linear(24, recipe.width), nn.ReLU(), nn.Linear(recipe.width, 1), nn.Flatten(0)
    return ScoreObjective(nn.Sequential(*layers), "spread")


TASK = Task("clouds", CloudTraining, Clouds, make_objective)
