"""Positional anomaly: translate one part (paper, section 3.1 (1))."""

import numpy as np

from datagen.anomalies.common import DRAWS, misplaced, moved, vector
from datagen.core.anomaly import AnomalousShape, PositionSpec, Rejected
from datagen.core.rng import unit_vector
from datagen.core.shape import Mesh, Part, Shape
from datagen.recipe.models import PositionRecipe


def propose(shape: Shape, part: Part, recipe: PositionRecipe, rng: np.random.Generator) -> PositionSpec:
    """A uniform direction and a length in the recipe's range of D.

    Directions that sink the part or push it out of the frame are drawn again, a few times.
    """
    low, high = recipe.distance
    for _ in range(DRAWS):
        translation = unit_vector(rng) * rng.uniform(low, high) * shape.diagonal
        if part.mesh.bounds[0, 2] + translation[2] < 0:
            translation[2] = -translation[2]
        spec = PositionSpec(part.part_id, part.part_class, vector(translation))
        if misplaced(shape, _translated(part, spec)) is None:
            break
    return spec


def _translated(part: Part, spec: PositionSpec) -> Mesh:
    T = np.eye(4)
    T[:3, 3] = spec.translation
    return part.mesh.transformed(T)


def apply(shape: Shape, spec: PositionSpec, recipe: PositionRecipe) -> AnomalousShape | Rejected:
    """The moved part; rejected if it lands on its own old surface, in the ground or out of the frame."""
    part = shape.part(spec.part_id)
    result = moved(shape, part, spec, _translated(part, spec))
    # A long bar slid along itself covers its old place: too little of its surface is anywhere new.
    if isinstance(result, AnomalousShape) and result.measures["p95_distance"] < 0.01 * shape.diagonal:
        return Rejected("hardly_moved", f"95 % of the surface within {result.measures['p95_distance']:.4f}")
    return result
