"""Positional anomaly: translate one part (paper, section 3.1 (1))."""

import numpy as np

from datagen.anomalies.common import moved, vector
from datagen.core.anomaly import AnomalousShape, PositionSpec, Rejected
from datagen.core.rng import unit_vector
from datagen.core.shape import Part, Shape
from datagen.recipe.models import PositionRecipe


def propose(shape: Shape, part: Part, recipe: PositionRecipe, rng: np.random.Generator) -> PositionSpec:
    """A uniform direction and a length in the recipe's range of D; downward only as far as the ground lets it."""
    low, high = recipe.distance
    length = rng.uniform(low, high) * shape.diagonal
    translation = unit_vector(rng) * length
    if part.mesh.bounds[0, 2] + translation[2] < 0:
        translation[2] = -translation[2]
    return PositionSpec(part.part_id, part.part_class, vector(translation))


def apply(shape: Shape, spec: PositionSpec, recipe: PositionRecipe) -> AnomalousShape | Rejected:
    """The moved part; rejected if it lands on its own old surface, in the ground or out of the frame."""
    part = shape.part(spec.part_id)
    T = np.eye(4)
    T[:3, 3] = spec.translation
    result = moved(shape, part, spec, part.mesh.transformed(T))
    # A long bar slid along itself covers its old place: too little of its surface is anywhere new.
    if isinstance(result, AnomalousShape) and result.measures["p95_distance"] < 0.01 * shape.diagonal:
        return Rejected("hardly_moved", f"95 % of the surface within {result.measures['p95_distance']:.4f}")
    return result
