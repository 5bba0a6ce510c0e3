"""The plan and the shapes a dataset was made from, opened again: its geometry is replayed, its jobs rebuilt."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from datagen.core.errors import DatagenError, UsageError
from datagen.core.row import Job
from datagen.core.shape import Shape
from datagen.pipeline.context import ShapeCache, SplitDonors
from datagen.pipeline.plan import Plan
from datagen.pipeline.scene_plan import ScenePlan
from datagen.store.launch import read_launch

P = TypeVar("P", Plan, ScenePlan)
SAME = ("collection_hash", "source", "weights")
"""Keys of run.json that the plan of the right shapes has to give again."""


@dataclass(frozen=True, eq=False)
class OpenSource:
    """The plan of the build, made again from its recipe and its collection."""

    plan: Plan
    cache: ShapeCache = field(repr=False)

    def donors(self, split: str) -> SplitDonors:
        """Donor pool of a split."""
        return SplitDonors(self.plan, self.cache, split)

    def load(self, shape_id: str) -> Shape:
        """A shape as the build saw it. Raises DatagenError."""
        return self.cache.load(shape_id)

    @cached_property
    def place(self) -> Mapping[str, int]:
        """shape_id -> its place in the plan's order."""
        return {entry.shape_id: k for k, entry in enumerate(self.plan.shapes)}

    def jobs_of(self, shape_id: str) -> tuple[Job, ...]:
        """The jobs that the plan has for a shape."""
        index = self.place[shape_id]
        return tuple(self.plan.jobs_of(index, self.plan.shapes[index]))


def open_plan(
    root: Path, run: Mapping[str, Any], make: Callable[[str], P], shapes: str | None, built_in: Sequence[str]
) -> tuple[P | None, str]:
    """The plan of a run and '', or None and why not. `make` plans over a collection by name, `shapes` is the user's.

    Without it, the collection that the build noted is tried, then the built-in ones.
    """
    why = ""
    for spec in [shapes] if shapes else [*_noted(root), *built_in]:
        try:
            plan = make(spec)
            record = plan.run_record()
        except DatagenError as error:
            why = why or f"the source shapes cannot be opened ({error.args[0]})"
            continue
        if all(record.get(key) == run.get(key) for key in SAME):
            return plan, ""
        why = f"{spec} is not the collection of this dataset ({run.get('source')}); give it by --shapes"
    return None, why


def _noted(root: Path) -> list[str]:
    """What the latest build of this folder was given as --shapes."""
    try:
        shapes = read_launch(root).get("shapes")
    except UsageError:
        return []
    return [str(shapes)] if shapes else []
