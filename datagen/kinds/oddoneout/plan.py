"""The plan of a dataset of scenes: every scene, a pure function of recipe and collection."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from datagen.core.errors import UsageError
from datagen.core.ids import content_hash, fraction_of_hash
from datagen.core.rng import stream
from datagen.core.row import Job
from datagen.formats.oddoneout import scene_name
from datagen.kinds.oddoneout.deal import Dealer, Draw, turn
from datagen.kinds.oddoneout.descriptors import weights_digest
from datagen.pipeline.plan import Plan
from datagen.recipe import SceneRecipe
from datagen.shapes.source import ShapeEntry

OPERATORS = 3
"""Raised when operators give other anomalies for the same seed: a dataset of others is neither resumed nor replayed."""
SHARDS_ABOVE = 1000
"""More scenes than this are written as tar shards unless the layout is given: a scene is some 250 files."""
STUDY_COUNTS = {"3-7": (3, 7), "8-12": (8, 12)}
"""Object counts of the generalisation study (section 4.4)."""


@dataclass(frozen=True)
class PlannedScene:
    """One scene of the plan: its split, shape, number among the shape's scenes (from 1) and folder."""

    split: str
    entry: ShapeEntry
    number: int
    name: str


@dataclass(frozen=True)
class ScenePlan(Plan[SceneRecipe]):
    """All scenes of the recipe in plan order; `limit` takes the first ones, of swapped majorities whole twins."""

    @cached_property
    def chosen(self) -> tuple[ShapeEntry, ...]:
        """The shapes that the recipe uses, spread over the categories, sorted by id. Raises UsageError if none."""
        recipe = self.recipe.split
        found = [e for e in self.entries if not recipe.categories or _named(e.category, recipe.categories)]
        if not found:
            have = sorted({e.category for e in self.entries})
            raise UsageError(
                f"split.categories: the collection has none of them; it has {len(have)}: {', '.join(have[:8])}"
                f"{', ...' if len(have) > 8 else ''}. Take all with --set split.categories=[] --set split.unseen=[]"
            )
        if recipe.shapes is None or recipe.shapes >= len(found):
            return tuple(found)
        rank: dict[str, int] = defaultdict(int)
        keyed = []
        for entry in sorted(found, key=lambda e: (fraction_of_hash(["take", e.shape_id]), e.shape_id)):
            keyed.append((rank[entry.category], entry))
            rank[entry.category] += 1
        keyed.sort(key=lambda item: (item[0], fraction_of_hash(["take", item[1].shape_id])))
        return tuple(sorted((e for _, e in keyed[: recipe.shapes]), key=lambda e: e.shape_id))

    @cached_property
    def splits(self) -> Mapping[str, str]:
        """shape_id -> the one split that shows it."""
        recipe = self.recipe.split
        if recipe.by == "shape":
            return _cut(self.chosen, recipe.test_share, "test", "train")
        unseen = self._unseen()
        found: dict[str, str] = {e.shape_id: "unseen-test" for e in self.chosen if e.category in unseen}
        by_category: dict[str, list[ShapeEntry]] = defaultdict(list)
        for entry in self.chosen:
            if entry.category not in unseen:
                by_category[entry.category].append(entry)
        for category in sorted(by_category):
            found |= _cut(by_category[category], recipe.test_share, "seen-test", "train")
        return found

    def _unseen(self) -> set[str]:
        categories = sorted({e.category for e in self.chosen})
        named = {c for c in categories if _named(c, self.recipe.split.unseen)}
        if named or len(categories) < 2:
            return named
        ranked = sorted(categories, key=lambda c: fraction_of_hash(["unseen", c]))
        return set(ranked[: max(1, round(self.recipe.split.unseen_share * len(categories)))])

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """shape_id -> the integer that names it on disk: the source's own number where it tells shapes apart."""
        by_category: dict[str, list[str]] = defaultdict(list)
        for entry in self.chosen:
            by_category[entry.category].append(entry.shape_id)
        found = {}
        for names in by_category.values():
            numbers = [re.search(r"(\d{1,6})$", name) for name in names]
            own = [int(match[1]) for match in numbers if match]
            usable = len(set(own)) == len(names)
            for k, name in enumerate(names):
                found[name] = own[k] if usable else k + 1
        return found

    @cached_property
    def members(self) -> Mapping[str, tuple[ShapeEntry, ...]]:
        """split -> its shapes in the order in which they take turns."""
        found: dict[str, list[ShapeEntry]] = {key: [] for key in self.recipe.split.keys}
        for entry in self.chosen:
            found[self.splits[entry.shape_id]].append(entry)
        return {
            key: tuple(sorted(entries, key=lambda e: (fraction_of_hash(["order", e.shape_id]), e.shape_id)))
            for key, entries in found.items()
        }

    @cached_property
    def scenes(self) -> tuple[PlannedScene, ...]:
        """Every scene in plan order: the splits advance in proportion, so that any prefix holds them all."""
        keyed = []
        for split, entries in self.members.items():
            count = self.recipe.split.scenes.get(split, 0)
            if not entries:
                continue
            for k in range(count):
                place, number = turn(k, len(entries), swaps=self.swaps)
                entry = entries[place]
                salt = content_hash(["scene-name", entry.shape_id, number])
                name = scene_name(self.recipe.naming, entry.category, self.ids[entry.shape_id], number, salt)
                keyed.append((((k + 0.5) / count, split), PlannedScene(split, entry, number, name)))
        keyed.sort(key=lambda item: item[0])
        scenes = tuple(scene for _, scene in keyed)
        if not scenes:
            raise UsageError("the recipe's splits hold no scene for this collection; raise split.scenes")
        if len({scene.name for scene in scenes}) != len(scenes):
            raise UsageError("two scenes would share a folder; set naming: parts")
        return scenes[: self.limit] if self.limit is None or not self.swaps else _whole_twins(scenes, self.limit)

    @property
    def notes(self) -> tuple[str, ...]:
        """Splits that stay empty."""
        asked = self.recipe.split.scenes
        return tuple(
            f"no shape is left for {split}: none of its scenes ({asked[split]:,}) is made; "
            "a category needs two shapes to be in training and in test"
            for split, entries in self.members.items()
            if asked.get(split) and not entries
        )

    @cached_property
    def shapes(self) -> tuple[ShapeEntry, ...]:
        """The shapes that the (limited) scenes show, in plan order."""
        return tuple({scene.entry.shape_id: scene.entry for scene in self.scenes}.values())

    @cached_property
    def scene_of(self) -> Mapping[str, PlannedScene]:
        """job_id -> scene."""
        return {job.job_id: scene for job, scene in zip(self.jobs(), self.scenes, strict=True)}

    def model_of(self, shape_id: str) -> str:
        """A shape is its own model."""
        return shape_id

    def pool(self, shape_id: str) -> int:
        """How many anomalous shapes are made of a shape."""
        return self._dealer.pools.get(shape_id, 0)

    @cached_property
    def _dealer(self) -> Dealer:
        """Deals to every shape that any scene of the whole recipe shows, whatever the limit."""
        turns: dict[str, int] = {}
        for split, entries in self.members.items():
            count = self.recipe.split.scenes.get(split, 0)
            for k in range(count if entries else 0):
                shape_id = entries[turn(k, len(entries), swaps=self.swaps)[0]].shape_id
                turns[shape_id] = turns.get(shape_id, 0) + 1
        return Dealer(self.recipe, turns)

    @property
    def swaps(self) -> bool:
        """Whether scenes come in twos, the majority of one being odd in the other."""
        return self.recipe.swaps

    def drawn_as(self, number: int) -> int:
        """The number that draws of scene `number` of a shape go by: of two with swapped majorities it is one."""
        return self._dealer.drawn_as(number)

    def twin(self, scene: PlannedScene) -> str | None:
        """The folder of the scene whose majority is odd in this one."""
        other = scene.number + 1 if scene.number % 2 else scene.number - 1
        return self._names.get((scene.entry.shape_id, other)) if self.swaps else None

    @cached_property
    def _names(self) -> Mapping[tuple[str, int], str]:
        """(shape_id, number) -> folder."""
        return {(scene.entry.shape_id, scene.number): scene.name for scene in self.scenes}

    def kinds(self, shape_id: str, slot: int) -> tuple[str, ...]:
        """Kinds to try for an anomalous shape, in order: the slots of a shape begin with different ones."""
        weights = self.recipe.anomaly.kinds
        names = [kind for kind in sorted(weights) if weights[kind] > 0]
        mass = np.array([weights[name] for name in names])
        rng = stream(self.recipe.seed, "kinds", shape_id)
        order = rng.choice(len(names), size=len(names), replace=False, p=mass / mass.sum())
        return tuple(names[order[(slot + k) % len(names)]] for k in range(len(names)))

    def draw(self, scene: PlannedScene) -> Draw:
        """How many objects a scene holds, and which of the shape's anomalous shapes."""
        return self._dealer.draw(scene.entry.shape_id, scene.number)

    def run_record(self) -> dict[str, object]:
        """What run.json holds; raises MissingDependency where the weights that it has to name are not here."""
        return {**super().run_record(), "operators": OPERATORS, **self._weights}

    @property
    def layout(self) -> str:
        """Tar shards for many scenes."""
        return "shards" if len(self.scenes) > SHARDS_ABOVE else super().layout

    @property
    def _weights(self) -> dict[str, str]:
        """Digest of the image weights that find similar shapes, {} without. Raises MissingDependency."""
        weights = self.recipe.anomaly.similar.weights
        return {"weights": weights_digest(weights)} if weights else {}

    def jobs(self) -> Iterator[Job]:
        """One job a scene."""
        digests: dict[str, str] = {}
        for scene in self.scenes:
            shape_id = scene.entry.shape_id
            digest = digests.setdefault(shape_id, "") or self.source.digest(shape_id)
            digests[shape_id] = digest
            yield self.job_of(scene, digest)

    def job_of(self, scene: PlannedScene, digest: str) -> Job:
        """The job of a scene whose shape has this digest."""
        shape_id = scene.entry.shape_id
        section = [*self._job_section, digest, self.recipe.seed, "scene", scene.split, shape_id, scene.number]
        return Job(
            job_id=content_hash(section),
            job_type="scene",
            shape_id=shape_id,
            slot=scene.number,
            kind="scene",
            views=self.recipe.camera.views,
            split=scene.split,
            public_id=self.ids[shape_id],
        )

    @cached_property
    def _job_section(self) -> tuple[object, ...]:
        """What the ids of all jobs are made of besides their scenes."""
        return (self.recipe_hash, OPERATORS, *self._weights.values())

    def by_split(self, skip: frozenset[str] = frozenset()) -> dict[str, list[str]]:
        """split -> scene folders, sorted, in the published order of keys; `skip` leaves folders out."""
        found: dict[str, list[str]] = {key: [] for key in self.recipe.split.keys}
        for scene in self.scenes:
            if scene.name not in skip:
                found[scene.split].append(scene.name)
        return {key: sorted(names) for key, names in found.items()}

    def by_count(self, skip: frozenset[str] = frozenset()) -> dict[str, list[str]]:
        """Splits of the object-count study: training and test scenes of 3-7 and of 8-12 objects."""
        found: dict[str, list[str]] = {}
        for scene in sorted(self.scenes, key=lambda s: s.name):
            for key in study_keys(scene.split, self.draw(scene).objects):
                if scene.name not in skip:
                    found.setdefault(key, []).append(scene.name)
        return dict(sorted(found.items()))


