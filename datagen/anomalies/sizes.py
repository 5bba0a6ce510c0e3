"""Sizes in true millimetres and degrees of a drawing, and what operators make of them."""

import numpy as np

from datagen.core.anomaly import Rejected
from datagen.core.shape import Shape
from datagen.recipe.section import Range


def drawn(span: Range, rng: np.random.Generator) -> float:
    """A size between two above 0, uniform in the logarithm: a curve over sizes wants as many small as large."""
    low, high = np.log(span)
    return float(np.exp(rng.uniform(low, high)))


def no_unit(shape: Shape) -> Rejected:
    """Why nothing in millimetres can be done to a shape whose files say no unit."""
    return Rejected("no_unit", f"{shape.shape_id} says no unit of length")
