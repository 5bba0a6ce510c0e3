"""The torch Dataset of query, reference views, positions, label and box.

A key is (epoch, sample number): what comes out depends on the seed and the key alone, never on the worker,
the order or on what was read before.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from datagen.core.errors import BrokenFile
from datagen.core.rng import stream
from datagen.datasets.augment import augment
from datagen.datasets.config import DataConfig
from datagen.datasets.dataset import SampleDataset
from datagen.datasets.pairs import PairSample
from datagen.datasets.samples import Sample
from datagen.datasets.source import SampleSource, require_equal_views, spread
from datagen.datasets.tracked import tracked_pairs
from datagen.datasets.viewpoint import nearest_view


@dataclass(frozen=True)
class PairPlan:
    """What alignment wants of a sample: `pairs` view pairs with `points` corresponding patches each.

    `published`: instead two views with tracked pixels and a second augmentation of the query.
    """

    pairs: int = 0
    points: int = 32
    published: bool = False
    nearest: Literal["", "evaluated", "drawn"] = ""
    """Add the nearest view of a training sample, by its place among the views that evaluation sees, or among those that
    are drawn. Evaluation always adds it."""


@dataclass(frozen=True, eq=False)
class Renders:
    """Every sample's reference from a camera found for it (n, S, S) uint8, and by how many degrees that is off (n,),
    NaN where the true one is unknown."""

    pictures: np.ndarray
    error_deg: np.ndarray


class MatchingDataset(SampleDataset):
    """Samples of one split. `train` draws views and augments; otherwise all views, unchanged.

    Items of an epoch with the same `reference` have the same `views` and `xyz`. Raises BrokenFile naming a shape
    that lost a reference view.
    """

    def __init__(
        self,
        source: SampleSource,
        samples: list[Sample],
        config: DataConfig,
        *,
        train: bool,
        seed: int = 0,
        plan: PairPlan | None = None,
        published: bool = False,
        changed: bool = False,
    ) -> None:
        """`changed`: add the pixels of every anomaly, from its masks."""
        self.source, self.samples, self.config = source, samples, config
        self.train, self.seed, self.published, self.changed = train, seed, published, changed
        self.plan = plan or PairPlan()
        self.together = config.queries_per_shape
        self.renders: Renders | None = None
        self._reference = {sample.bundle: sample.bundle for sample in samples}
        if config.shuffle_references:
            self._reference = shuffled({sample.bundle: sample.shape for sample in samples}, seed)
        require_equal_views({shape: source.azimuths(shape) for shape in sorted(self._reference)})
        self._number = {shape: row for row, shape in enumerate(sorted(self._reference))}

    def with_renders(self, renders: Renders) -> "MatchingDataset":
        """The same samples, each with its render as `own`."""
        found = copy(self)
        found.renders = renders
        return found

    def reference_of(self, sample: Sample) -> str:
        """The bundle whose views go with a sample: its own, unless references are shuffled."""
        return self._reference[sample.bundle]

    def evaluated_views(self, shape: str) -> tuple[int, ...]:
        """The views of a shape that evaluation sees, and by whose order it numbers them."""
        count = self.source.count(shape)
        return spread(count, min(self.config.eval_views, count), shape)

    def item(self, epoch: int, number: int) -> dict[str, Tensor]:
        """Query, views, positions, label and box; in training what `plan` asks for too.

        `nearest` is the nearest view's place and `angle` how many degrees it is off, -1 and NaN where unknown; `there`
        (N,) says which views count, and is left out where all do; `changed` (S, S) int8 is 1 where an anomaly shows, -1
        all over where that is unknown.
        """
        sample = self.samples[number]
        rng = stream(self.seed, "sample", epoch if self.train else 0, sample.drawn_by)
        item = self._query(sample, rng)
        shape = self._reference[sample.bundle]
        shared = not self.train or self.config.queries_per_shape > 1 or isinstance(sample, PairSample)
        # The bundles that a picture and its twin meet are drawn alike.
        drawn_for = sample.shape if isinstance(sample, PairSample) else shape
        drawn = stream(self.seed, "views", epoch, drawn_for) if shared else rng
        views = self._views(shape, drawn)
        item["views"] = torch.from_numpy(np.ascontiguousarray(self.source.pictures(shape, views)))
        if self.config.blank_references:
            item["views"] = torch.full_like(item["views"], 255)
        if self.train and self.config.own_camera:
            item["use_own"] = torch.tensor(drawn_below(drawn, self.config.own_camera))
        if (self.train and self.config.own_camera) or (not self.train and self.config.against == "own_camera"):
            item["own"] = self._own_view(sample, shape)
        if self.renders is not None:
            item["own"] = torch.from_numpy(self.renders.pictures[number])
            item["pose_error"] = torch.tensor(self.renders.error_deg[number])
        item["xyz"] = torch.from_numpy(self._positions(shape, views))
        own = -1 - number * len(self._number) - self._number[shape]
        item["reference"] = torch.tensor(self._number[shape] if shared else own)
        item["shape"] = torch.tensor(self._number[shape])
        there = thinned(len(views), drawn) if self.train and drawn_below(drawn, self.config.thin_views) else None
        if self.train and self.config.thin_views:
            item["there"] = torch.from_numpy(np.ones(len(views), dtype=bool) if there is None else there)
        if self.plan.nearest or not self.train:
            among = views if self.plan.nearest == "drawn" else self.evaluated_views(shape)
            place, angle = nearest_view(self.source, shape, sample, among, there)
            item |= {"nearest": torch.tensor(place), "angle": torch.tensor(angle)}
        if self.changed:
            item["changed"] = self._changed(sample)
        if self.train and drawn_below(drawn, 0.5 if self.config.flip_together else 0.0):
            item |= mirrored(item, bool(sample.label))
        if self.train and self.plan.published:
            item |= self._tracked(shape, sample, rng)
        elif self.train and self.plan.pairs:
            item |= self._pairs(shape, views, rng)
        return item

    def _own_view(self, sample: Sample, bundle: str) -> Tensor:
        """The reference (S, S) uint8 from the query's own camera."""
        if self.config.blank_references:
            return torch.full((self.config.image_px, self.config.image_px), 255, dtype=torch.uint8)
        if bundle != sample.bundle:
            # References are shuffled: another shape as the camera nearest in azimuth sees it.
            azimuth = sample.azimuth_deg or 0.0
            others = [other for other in self.samples if other.bundle == bundle]
            sample = min(others, key=lambda s: abs(((s.azimuth_deg or 0.0) - azimuth + 180) % 360 - 180))
        return torch.from_numpy(self.source.own_view(sample).copy())

    def _changed(self, sample: Sample) -> Tensor:
        mask = self.source.changed(sample)
        size = self.config.image_px
        return (
            torch.full((size, size), -1, dtype=torch.int8) if mask is None else torch.from_numpy(mask.astype(np.int8))
        )

    def _query(self, sample: Sample, rng: np.random.Generator) -> dict[str, Tensor]:
        given = np.full_like(self.source.query(sample), 255) if self.config.blank_queries else self.source.query(sample)
        picture = normalised(torch.from_numpy(given.copy()).permute(2, 0, 1))
        box: tuple[float, ...] = sample.box
        if self.train:
            c = self.config
            picture, box = augment(picture, box, bool(sample.label), rng, c.flip, c.crop, c.brightness_contrast)
        return {
            "query": picture.contiguous(),
            "label": torch.tensor(float(sample.label)),
            "box": torch.tensor(box, dtype=torch.float32),
        }

    def _views(self, shape: str, rng: np.random.Generator) -> tuple[int, ...]:
        if not self.train:
            return self.evaluated_views(shape)
        count = self.source.count(shape)
        spread(count, self.config.views, shape)
        return tuple(int(view) for view in rng.permutation(count)[: self.config.views])

    def _positions(self, shape: str, views: tuple[int, ...]) -> np.ndarray:
        found = self.source.published_positions(shape, views) if self.published else self.source.positions(shape, views)
        return np.ascontiguousarray(found, dtype=np.float32)

    def _pairs(self, shape: str, views: tuple[int, ...], rng: np.random.Generator) -> dict[str, Tensor]:
        """`pair_views` (R, 2) into this sample's views; `pair_from`, `pair_to` (R, points), -1 = none."""
        chosen = np.array([rng.permutation(len(views))[:2] for _ in range(self.plan.pairs)])
        patches = np.full((2, self.plan.pairs, self.plan.points), -1, dtype=np.int64)
        for row, (first, second) in enumerate(chosen):
            partner = self.source.correspondences(shape, views[first], views[second])
            known = rng.permutation(np.flatnonzero(partner >= 0))[: self.plan.points]
            patches[0, row, : len(known)], patches[1, row, : len(known)] = known, partner[known]
        return {
            "pair_views": torch.from_numpy(chosen.astype(np.int64)),
            "pair_from": torch.from_numpy(patches[0]),
            "pair_to": torch.from_numpy(patches[1]),
        }

    def _tracked(self, shape: str, sample: Sample, rng: np.random.Generator) -> dict[str, Tensor]:
        first, second, pixels = tracked_pairs(self.source, shape, self.plan.points, rng)
        return {
            "view1": torch.from_numpy(self.source.pictures(shape, [first])[0]),
            "view2": torch.from_numpy(self.source.pictures(shape, [second])[0]),
            "pixels1": torch.from_numpy(pixels[0].astype(np.float32)),
            "pixels2": torch.from_numpy(pixels[1].astype(np.float32)),
            "query_again": self._query(sample, rng)["query"],
        }


