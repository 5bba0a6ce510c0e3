"""The operators by name, and the one way to propose and apply an anomaly of any kind."""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

import numpy as np
from pydantic import ValidationError

from datagen.anomalies.deform import FIELDS, Deform
from datagen.anomalies.fracture import Fracture
from datagen.anomalies.local import Local
from datagen.anomalies.operator import Operator, Setting
from datagen.anomalies.recolour import Recolour
from datagen.anomalies.remove import Remove
from datagen.anomalies.rotate import Rotate
from datagen.anomalies.similar import Similar
from datagen.anomalies.subtract import Subtract
from datagen.anomalies.swap import Swap
from datagen.anomalies.translate import Translate
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.errors import DatagenError, PluginError, RecipeError, UsageError
from datagen.core.plugins import Plugins, load
from datagen.core.shape import Shape
from datagen.recipe.anomalies import OPERATORS_GROUP, OperatorSections
from datagen.recipe.anomaly_slots import LOCAL
from datagen.recipe.loader import describe_errors

GROUP = OPERATORS_GROUP
MEMBERS = ("name", "on_part", "needs", "propose", "apply")
_INSTALL = "; install the package that brings it, or leave the kind out"
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
    *(Local(name) for name in LOCAL),
)


_BY_NAME = {operator.name: operator for operator in BUILT_IN}


@lru_cache(maxsize=1)
def of_packages() -> Plugins:
    """Operators of other packages, and why others are none."""
    plugins = load(entry_points(group=GROUP))
    found, broken = {}, dict(plugins.broken)
    for name, operator in plugins.found.items():
        lacking = [member for member in MEMBERS if not hasattr(operator, member)]
        if name in _BY_NAME:
            broken[name] = "has the name of a built-in operator"
        elif lacking:
            broken[name] = f"is no operator: it has no {', '.join(lacking)}"
        elif operator.name != name:
            broken[name] = f"gives an operator of another name, {operator.name}"
        else:
            found[name] = operator
    return Plugins(found, broken)


def operators() -> Mapping[str, Operator]:
    """Every operator by its name."""
    return {**_BY_NAME, **of_packages().found}


def settings(recipe: OperatorSections, kind: str) -> Any:
    """A recipe's settings of a kind: its section, or for another package's operator what its `settings` model makes of
    `anomaly.more`, plain data where it has no model. Raises RecipeError."""
    found, model = recipe.settings(kind), getattr(of_packages().found.get(kind), "settings", None)
    if model is None:
        return found
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise RecipeError(f"anomaly.more.{kind}: {describe_errors(error, model)}") from error


def require_usable(kinds: Iterable[str], setting: Setting, dataset: str) -> None:
    """Refuse kinds of anomaly that cannot be made, before the first job.

    Raises UsageError for a kind without operator or one whose operator needs what the kind of dataset does not have,
    RecipeError for settings that its operator does not take.
    """
    for kind in kinds:
        if kind not in operators():
            raise UsageError(f"no operator makes anomalies of kind {kind}{of_packages().hint or _INSTALL}")
        lacking = operators()[kind].needs - setting.has
        if lacking:
            raise UsageError(
                f"anomalies of kind {kind} need {', '.join(sorted(lacking))}, which datasets of kind {dataset} do not "
                "offer to operators; leave the kind out of the recipe"
            )
        setting.policy.settings(kind)


def propose(shape: Shape, kind: str, rng: np.random.Generator, setting: Setting) -> tuple[str, AnomalySpec | Rejected]:
    """The class of the part tried ('' for a whole object), and a spec of this kind or why there can be none.

    Raises PluginError where another package's operator fails.
    """
    operator = operators()[kind]
    if not operator.on_part:
        return "", _asked(operator, "propose", lambda: operator.propose(shape, None, rng, setting))
    part = setting.policy.choose_part(shape, kind, rng)
    if isinstance(part, Rejected):
        return "", part
    return part.part_class, _asked(operator, "propose", lambda: operator.propose(shape, part, rng, setting))


def apply(shape: Shape, spec: AnomalySpec, setting: Setting) -> AnomalousShape | Rejected:
    """What the spec does to the shape, or why operator or kind of dataset does not take it.

    Raises KeyError for an unknown kind, PluginError where another package's operator fails.
    """
    operator = operators()[spec.kind]
    made = _asked(operator, "apply", lambda: operator.apply(shape, spec, setting))
    if isinstance(made, Rejected):
        return made
    return setting.policy.refuse(made) or made


def _asked(operator: Operator, verb: str, call: Callable[[], Any]) -> Any:
    """What an operator answers; whatever goes wrong in one of another package is told by its name."""
    if operator.name in _BY_NAME:
        return call()
    who = f"operator {operator.name} ({type(operator).__module__})"
    wanted = AnomalySpec if verb == "propose" else AnomalousShape
    try:
        made = call()
        if isinstance(made, AnomalySpec):
            json.dumps(made.to_json(), allow_nan=False)
    except DatagenError:
        raise
    except Exception as error:
        raise PluginError(f"{who} fails in {verb}: {type(error).__name__}: {error}; tell its author") from error
    if not isinstance(made, wanted | Rejected):
        raise PluginError(
            f"{who} answers {verb} with {type(made).__name__}; it has to be {wanted.__name__} or Rejected"
        )
    return made
