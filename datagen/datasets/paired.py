"""The torch Dataset of pairs: every picture of a group against the group's bundles, alone or beside natural samples."""

from collections.abc import Sequence

import torch
from torch import Tensor

from datagen.datasets.config import CELLS, DataConfig
from datagen.datasets.matching import MatchingDataset, PairPlan
from datagen.datasets.pairs import PairSample
from datagen.datasets.sampler import BatchSampler, EpochSampler, MixedSampler
from datagen.datasets.samples import Sample
from datagen.datasets.source import SampleSource


class PairedDataset(MatchingDataset):
    """Cells of one split and after them natural samples. In training the cells are whole fours, all balanced.

    Items have two more numbers. Those of one `picture` show the same query; those of one `unit`, which is -1 for a
    natural sample, belong to a picture and its twin. Cells and natural samples share neither pictures nor references,
    since an epoch draws them apart.
    """

    def __init__(
        self,
        source: SampleSource,
        cells: Sequence[PairSample],
        natural: Sequence[Sample],
        config: DataConfig,
        *,
        train: bool,
        seed: int = 0,
        plan: PairPlan | None = None,
        changed: bool = False,
    ) -> None:
        super().__init__(
            source, [*cells, *natural], config, train=train, seed=seed, plan=plan, published=False, changed=changed
        )
        self.cells, self.natural = list(cells), list(natural)
        self._picture = _numbered([cell.query_path for cell in cells])
        self._unit = _numbered([cell.drawn_by for cell in cells])

    def batches(self, batch: int, seed: int, rank: int = 0, ranks: int = 1) -> BatchSampler:
        """Whole fours in a random order, `data.queries_per_shape` cells of a group side by side; in mixed batches
        natural samples after them."""
        part = pair_part(batch, self.config) if self.natural else batch
        groups = [cell.group for cell in self.cells]
        pairs = EpochSampler(groups, part, seed, rank, ranks, self.together, whole=CELLS)
        if not self.natural:
            return pairs
        shapes = [sample.shape for sample in self.natural]
        rest = EpochSampler(shapes, batch - part, seed, rank, ranks, self.together, first=len(self.cells))
        return MixedSampler([pairs, rest])

    def item(self, epoch: int, number: int) -> dict[str, Tensor]:
        """As of a natural sample, with `picture` and `unit`."""
        item, sample = super().item(epoch, number), self.samples[number]
        if not isinstance(sample, PairSample):
            return item | {"picture": torch.tensor(-1 - number), "unit": torch.tensor(-1)}
        return item | {
            "picture": torch.tensor(self._picture[sample.query_path]),
            "unit": torch.tensor(self._unit[sample.drawn_by]),
            "reference": item["reference"] + len(self._number),
        }


def pair_part(batch: int, config: DataConfig) -> int:
    """How many of a mixed batch are cells: `data.pair_share` of it in whole groups, at least one, and not all."""
    step = max(CELLS, config.queries_per_shape)
    return min(max(1, round(batch * config.pair_share / step)), batch // step - 1) * step


def _numbered(names: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}
