"""The plan and the shapes a dataset of chairs was made from, opened again: its geometry is replayed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from datagen.anomalies.several import apply_all
from datagen.core.anomaly import AnomalousShape, Rejected, further_specs, spec_from_json
from datagen.core.row import Job
from datagen.core.shape import Shape
from datagen.kinds.brokenchairs.context import SplitDonors
from datagen.kinds.brokenchairs.plan import ChairPlan
from datagen.kinds.brokenchairs.policy import chair_setting
from datagen.kinds.brokenchairs.state import state_of
from datagen.pipeline.context import ShapeCache
from datagen.recipe import Recipe


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

    def remade(self, row: Mapping[str, Any], recipe: Recipe) -> AnomalousShape | Rejected:
        """The anomalous shape of a row by its spec, or why it is not made any more. Raises DatagenError."""
        rest, state, spec = self.load(row["shape_id"]), state_of(row), spec_from_json(json.loads(row["spec"]))
        for one in (spec, *further_specs(spec)):
            if "donor_shape_id" not in one.values:
                continue
            donor = self.load(one.values["donor_shape_id"])
            if donor.digest != one.values["donor_digest"]:
                return Rejected("other_donor", f"{donor.shape_id} is not the donor that was used")
        setting = chair_setting(recipe, self.donors(row["split"]), state.nominal(rest))
        return apply_all(state.placed(rest), spec, setting)

    @cached_property
    def place(self) -> Mapping[str, int]:
        """shape_id -> its place in the plan's order."""
        return {entry.shape_id: k for k, entry in enumerate(self.plan.shapes)}

    def jobs_of(self, shape_id: str) -> tuple[Job, ...]:
        """The jobs that the plan has for a shape."""
        index = self.place[shape_id]
        return tuple(self.plan.jobs_of(index, self.plan.shapes[index]))
