"""Which samples when: keys (epoch, number) in an order that depends on the seed and the epoch alone."""

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

from datagen.core.rng import stream
from datagen.datasets.dataset import Key


class EpochSampler(Sampler[list[Key]]):
    """Batches of one epoch for one of `ranks` processes, from batch `start` on (resume).

    Each step takes `batch * ranks` consecutive samples of the epoch's order; what does not fill a step at
    the end of an epoch is left to another epoch's order. A split smaller than one step is one step, with
    samples repeated.

    `together` > 1 keeps so many samples of one shape side by side: `shapes` names the shape of every sample, and
    `batch` is a multiple of `together`. What does not fill such a group is left to another epoch's order; a shape
    with fewer samples repeats them.
    """

    def __init__(
        self, shapes: Sequence[str], batch: int, seed: int, rank: int = 0, ranks: int = 1, together: int = 1
    ) -> None:
        self.batch, self.seed, self.rank, self.ranks, self.together = batch, seed, rank, ranks, together
        self._groups = _by_shape(shapes) if together > 1 else []
        self.count = sum(max(1, len(g) // together) * together for g in self._groups) or len(shapes)
        self.epoch = self.start = 0

    def __len__(self) -> int:
        return max(1, self.count // (self.batch * self.ranks))

    def _order(self) -> list[int]:
        rng = stream(self.seed, "order", self.epoch)
        if not self._groups:
            return rng.permutation(self.count).tolist()
        rows = []
        for members in self._groups:
            drawn = np.resize(rng.permutation(members), max(len(members), self.together))
            whole = len(drawn) // self.together * self.together
            rows.append(drawn[:whole].reshape(-1, self.together))
        return rng.permutation(np.concatenate(rows)).ravel().tolist()

    def __iter__(self) -> Iterator[list[Key]]:
        order = self._order()
        wide = self.batch * self.ranks
        order = (order * (wide // self.count + 1))[: max(wide, len(order))]
        for step in range(self.start, len(self)):
            mine = order[step * wide + self.rank * self.batch :][: self.batch]
            yield [(self.epoch, number) for number in mine]


def _by_shape(shapes: Sequence[str]) -> list[np.ndarray]:
    """Sample numbers of every shape, shapes sorted by name."""
    _, group = np.unique(shapes, return_inverse=True)
    return np.split(group.argsort(kind="stable"), np.bincount(group).cumsum()[:-1])
