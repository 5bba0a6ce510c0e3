"""What an operator is, what it may ask for, and what a kind of dataset decides about its results."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.material import Material
from datagen.core.shape import Mesh, Part, Shape


class DonorPool(Protocol):
    """Shapes of the own split that can give a part of a class."""

    def candidates(self, part_class: str, shape_id: str) -> tuple[str, ...]:
        """Ids of other shapes of the split with such a part, sorted."""
        ...

    def load(self, shape_id: str) -> Shape:
        """A donor."""
        ...


class Neighbours(Protocol):
    """Shapes of the split that look like one."""

    def nearest(self, shape: Shape) -> tuple[str, ...]:
        """Ids, the likest first; never the shape itself."""
        ...

    def load(self, shape_id: str) -> Shape:
        """One of them."""
        ...


class Policy(Protocol):
    """What a kind of dataset wants of anomalies: which part, how strong, what it takes.

    The operators are the same for every kind. One does not let a part leave the frame of a picture, another does not
    let an object fall apart.
    """

    def settings(self, kind: str) -> Any:
        """The section of the recipe that says how strong anomalies of this kind are."""
        ...

    def choose_part(self, shape: Shape, kind: str, rng: np.random.Generator) -> Part | Rejected:
        """The part that an anomaly of this kind is proposed for."""
        ...

    def misplaced(self, shape: Shape, mesh: Mesh) -> Rejected | None:
        """Why a part cannot be where `mesh` has it: operators draw again, a few times."""
        ...

    def refuse(self, made: AnomalousShape) -> Rejected | None:
        """Why the kind does not take a result; None if it does."""
        ...


@dataclass(frozen=True, eq=False)
class Setting:
    """All that a proposal may draw on besides the shape. What a kind of dataset does not have is None or empty."""

    policy: Policy
    donors: DonorPool | None = None
    neighbours: Neighbours | None = None
    materials: Sequence[Material] = ()
    plugin: str = ""
    """`package.module:function` of the user's own fracture source."""

    @property
    def has(self) -> frozenset[str]:
        """What of `Operator.needs` it offers; skins are with the materials."""
        offered = {"donors": self.donors, "neighbours": self.neighbours, "materials": self.materials or None}
        found = {name for name, value in offered.items() if value is not None}
        return frozenset(found | ({"skins"} if self.materials else set()))


class Operator(Protocol):
    """Makes one kind of anomaly. Neither method changes its input.

    `needs` names what it cannot do without: `donors`, `neighbours`, `materials` of the setting, `skins` of the shape.
    A kind of dataset that has none of it refuses the operator's name in a recipe.
    """

    @property
    def name(self) -> str:
        """The kind of anomaly, as recipes and manifests write it."""
        ...

    @property
    def on_part(self) -> bool:
        """Whether it changes one part, which the policy chooses, or the whole object."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """What it cannot do without."""
        ...

    def propose(
        self, shape: Shape, part: Part | None, rng: np.random.Generator, setting: Setting
    ) -> AnomalySpec | Rejected:
        """Parameters, drawn from `rng` alone; `part` is None for an operator on whole objects."""
        ...

    def apply(self, shape: Shape, spec: AnomalySpec, setting: Setting) -> AnomalousShape | Rejected:
        """What the spec does to the shape: a function of shape, spec, settings and donor or neighbour alone."""
        ...
