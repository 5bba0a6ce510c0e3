"""One door to the five operators: choose a part, propose, apply."""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from datagen.anomalies import broken, missing, position, rotation, swapped
from datagen.anomalies.frequencies import PUBLISHED
from datagen.core.anomaly import (
    KINDS,
    AnomalousShape,
    AnomalySpec,
    BrokenSpec,
    MissingSpec,
    PositionSpec,
    Rejected,
    RotationSpec,
    SwappedSpec,
)
from datagen.core.shape import REMAINDER_PATH, Part, Shape
from datagen.recipe.models import AnomalyRecipe

OPERATORS = KINDS
DONOR_DRAWS = 4
"""Donors a swap may look at before it gives up on a slot."""
Donor = Callable[[str], Shape]
"""Loads a donor shape by its id."""


class DonorPool(Protocol):
    """Shapes of the own split that can give a part of a class."""

    def candidates(self, part_class: str, shape_id: str) -> tuple[str, ...]:
        """Ids of other shapes of the split with such a part, sorted."""
        ...

    def load(self, shape_id: str) -> Shape:
        """A donor."""
        ...


def choose_part(shape: Shape, kind: str, weights: Mapping[str, Mapping[str, float]], rng: np.random.Generator) -> Part:
    """A part drawn by the published (kind, class) frequencies over the classes this shape has.

    Within a class every part is alike. Remainders of the part tree are never chosen unless the
    shape has nothing else.
    """
    parts = [part for part in shape.parts if part.path != REMAINDER_PATH] or list(shape.parts)
    classes = sorted({part.part_class for part in parts})
    table = weights.get(kind) or PUBLISHED[kind]
    mass = np.array([max(float(table.get(name, 0.0)), 0.0) for name in classes])
    if mass.sum() == 0:
        mass = np.ones(len(classes))
    name = classes[int(rng.choice(len(classes), p=mass / mass.sum()))]
    of_class = [part for part in parts if part.part_class == name]
    return of_class[int(rng.integers(len(of_class)))]


def propose(
    shape: Shape, kind: str, recipe: AnomalyRecipe, rng: np.random.Generator, pool: DonorPool
) -> tuple[str, AnomalySpec | Rejected]:
    """The part class tried and a spec of this kind, or why there can be none."""
    part = choose_part(shape, kind, recipe.weights, rng)
    return part.part_class, _propose_for(shape, part, kind, recipe, rng, pool)


def _propose_for(
    shape: Shape, part: Part, kind: str, recipe: AnomalyRecipe, rng: np.random.Generator, pool: DonorPool
) -> AnomalySpec | Rejected:
    if kind == "position":
        return position.propose(shape, part, recipe.position, rng)
    if kind == "rotation":
        return rotation.propose(shape, part, recipe.rotation, rng)
    if kind == "broken":
        return broken.propose(shape, part, recipe.broken, rng)
    if kind == "missing":
        return missing.propose(shape, part)
    donors = pool.candidates(part.part_class, shape.shape_id)
    if not donors:
        return Rejected("no_donor", f"no other shape of the split has a {part.part_class}")
    for name in rng.permutation(donors)[:DONOR_DRAWS]:
        donor = pool.load(str(name))
        proposal = swapped.propose(shape, part, donor, recipe.swapped, rng)
        # Chairs of one family share legs: look on for a donor that differs.
        if isinstance(proposal, SwappedSpec) and isinstance(
            swapped.apply(shape, proposal, recipe.swapped, donor), AnomalousShape
        ):
            break
    return proposal


def apply(shape: Shape, spec: AnomalySpec, recipe: AnomalyRecipe, pool: DonorPool) -> AnomalousShape | Rejected:
    """What the spec does to the shape; a function of (shape, spec, recipe, donor) alone."""
    match spec:
        case PositionSpec():
            return position.apply(shape, spec, recipe.position)
        case RotationSpec():
            return rotation.apply(shape, spec, recipe.rotation)
        case BrokenSpec():
            return broken.apply(shape, spec, recipe.broken)
        case SwappedSpec():
            return swapped.apply(shape, spec, recipe.swapped, pool.load(spec.donor_shape_id))
        case MissingSpec():
            return missing.apply(shape, spec, recipe.missing)
    raise TypeError(f"{type(spec).__name__} is no anomaly spec")