def drawn_below(rng: np.random.Generator, share: float) -> bool:
    """True in a share of draws; at 0 nothing is drawn."""
    return share > 0 and bool(rng.random() < share)


def thinned(count: int, rng: np.random.Generator) -> np.ndarray:
    """Which of `count` views are left (count,) bool: a random part, from a quarter of them to all."""
    left = np.zeros(count, dtype=bool)
    left[rng.permutation(count)[: rng.integers(max(1, count // 4), count + 1)]] = True
    return left


def mirrored(item: dict[str, Tensor], anomalous: bool) -> dict[str, Tensor]:
    """Query, views, change and box of an item, mirrored left to right alike."""
    found = {name: item[name].flip(-1) for name in ("query", "views", "own", "changed") if name in item}
    box = item["box"]
    return found | {"box": torch.cat([1 - box[:1], box[1:]]) if anomalous else box}


def normalised(picture: Tensor) -> Tensor:
    """uint8 to float32 in [-1, 1]: (u / 255 - 0.5) / 0.5, in that order."""
    return (picture.to(torch.float32) / 255 - 0.5) / 0.5


def grey_to_rgb(views_NSS: Tensor) -> Tensor:
    """Grey uint8 views (..., S, S) to (..., 3, S, S) in [-1, 1], the grey cloned (paper, footnote 1)."""
    return normalised(views_NSS).unsqueeze(-3).expand(*views_NSS.shape[:-2], 3, *views_NSS.shape[-2:])


def shuffled(shape_of: Mapping[str, str], seed: int) -> dict[str, str]:
    """A bundle of another shape for every bundle, by the bundles' shapes: a cyclic shift of a random order of shapes.

    A shape's second bundle gets another's second, and so on. Raises BrokenFile for one shape.
    """
    bundles: dict[str, list[str]] = {}
    for bundle in sorted(shape_of):
        bundles.setdefault(shape_of[bundle], []).append(bundle)
    if len(bundles) < 2:
        raise BrokenFile("data.shuffle_references needs two shapes or more in the split")
    order = stream(seed, "shuffle", "references").permutation(sorted(bundles)).tolist()
    return {
        bundle: bundles[other][place % len(bundles[other])]
        for shape, other in zip(order, order[1:] + order[:1], strict=True)
        for place, bundle in enumerate(bundles[shape])
    }
