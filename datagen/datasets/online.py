"""Groups of pairs that are made while training and stored nowhere: group n is a function of a seed and n.

What makes them is given; `OnlineDataset` cuts them into the same items as pairs.parquet's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from datagen.core.rng import stream
from datagen.core.statistics import evenly
from datagen.datasets.config import CELLS, DataConfig
from datagen.datasets.dataset import SampleDataset
from datagen.datasets.matching import drawn_below, mirrored, normalised, thinned
from datagen.datasets.sampler import BatchSampler, Key
from datagen.datasets.viewpoint import apart_deg, least

EPOCH_GROUPS = 1024
"""Groups that count as an epoch: nothing repeats, but validation and schedules go by epochs."""


@dataclass(frozen=True, eq=False)
class Camera:
    """A group as one camera sees it, S px a side, of the normal object (0) and of the anomalous one (1).

    `queries` (2, S, S, 3) uint8 are twins; `own` (2, S, S) uint8 the references from this camera; `masks` (2, S, S)
    bool what changed, where the normal and where the anomalous object has it; `boxes` (2, 4) the same as cx, cy, w, h,
    and `eye` (3,) where it stands.
    """

    queries: np.ndarray
    own: np.ndarray
    masks: np.ndarray
    boxes: np.ndarray
    eye: np.ndarray


@dataclass(frozen=True, eq=False)
class Group:
    """An object and one anomaly of it: cameras, and bundles (2, N, S, S) uint8 seen from `eyes` (N, 3)."""

    shape: str
    cameras: Sequence[Camera]
    bundles: np.ndarray
    eyes: np.ndarray


class GroupMaker(Protocol):
    """Makes groups; travels to worker processes."""

    cameras: int
    """How many cameras every group has."""

    def __call__(self, number: int) -> Group:
        """Group `number`, the same whenever and wherever it is made."""


class InOrder(BatchSampler):
    """Every group once, in the order of their numbers, shared out over the processes."""

    def __init__(self, cells: int, batch: int, rank: int, ranks: int) -> None:
        if batch % cells:
            raise ValueError(f"optim.batch {batch} is no multiple of the {cells} pairs of a group")
        self.cells, self.groups, self.rank, self.ranks = cells, batch // cells, rank, ranks

    def __len__(self) -> int:
        return max(1, EPOCH_GROUPS // (self.groups * self.ranks))

    def batch_at(self, epoch: int, step: int) -> list[Key]:
        """Keys (0, number of the pair) of a step of an epoch."""
        first = ((epoch * len(self) + step) * self.ranks + self.rank) * self.groups * self.cells
        return [(0, first + cell) for cell in range(self.groups * self.cells)]


class OnlineDataset(SampleDataset):
    """Pairs without end; an item's number says its group, camera and cell. Each process keeps the last group made."""

    def __init__(self, maker: GroupMaker, config: DataConfig, seed: int, *, changed: bool) -> None:
        """`changed`: add the pixels that differ."""
        self.maker, self.config, self.seed, self.changed = maker, config, seed, changed
        self.cells = CELLS * maker.cameras
        self.samples = ()
        self._made: tuple[int, Group] | None = None

    def batches(self, batch: int, seed: int, rank: int = 0, ranks: int = 1) -> BatchSampler:
        """Whole groups in the order of their numbers."""
        return InOrder(self.cells, batch, rank, ranks)

    def group(self, number: int) -> Group:
        """Group `number`."""
        if self._made is None or self._made[0] != number:
            self._made = number, self.maker(number)
        return self._made[1]

    def item(self, epoch: int, number: int) -> dict[str, Tensor]:
        """As of a pair of pairs.parquet."""
        of_group, cell = divmod(number, self.cells)
        place, state, reference = cell // CELLS, cell // 2 % 2, cell % 2
        group, config = self.group(of_group), self.config
        camera, label = group.cameras[place], int(state != reference)
        drawn = stream(self.seed, "views", of_group)
        views = drawn.permutation(len(group.eyes))[: config.views]
        # What the query is marked with: where it shows the part that differs.
        box = camera.boxes[state] if camera.boxes[state].any() else camera.boxes[1 - state]
        item = {
            "query": normalised(torch.from_numpy(camera.queries[state].copy()).permute(2, 0, 1)).contiguous(),
            "label": torch.tensor(float(label)),
            "box": torch.from_numpy(box * label).float(),
            "views": torch.from_numpy(group.bundles[reference][views].copy()),
            "xyz": torch.full((len(views), config.grid**2, 3), torch.nan),
            "reference": torch.tensor(2 * of_group + reference),
            "shape": torch.tensor(of_group),
            "picture": torch.tensor(2 * (of_group * self.maker.cameras + place) + state),
            "unit": torch.tensor(of_group * self.maker.cameras + place),
        }
        if config.own_camera:
            item["use_own"] = torch.tensor(drawn_below(drawn, config.own_camera))
            item["own"] = torch.from_numpy(camera.own[reference].copy())
        there = thinned(len(views), drawn) if drawn_below(drawn, config.thin_views) else None
        if config.thin_views:
            item["there"] = torch.from_numpy(np.ones(len(views), dtype=bool) if there is None else there)
        nearest, angle = least(apart_deg(group.eyes[views], camera.eye), there)
        item |= {"nearest": torch.tensor(nearest), "angle": torch.tensor(angle)}
        if self.changed:
            item["changed"] = torch.from_numpy((camera.masks.any(axis=0) & bool(label)).astype(np.int8))
        if drawn_below(drawn, 0.5 if config.flip_together else 0.0):
            item |= mirrored(item, bool(label))
        return item


def of_all(count: int, wanted: int) -> tuple[int, ...]:
    """`wanted` of `count` accepted cameras, evenly spread; repeated where there are fewer."""
    return tuple(np.resize(evenly(count, wanted), wanted).tolist())