def _whole_twins(scenes: Sequence[PlannedScene], limit: int) -> tuple[PlannedScene, ...]:
    """The first scenes in plan order, as many as `limit`, each with its twin. Raises UsageError for an odd number."""
    if limit % 2:
        raise UsageError(f"--limit {limit}: scenes of this recipe come in twins; give an even number")
    pairs = dict.fromkeys((scene.entry.shape_id, (scene.number - 1) // 2) for scene in scenes)
    taken = set(list(pairs)[: limit // 2])
    return tuple(scene for scene in scenes if (scene.entry.shape_id, (scene.number - 1) // 2) in taken)


def study_keys(split: str, objects: int) -> Iterator[str]:
    """Splits of the object-count study that hold a scene of a split and a number of objects: one or none."""
    side = "test" if "test" in split else "train"
    for label, (low, high) in STUDY_COUNTS.items():
        if low <= objects <= high:
            yield f"{side}-{label}"


def five_views(views: int, sets: int = 2, size: int = 5) -> list[list[int]]:
    """The five-view protocol: disjoint sets of evenly spaced views (section 4.2: M = 5)."""
    size = min(size, max(views // sets, 1))
    step = views / size
    return [[int(k * step + s * step / sets) % views for k in range(size)] for s in range(sets)]


def _named(category: str, names: Sequence[str]) -> bool:
    """Whether a category is one of the names, or begins with one of them as its first word."""
    return any(category == name or category.split("_")[0] == name for name in names)


def _cut(entries: Sequence[ShapeEntry], share: float, small: str, large: str) -> dict[str, str]:
    """Shapes ranked by hash and cut: at least one on either side where there are two."""
    ranked = sorted(entries, key=lambda e: (fraction_of_hash(["split", e.shape_id]), e.shape_id))
    count = round(share * len(ranked))
    if len(ranked) >= 2:
        count = min(max(count, 1), len(ranked) - 1)
    return {e.shape_id: small if k < count else large for k, e in enumerate(ranked)}
