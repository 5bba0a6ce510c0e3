"""The plan: every job of a dataset, a pure function of recipe and collection."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from datagen.core.errors import MaterialError, MissingDependency
from datagen.core.ids import bytes_hash, content_hash, fraction_of_hash
from datagen.core.rng import stream
from datagen.core.row import Job
from datagen.formats.brokenchairs import SPLITS, in_order
from datagen.kinds.brokenchairs.behind import photo_paths
from datagen.kinds.brokenchairs.splits import assign_splits, plan_order, public_ids
from datagen.materials.by_part import PartLibrary, open_by_part
from datagen.pipeline.plan import Plan
from datagen.recipe import Recipe
from datagen.shapes.source import ShapeEntry


@dataclass(frozen=True)
class ChairPlan(Plan[Recipe]):
    """All shapes of the collection in plan order; `limit` takes the first ones."""

    @cached_property
    def splits(self) -> Mapping[str, str]:
        """shape_id -> split, over the whole collection whatever the limit."""
        return assign_splits(self.entries, self.recipe.split)

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """shape_id -> the integer that names it on disk."""
        return public_ids(self.entries)

    @cached_property
    def shapes(self) -> tuple[ShapeEntry, ...]:
        """The shapes to build, in plan order."""
        return tuple(plan_order(self.entries, dict(self.splits))[: self.limit])

    @cached_property
    def donors(self) -> Mapping[tuple[str, str, str], tuple[ShapeEntry, ...]]:
        """(split, category, part class) -> shapes that have such a part, sorted by id."""
        table: dict[tuple[str, str, str], list[ShapeEntry]] = {}
        for entry in self.entries:
            for name in set(entry.part_classes):
                table.setdefault((self.splits[entry.shape_id], entry.category, name), []).append(entry)
        return {key: tuple(sorted(found, key=lambda e: e.shape_id)) for key, found in table.items()}

    @property
    def absent(self) -> tuple[str, ...]:
        """Paths of wrong variants and of materials by part that the recipe names and that are not there."""
        named = (*self._variant_names, *self._look_folders)
        return tuple(name for name in named if not Path(name).expanduser().exists())

    @property
    def _variant_names(self) -> list[str]:
        return sorted({name for files in self.recipe.anomaly.swapped.variants.values() for name in files})

    @property
    def _look_folders(self) -> list[str]:
        return sorted({look.folder for look in self.recipe.materials.by_part.values() if look.folder})

    @cached_property
    def _variants(self) -> tuple[str, ...]:
        """Digests of the files of wrong variants: another file gives other jobs."""
        paths = [Path(name).expanduser() for name in self._variant_names]
        return tuple(bytes_hash(path.read_bytes()) if path.is_file() else "" for path in paths)

    @cached_property
    def _looks(self) -> tuple[str, ...]:
        """SHA-256 of every file of the folders of materials by part: another file gives other pictures."""
        roots = [Path(folder).expanduser() for folder in self._look_folders]
        return tuple(
            bytes_hash(path.read_bytes()) for root in roots for path in sorted(root.rglob("*")) if path.is_file()
        )

    @cached_property
    def photos(self) -> Mapping[str, str]:
        """Path of every photograph of the background -> SHA-256 of its file: another one gives other pictures.

        Empty where the folder is not there, which is refused before anything is built.
        """
        try:
            paths = photo_paths(self.recipe.query)
        except MissingDependency:
            return {}
        return {str(path): bytes_hash(path.read_bytes()) for path in paths}

    @cached_property
    def _models(self) -> Mapping[str, str]:
        return {e.shape_id: e.model_id or e.shape_id for e in self.entries}

    @cached_property
    def _categories(self) -> Mapping[str, str]:
        return {entry.shape_id: entry.category for entry in self.entries}

    @property
    def notes(self) -> tuple[str, ...]:
        """Anomalies that are asked for and that no shape gets, and splits that get no shape."""
        return (*self._without_anomaly(), *self._without_shape())

    def _without_shape(self) -> tuple[str, ...]:
        there = {self.splits[entry.shape_id] for entry in self.shapes}
        empty = [split for split in SPLITS if split not in there]
        if not empty:
            return ()
        return (
            f"no shape is in {' or '.join(empty)}: a shape is in one split, and {len(self.shapes)} are built; give "
            "more shapes, or build the same ones with another seed to test on (docs/inspection.md, Limits)",
        )

    def _without_anomaly(self) -> tuple[str, ...]:
        asked = [kind for kind, count in self.recipe.anomaly.slots.items() if count > 0]
        if not asked or any(self.kinds(index, entry) for index, entry in enumerate(self.shapes)):
            return ()
        return (
            f"no anomaly is planned, though {', '.join(asked)} are asked for: swapped needs another shape of the split "
            "and category with a part of the same class, and slots below 1 leave shapes out; see anomaly.slots",
        )

    def category_of(self, shape_id: str) -> str:
        """What a shape is, '' in a collection of chairs alone."""
        return self._categories.get(shape_id, "")

    def model_of(self, shape_id: str) -> str:
        """The model a shape annotates: what splits and donors are kept apart by."""
        return self._models[shape_id]

    def jobs(self) -> Iterator[Job]:
        """Every job of the limited plan: reference, normal and anomaly slots, shape by shape."""
        for index, entry in enumerate(self.shapes):
            yield from self.jobs_of(index, entry)

    def jobs_of(self, index: int, entry: ShapeEntry) -> Iterator[Job]:
        """The jobs of one shape; `index` is its place in the plan order."""
        digest = self.source.digest(entry.shape_id)
        yield self._job(entry, digest, "reference", 0, "reference", self.recipe.reference.views)
        rng = stream(self.recipe.seed, "normal-views", entry.shape_id)
        yield self._job(entry, digest, "normal", 0, "normal", draw_count(self.recipe.normal.views, rng))
        for slot, kind in enumerate(self.kinds(index, entry)):
            weights = self.recipe.anomaly.views_by_kind.get(kind) or self.recipe.anomaly.views
            rng = stream(self.recipe.seed, "anomaly-views", entry.shape_id, slot)
            yield self._job(entry, digest, "anomaly", slot, kind, draw_count(weights, rng))

    def kinds(self, index: int, entry: ShapeEntry) -> list[str]:
        """Anomaly kinds of a shape's slots; `swapped` only where the split has a donor."""
        recipe = self.recipe.anomaly
        wanted = [kind for kind in in_order(recipe.slots) if recipe.slots.get(kind, 0) > 0]
        if not recipe.swapped.variants and not self._has_donor(entry):
            wanted = [kind for kind in wanted if kind != "swapped"]
        if recipe.slots_per_shape is not None:
            count = min(recipe.slots_per_shape, len(wanted))
            start = index * recipe.slots_per_shape
            return [wanted[(start + k) % len(wanted)] for k in range(count)]
        dealt = []
        for kind in wanted:
            expected = recipe.slots[kind]
            extra = fraction_of_hash([self.recipe.seed, "slot", entry.shape_id, kind]) < expected % 1
            dealt += [kind] * (int(expected) + int(extra))
        return dealt

    def _has_donor(self, entry: ShapeEntry) -> bool:
        split = self.splits[entry.shape_id]
        return any(
            self.model_of(other.shape_id) != self.model_of(entry.shape_id)
            for name in set(entry.part_classes) - {"Other"}
            for other in self.donors.get((split, entry.category, name), ())
        )

    def _job(self, entry: ShapeEntry, digest: str, job_type: str, slot: int, kind: str, views: int) -> Job:
        made_of = [self.recipe_hash, digest, self.recipe.seed, job_type, slot, kind, views]
        made_of += [*self._variants, *self._looks]
        made_of += [[Path(path).name, found] for path, found in self.photos.items()]
        return Job(
            job_id=content_hash(made_of),
            job_type=job_type,
            shape_id=entry.shape_id,
            slot=slot,
            kind=kind,
            views=views,
            split=self.splits[entry.shape_id],
            public_id=self.ids[entry.shape_id],
        )


def open_part_materials(plan: ChairPlan) -> tuple[PartLibrary, ...]:
    """Materials by part name. Raises MissingDependency for a folder that is not there or of no use."""
    try:
        return open_by_part(plan.recipe.materials.by_part)
    except MaterialError as error:
        raise MissingDependency(str(error.args[0])) from error


def draw_count(weights: Mapping[int, float], rng: np.random.Generator) -> int:
    """One of the counts, by weight."""
    values = sorted(weights)
    mass = np.array([weights[v] for v in values], dtype=float)
    return int(rng.choice(values, p=mass / mass.sum()))
