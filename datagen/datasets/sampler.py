"""Which samples when: keys (epoch, number) in an order that depends on the seed and the epoch alone."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from torch.utils.data import Sampler

from datagen.core.rng import stream

Key = tuple[int, int]
"""(epoch, sample number)."""


class BatchSampler(Sampler[list[Key]]):
    """Batches of one `epoch` for one process, from batch `start` on (resume).

    A subclass writes `__len__` and `batch_at`.
    """

    epoch = start = 0

    def __len__(self) -> int:
        raise NotImplementedError

    def batch_at(self, epoch: int, step: int) -> list[Key]:
        """This process's keys of a step of an epoch."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[list[Key]]:
        for step in range(self.start, len(self)):
            yield self.batch_at(self.epoch, step)


class EpochSampler(BatchSampler):
    """Every sample once an epoch, in a random order, for one of `ranks` processes.

    Each step takes `batch * ranks` consecutive samples of the epoch's order; what does not fill a step at
    the end of an epoch is left to another epoch's order. A split smaller than one step is one step, with
    samples repeated.

    `together` > 1 keeps so many samples of one shape side by side: `shapes` names the shape of every sample, and
    `batch` is a multiple of `together`. What does not fill such a group is left to another epoch's order; a shape
    with fewer samples repeats them.

    `whole` > 1: every `whole` consecutive samples (of one shape) are one, `batch` is a multiple of it, and where
    `together` is more it is a multiple too. Numbers begin at `first`.
    """

    def __init__(
        self,
        shapes: Sequence[str],
        batch: int,
        seed: int,
        rank: int = 0,
        ranks: int = 1,
        together: int = 1,
        whole: int = 1,
        first: int = 0,
    ) -> None:
        self.batch, self.together, self.whole, self.first = batch // whole, max(1, together // whole), whole, first
        self.seed, self.rank, self.ranks = seed, rank, ranks
        self._groups = _by_shape(shapes[::whole]) if self.together > 1 else []
        grouped = sum(max(1, len(g) // self.together) * self.together for g in self._groups)
        self.count = grouped or len(shapes) // whole
        self._order = lru_cache(maxsize=1)(self._drawn)

    def __len__(self) -> int:
        return max(1, self.count // (self.batch * self.ranks))

    def _drawn(self, epoch: int) -> list[int]:
        rng = stream(self.seed, "order", epoch)
        if not self._groups:
            return rng.permutation(self.count).tolist()
        rows = []
        for members in self._groups:
            drawn = np.resize(rng.permutation(members), max(len(members), self.together))
            whole = len(drawn) // self.together * self.together
            rows.append(drawn[:whole].reshape(-1, self.together))
        return rng.permutation(np.concatenate(rows)).ravel().tolist()

    def batch_at(self, epoch: int, step: int) -> list[Key]:
        """This process's keys of a step of an epoch."""
        order = self._order(epoch)
        wide = self.batch * self.ranks
        order = (order * (wide // self.count + 1))[: max(wide, len(order))]
        mine = order[step * wide + self.rank * self.batch :][: self.batch]
        return [(epoch, self.first + number * self.whole + k) for number in mine for k in range(self.whole)]


class MixedSampler(BatchSampler):
    """Every batch a part of each of several samplers. An epoch is one of the first; the others go on in their own."""

    def __init__(self, parts: Sequence[BatchSampler]) -> None:
        self.parts = parts

    def __len__(self) -> int:
        return len(self.parts[0])

    def batch_at(self, epoch: int, step: int) -> list[Key]:
        """The parts' keys of as many steps from the beginning."""
        steps = epoch * len(self) + step
        return [key for part in self.parts for key in part.batch_at(*divmod(steps, len(part)))]


def _by_shape(shapes: Sequence[str]) -> list[np.ndarray]:
    """Sample numbers of every shape, shapes sorted by name."""
    _, group = np.unique(shapes, return_inverse=True)
    return np.split(group.argsort(kind="stable"), np.bincount(group).cumsum()[:-1])
