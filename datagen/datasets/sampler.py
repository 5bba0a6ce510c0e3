"""Which samples when: keys (epoch, number) in an order that depends on the seed and the epoch alone."""

from collections.abc import Iterator

from torch.utils.data import Sampler

from datagen.core.rng import stream
from datagen.datasets.chairs import Key


class EpochSampler(Sampler[list[Key]]):
    """Batches of one epoch for one of `ranks` processes, from batch `start` on (resume).

    Each step takes `batch * ranks` consecutive samples of the epoch's order; what does not fill a step at
    the end of an epoch is left to another epoch's order. A split smaller than one step is one step, with
    samples repeated.
    """

    def __init__(self, count: int, batch: int, seed: int, rank: int = 0, ranks: int = 1) -> None:
        self.count, self.batch, self.seed, self.rank, self.ranks = count, batch, seed, rank, ranks
        self.epoch = self.start = 0

    def __len__(self) -> int:
        return max(1, self.count // (self.batch * self.ranks))

    def __iter__(self) -> Iterator[list[Key]]:
        order = stream(self.seed, "order", self.epoch).permutation(self.count).tolist()
        wide = self.batch * self.ranks
        order = (order * (wide // self.count + 1))[: max(wide, len(order))]
        for step in range(self.start, len(self)):
            mine = order[step * wide + self.rank * self.batch :][: self.batch]
            yield [(self.epoch, number) for number in mine]
