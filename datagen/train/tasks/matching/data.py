"""From a dataset's folder and a recipe to samples."""

from collections.abc import Sequence
from pathlib import Path

from datagen.datasets.config import DataConfig
from datagen.datasets.matching import MatchingDataset
from datagen.datasets.pack import open_packed
from datagen.datasets.samples import Sample, list_samples, open_dataset
from datagen.datasets.source import LooseSource, SampleSource
from datagen.store.reader import DatasetReader
from datagen.train.tasks.matching.objective import DetectionObjective
from datagen.train.tasks.matching.recipe import MatchingRecipe


def open_source(files: DatasetReader, samples: list[Sample], config: DataConfig) -> SampleSource:
    """The packed cache where the recipe wants it, else the files themselves."""
    if config.pack:
        return open_packed(files, samples, config.image_px)
    return LooseSource(files, config.image_px)


def require_samples(folder: Path, splits: Sequence[str]) -> None:
    """Raises BrokenFile for a split without samples, UsageError when there is no dataset."""
    files = open_dataset(folder)
    for split in splits:
        list_samples(files, split)


def open_split(
    folder: Path, split: str, recipe: MatchingRecipe, objective: DetectionObjective | None = None
) -> MatchingDataset:
    """The samples of a split as a Dataset; `train` is cut to `data.shapes`, and augmented for an `objective`.

    Raises UsageError when there is no dataset, BrokenFile naming a file.
    """
    files = open_dataset(folder)
    samples = list_samples(files, split)
    if split == "train" and recipe.data.shapes:
        names = sorted({sample.shape for sample in samples}, key=lambda name: (len(name), name))
        first = set(names[: recipe.data.shapes])
        samples = [sample for sample in samples if sample.shape in first]
    return MatchingDataset(
        open_source(files, samples, recipe.data),
        samples,
        recipe.data,
        train=split == "train" and objective is not None,
        seed=recipe.seed,
        plan=objective.plan() if objective else None,
        published=recipe.model.network == "published",
        changed=recipe.model.network == "comparator",
    )
