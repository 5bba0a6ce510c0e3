"""The shapes a dataset was made from, opened again so that its geometry can be replayed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from datagen.core.errors import DatagenError, UsageError
from datagen.core.ids import content_hash
from datagen.core.row import Job
from datagen.core.shape import Shape
from datagen.pipeline.context import ShapeCache, SplitDonors
from datagen.pipeline.plan import Plan
from datagen.recipe.models import Recipe
from datagen.shapes.source import open_collection
from datagen.store.launch import read_launch

BUILT_IN = ("partnet/chair",)
"""Collections tried when none is named: the built-in ones."""


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


def open_source(
    root: Path, run: Mapping[str, Any] | None, recipe: Recipe | None, shapes: str | None, data_root: Path | None
) -> tuple[OpenSource | None, str]:
    """The source of a run and '', or None and why not. `shapes` is what the user gave, if anything.

    Without it, the collection that the build noted is tried, then the built-in one.
    """
    if run is None or recipe is None:
        return None, "there is no run.json with a recipe that this version reads"
    said = [shapes] if shapes else _noted(root)
    why = ""
    for spec in [*said, *(() if shapes else BUILT_IN)]:
        try:
            plan = Plan(recipe, open_collection(spec, data_root))
            same = content_hash([e.shape_id for e in plan.entries]) == run.get("collection_hash")
        except DatagenError as error:
            why = why or f"the source shapes cannot be opened ({error.args[0]})"
            continue
        if same and plan.source.name == run.get("source"):
            return OpenSource(plan, ShapeCache(plan, size=24)), ""
        why = f"{spec} is not the collection of this dataset ({run.get('source')}); give it by --shapes"
    return None, why


def _noted(root: Path) -> list[str]:
    """What the latest build of this folder was given as --shapes."""
    try:
        shapes = read_launch(root).get("shapes")
    except UsageError:
        return []
    return [str(shapes)] if shapes else []
