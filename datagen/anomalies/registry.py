"""The operators by name, and the one way to propose and apply an anomaly of any kind."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.metadata import entry_points

import numpy as np

from datagen.anomalies.deform import FIELDS, Deform
from datagen.anomalies.fracture import Fracture
from datagen.anomalies.operator import Operator, Setting
from datagen.anomalies.recolour import Recolour
from datagen.anomalies.remove import Remove
from datagen.anomalies.rotate import Rotate
from datagen.anomalies.similar import Similar
from datagen.anomalies.subtract import Subtract
from datagen.anomalies.swap import Swap
from datagen.anomalies.translate import Translate
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.errors import UsageError
from datagen.core.shape import Shape

GROUP = "datagen.operators"
BUILT_IN: tuple[Operator, ...] = (
    Translate("position"),
    Translate("translation"),
    Rotate(),
    Subtract(),
    Swap(),
    Remove(),
    Fracture("fracture"),
    Fracture("crack"),
    *(Deform(name) for name in FIELDS),
    Recolour(),
    Similar(),
)


@lru_cache(maxsize=1)
def operators() -> Mapping[str, Operator]:
    """Every operator by its name. Raises UsageError for an entry point that gives none, or another of a known name."""
    found = {operator.name: operator for operator in BUILT_IN}
    for point in entry_points(group=GROUP):
        operator = point.load()
        if not hasattr(operator, "propose") or operator.name in found:
            raise UsageError(f"the entry point {point.name} of {GROUP} gives no new operator; remove it")
        found[operator.name] = operator
    return found


def require_usable(kinds: Iterable[str], has: frozenset[str], dataset: str) -> None:
    """Raises UsageError for a kind of anomaly whose operator needs what a kind of dataset does not have."""
    for kind in kinds:
        lacking = operators()[kind].needs - has
        if lacking:
            raise UsageError(
                f"anomalies of kind {kind} need {', '.join(sorted(lacking))}, which datasets of kind {dataset} do not "
                "offer to operators; leave the kind out of the recipe"
            )


def propose(shape: Shape, kind: str, rng: np.random.Generator, setting: Setting) -> tuple[str, AnomalySpec | Rejected]:
    """The class of the part tried ('' for a whole object), and a spec of this kind or why there can be none."""
    operator = operators()[kind]
    if not operator.on_part:
        return "", operator.propose(shape, None, rng, setting)
    part = setting.policy.choose_part(shape, kind, rng)
    if isinstance(part, Rejected):
        return "", part
    return part.part_class, operator.propose(shape, part, rng, setting)


def apply(shape: Shape, spec: AnomalySpec, setting: Setting) -> AnomalousShape | Rejected:
    """What the spec does to the shape, or why operator or kind of dataset does not take it. Raises KeyError."""
    made = operators()[spec.kind].apply(shape, spec, setting)
    if isinstance(made, Rejected):
        return made
    return setting.policy.refuse(made) or made
