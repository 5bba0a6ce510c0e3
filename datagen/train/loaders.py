"""Batches of a dataset, in training and in evaluation."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from datagen.core.errors import BrokenFile
from datagen.datasets.dataset import SampleDataset
from datagen.datasets.sampler import BatchSampler


def train_loader(data: SampleDataset, sampler: BatchSampler, workers: int) -> DataLoader:
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


def in_own_words(batches: Iterable[dict[str, Tensor]]) -> Iterator[dict[str, Tensor]]:
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
