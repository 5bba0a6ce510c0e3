"""A sample's deviations measured again: nominal shape, state and spec of its row, against the recipe's tolerance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datagen.core.anomaly import AnomalousShape, Rejected
from datagen.core.shape import Shape
from datagen.kinds.brokenchairs.measured import Measured, measure, nearest_to_limit
from datagen.kinds.brokenchairs.state import state_of
from datagen.recipe.models import Recipe


@dataclass(frozen=True)
class Banded:
    """What meshes measure. `own` is of the anomaly, of a good sample that of the part nearest to its limit; None where
    its operator does not take it any more. `others` is of the parts that have no anomaly, `further` of more anomalies.
    """

    own: Measured | None
    others: Measured = Measured()
    further: tuple[Measured, ...] = ()


def banded(rest: Shape, row: Mapping[str, Any], made: AnomalousShape | Rejected | None, recipe: Recipe) -> Banded:
    """The deviations of a row; `rest` is its shape as read, `made` its anomaly made again, None for a good sample.

    Raises ValueError where a part does not lie where a rigid motion brings it.
    """
    state, tolerance = state_of(row), recipe.tolerance
    nominal = state.nominal(rest)
    if made is None:
        return Banded(nearest_to_limit(nominal, state.placed(rest), tolerance))
    if isinstance(made, Rejected):
        return Banded(None, nearest_to_limit(nominal, state.placed(rest), tolerance, (int(row["part_id"]),)))
    own, *further = (measure(one, nominal, tolerance) for one in made.each or (made,))
    return Banded(own, nearest_to_limit(nominal, made.shape, tolerance, made.part_ids), tuple(further))
