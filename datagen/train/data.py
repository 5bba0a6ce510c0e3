"""From a dataset's folder and a recipe to loaders."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from datagen.core.errors import BrokenFile
from datagen.datasets.chairs import Chairs, PairPlan
from datagen.datasets.config import DataConfig
from datagen.datasets.pack import open_packed
from datagen.datasets.sampler import EpochSampler
from datagen.datasets.samples import Sample, list_samples, open_dataset
from datagen.datasets.source import LooseSource, SampleSource
from datagen.store.reader import DatasetReader
from datagen.train.config import TrainRecipe

Watch = Callable[[int, int], None]


def _quiet(done: int, total: int) -> None:
    """No progress shown."""


def open_source(files: DatasetReader, samples: list[Sample], config: DataConfig, watch: Watch = _quiet) -> SampleSource:
    """The packed cache where the recipe wants it, else the files themselves."""
    if config.pack:
        return open_packed(files, samples, config.image_px, watch)
    return LooseSource(files, config.image_px)


def require_samples(folder: Path, splits: Sequence[str]) -> None:
    """Raises BrokenFile for a split without samples, UsageError when there is no dataset."""
    files = open_dataset(folder)
    for split in splits:
        list_samples(files, split)


def open_split(
    folder: Path, split: str, recipe: TrainRecipe, plan: PairPlan | None = None, watch: Watch = _quiet
) -> Chairs:
    """The samples of a split as a Dataset; `train` is augmented and cut to `data.shapes`.

    Raises UsageError when there is no dataset, BrokenFile naming a file.
    """
    files = open_dataset(folder)
    samples = list_samples(files, split)
    if split == "train" and recipe.data.shapes:
        names = sorted({sample.shape for sample in samples}, key=lambda name: (len(name), name))
        first = set(names[: recipe.data.shapes])
        samples = [sample for sample in samples if sample.shape in first]
    return Chairs(
        open_source(files, samples, recipe.data, watch),
        samples,
        recipe.data,
        train=split == "train" and plan is not None,
        seed=recipe.seed,
        plan=plan,
        published=recipe.model.variant == "published",
    )


def train_loader(data: Chairs, sampler: EpochSampler, workers: int) -> DataLoader:
    """Batches of the sampler's epoch, anew at each iteration; workers draw nothing of their own."""
    return DataLoader(
        data,
        batch_sampler=sampler,
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        persistent_workers=workers > 0,
        multiprocessing_context=_context(workers),
    )


def eval_loader(data: Dataset[dict[str, Tensor]], batch: int, workers: int) -> DataLoader:
    """All samples in order."""
    return DataLoader(data, batch_size=batch, num_workers=workers, multiprocessing_context=_context(workers))


def plainly(batches: Iterable[dict[str, Tensor]]) -> Iterator[dict[str, Tensor]]:
    """The batches; a BrokenFile of a worker process is told in its own words, without the worker's traceback."""
    try:
        yield from batches
    except BrokenFile as error:
        # torch hands a worker's error on with the whole traceback as its text; the last line is the error's own.
        text = str(error.args[0])
        if not text.startswith("Caught "):
            raise
        raise BrokenFile(text.splitlines()[-1].rpartition(f"{BrokenFile.__name__}: ")[2]) from None


def _context(workers: int) -> str | None:
    # Forked workers inherit torch's thread pools and may hang in them.
    return "forkserver" if workers else None
