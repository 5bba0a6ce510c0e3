"""What every task's dataset answers: samples with a shape each, read by (epoch, number)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor
from torch.utils.data import Dataset

from datagen.core.errors import BrokenFile
from datagen.datasets.sampler import BatchSampler, EpochSampler, Key
from datagen.store.parquet import read_parquet
from datagen.store.reader import DatasetReader


class SampleDataset(Dataset[dict[str, Tensor]]):
    """The samples of one split, each with a `shape`: intervals are drawn over shapes.

    A key is (epoch, number), or the number alone for epoch 0. What comes out depends on the seed and the key alone, so
    a resumed run sees what an uninterrupted one sees. `number` is added to every item. A subclass sets `samples` and
    writes `item`.
    """

    samples: Sequence[Any]
    together: int = 1
    """Samples of one shape that a training batch holds side by side; `optim.batch` is a multiple of it."""

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def shapes(self) -> list[str]:
        """The shape of every item."""
        return [sample.shape for sample in self.samples]

    def batches(self, batch: int, seed: int, rank: int = 0, ranks: int = 1) -> BatchSampler:
        """The order in which training sees the samples, `batch` at a time in each of `ranks` processes."""
        return EpochSampler(self.shapes, batch, seed, rank, ranks, self.together)

    def __getitem__(self, key: Key | int) -> dict[str, Tensor]:
        epoch, number = key if isinstance(key, tuple) else (0, key)
        return {**self.item(epoch, number), "number": torch.tensor(number)}

    def item(self, epoch: int, number: int) -> dict[str, Tensor]:
        """Tensors of one sample in an epoch. Raises BrokenFile naming a file that cannot be read."""
        raise NotImplementedError


@dataclass(frozen=True)
class RowSample:
    """A sample as a row of the manifest tells it."""

    row: Mapping[str, Any]

    @property
    def shape(self) -> str:
        """The shape it was made from."""
        return str(self.row["shape_id"])


def samples_of(files: DatasetReader, split: str) -> list[RowSample]:
    """Samples of a split by manifest.parquet, sorted by path. Raises BrokenFile where there is none."""
    rows = sorted(sample_rows(files, split), key=lambda row: str(row["query_path"]))
    if not rows:
        raise BrokenFile(
            f"{files.root}: split {split} has no sample; build more shapes, as few of them may leave a split empty"
        )
    return [RowSample(row) for row in rows]


def require_samples(folder: Path, splits: Sequence[str]) -> None:
    """Raises BrokenFile for a split without samples in the manifest, UsageError where there is no folder."""
    files = DatasetReader(folder)
    for split in splits:
        samples_of(files, split)


def sample_rows(files: DatasetReader, split: str) -> list[dict[str, Any]]:
    """Rows of the manifest that are samples of a split. Raises BrokenFile for a manifest that cannot be read."""
    try:
        rows = read_parquet(files.read("manifest.parquet")).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise BrokenFile(f"{files.root}/manifest.parquet: {error}") from error
    return [row for row in rows if row["row_type"] == "sample" and row["status"] == "ok" and row["split"] == split]
