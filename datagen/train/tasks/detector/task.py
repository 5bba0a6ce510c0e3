"""The detector task, as the training loop and the commands are given it."""

from collections.abc import Sequence
from pathlib import Path

import torch

from datagen.core.errors import UsageError
from datagen.datasets.objects import ObjectScenes
from datagen.datasets.scenes import list_scenes, split_names
from datagen.formats.oddoneout import FOLDERS
from datagen.models.detector.detector import Detector
from datagen.store.reader import DatasetReader
from datagen.train.task import Task
from datagen.train.tasks.detector.objective import DetectorObjective
from datagen.train.tasks.detector.predictions import collect
from datagen.train.tasks.detector.recipe import DetectorRecipe
from datagen.train.tasks.detector.report import found_report, object_report


def open_folder(root: Path) -> DatasetReader:
    """A dataset of scenes, loose or in tar shards. Raises UsageError where there is none."""
    if not root.is_dir():
        raise UsageError(f"{root} is no folder; give a dataset's folder to --data")
    files = DatasetReader(root, FOLDERS)
    if not files.has("split.json"):
        raise UsageError(f"{root} has no split.json; is it a dataset of scenes?")
    return files


def open_split(
    folder: Path, split: str, recipe: DetectorRecipe, objective: DetectorObjective | None = None
) -> ObjectScenes:
    """The scenes of a split; `train` is cut to `data.shapes`, and moved about for an objective.

    Raises UsageError, BrokenFile.
    """
    files = open_folder(folder)
    samples = list_scenes(files, split)
    if split == "train" and recipe.data.shapes:
        first = sorted({sample.shape for sample in samples})[: recipe.data.shapes]
        samples = [sample for sample in samples if sample.shape in first]
    train = split == "train" and objective is not None
    return ObjectScenes(files, samples, recipe.data, train=train, seed=recipe.seed)


def make_objective(recipe: DetectorRecipe) -> DetectorObjective:
    """The detector of a recipe, freshly initialised from its seed, with its losses."""
    torch.manual_seed(recipe.seed)
    return DetectorObjective(Detector(recipe.model), recipe)


def require_scenes(folder: Path, splits: Sequence[str]) -> None:
    """Raises BrokenFile for a split without scenes, UsageError where there is no dataset."""
    files = open_folder(folder)
    for split in splits:
        split_names(files, split)


DETECTOR = Task(
    name="detector",
    recipe=DetectorRecipe,
    open_data=open_split,
    make_objective=make_objective,
    require_data=require_scenes,
    collect=collect,
    report=object_report,
    more=found_report,
    recipes={"": "detector"},
    folders=FOLDERS,
)
