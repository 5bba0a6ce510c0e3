"""What the evidence of every kind of dataset starts from: everything is read once and kept as figures."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from datagen.core.errors import BrokenFile
from datagen.core.ids import bytes_hash
from datagen.core.row import Job
from datagen.pipeline.building import Reading
from datagen.pipeline.plan import Plan
from datagen.recipe.section import DatasetRecipe
from datagen.shapes.collections import open_collection
from datagen.shapes.source import Source
from datagen.verify.source import P, open_plan
from datagen.verify.tree import Tree

PLAIN = Reading()
M = TypeVar("M", bound=DatasetRecipe)
T = TypeVar("T")
R = TypeVar("R")
NO_RECIPE = "there is no run.json with a recipe that this version reads"


class Audited(Protocol):
    """What every shortcut audit says."""

    @property
    def note(self) -> str:
        """Why nothing was probed, or ''."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Plain figures."""
        ...


@dataclass(eq=False)
class BaseEvidence:
    """Facts of a dataset. `note` hears of progress."""

    tree: Tree
    full: bool = False
    seed: int = 0
    note: Callable[[str], None] = lambda text: None
    source_options: Mapping[str, Any] = field(default_factory=dict)
    """`shapes` and `data_root` as given on the command line, for the geometry replay."""

    @property
    def plan(self) -> Plan[Any] | None:
        """The plan of the build; None where its shapes are not here."""
        raise NotImplementedError

    @property
    def source_note(self) -> str:
        """Why there is no plan, or ''."""
        raise NotImplementedError

    def planned(self) -> Iterator[Job]:
        """Jobs of the plan, those that the dataset can hold."""
        raise NotImplementedError

    @property
    def file_hashes(self) -> Mapping[str, str]:
        """Path -> SHA-256 of every file below the folders of data."""
        raise NotImplementedError

    @property
    def audit(self) -> Audited:
        """The shortcut audit."""
        raise NotImplementedError

    def _stated(self, model: type[M]) -> M | None:
        """The recipe in run.json as one of a kind; None without one that this version reads."""
        recipe = (self.tree.run or {}).get("recipe")
        if not isinstance(recipe, dict):
            return None
        try:
            return model.model_validate(recipe)
        except ValidationError:
            return None

    def _open(
        self,
        make: Callable[[Source], P],
        textured: bool,
        built_in: Sequence[str],
        reading: Reading = PLAIN,
    ) -> tuple[P | None, str]:
        """The plan that `make` gives over the dataset's own collection, or None and why not."""
        shapes, data_root = self.source_options.get("shapes"), self.source_options.get("data_root")
        return open_plan(
            self.tree.root,
            self.tree.run or {},
            lambda spec: make(
                open_collection(spec, data_root, textured, reading.categories, reading.keep, reading.units)
            ),
            shapes,
            built_in,
        )


def hash_the_rest(tree: Tree, known: Mapping[str, str]) -> dict[str, str]:
    """Path -> SHA-256, sorted: those that are known, and every other file of the tree that can be read."""

    def digest(name: str) -> str:
        try:
            return bytes_hash(tree.files.read(name))
        except BrokenFile:
            return ""

    rest = [name for name in tree.files.sizes if name not in known]
    found = {**known, **dict(zip(rest, each(digest, rest), strict=True))}
    return {name: value for name, value in sorted(found.items()) if value}


def each(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Map over items on the cores we may use; decoding and hashing leave Python's lock."""
    items = list(items)
    workers = min(len(os.sched_getaffinity(0)), 8)
    if workers == 1 or len(items) < 8:
        return [function(item) for item in items]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items, chunksize=8))
