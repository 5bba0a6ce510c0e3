"""The plan and the shapes a dataset of chairs was made from, opened again: its geometry is replayed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from datagen.core.row import Job
from datagen.core.shape import Shape
from datagen.kinds.brokenchairs.context import SplitDonors
from datagen.kinds.brokenchairs.plan import ChairPlan
from datagen.pipeline.context import ShapeCache


@dataclass(frozen=True, eq=False)
class OpenSource:
    """The plan of the build, made again from its recipe and its collection."""

    plan: ChairPlan
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
