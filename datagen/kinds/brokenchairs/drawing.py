"""Does what a recipe says in the drawing's words fit the shapes: their unit, the names of their parts, the variants?

Inspection is no kind of dataset of its own. Its pictures, references, masks, splits, exports and training are those of
any shape with one anomaly; what is its own are sizes in true millimetres, a tolerance band and normal variation, and
these are keys of the recipe, a state of the shape (state.py) and a measurement (measured.py). A kind of its own would
build, verify and read the same files twice.
"""

from collections.abc import Iterator
from pathlib import Path

from datagen.anomalies.registry import operators
from datagen.anomalies.variant import read_variant
from datagen.core.errors import MeshLoadError, MissingDependency, ShapeError, UsageError
from datagen.core.shape import Shape
from datagen.kinds.brokenchairs.plan import ChairPlan
from datagen.recipe.inspection import MILLIMETRES, matched
from datagen.recipe.models import Recipe

NAMES = 8
"""Names of parts that an error lists."""


def check_drawing(plan: ChairPlan) -> None:
    """Raises UsageError for shapes without a unit, patterns that no part fits and patterns of whole objects,
    MissingDependency for a variant that is not there. Shapes that cannot be read are left to their jobs."""
    recipe = plan.recipe
    for kind in recipe.anomaly.parts:
        if kind in operators() and not operators()[kind].on_part:
            raise UsageError(f"anomaly.parts.{kind}: it is of the whole object, not of a part; take the key out")
    _check_variants(recipe)
    names: dict[tuple[str, str], None] = {}
    for shape in _readable(plan):
        if not shape.mm:
            raise UsageError(
                f"units: {recipe.units}: {shape.shape_id} says no unit of length; write one of "
                f"{', '.join(MILLIMETRES)} as `units` in the recipe or in collection.json"
            )
        names |= {(part.name, part.path): None for part in shape.parts}
    for key, pattern in _patterns(recipe):
        if names and not any(matched(name, {pattern: True}) for name in names):
            known = sorted({name for name, _ in names})
            more = f" and {len(known) - NAMES} more" if len(known) > NAMES else ""
            raise UsageError(f"{key}: no part is called {pattern}; there are {', '.join(known[:NAMES])}{more}")


def _readable(plan: ChairPlan) -> Iterator[Shape]:
    for entry in plan.shapes:
        try:
            yield plan.source.load(entry.shape_id)
        except ShapeError:
            continue


def _patterns(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """(key, pattern) of every pattern of part names in a recipe."""
    for kind, table in recipe.anomaly.parts.items():
        yield from ((f"anomaly.parts.{kind}", pattern) for pattern in table)
    yield from (("anomaly.swapped.variants", pattern) for pattern in recipe.anomaly.swapped.variants)
    yield from (("tolerance.by_part", pattern) for pattern in recipe.tolerance.by_part)
    for name, patterns in recipe.tolerance.together.items():
        yield from ((f"tolerance.together.{name}", pattern) for pattern in patterns)


def _check_variants(recipe: Recipe) -> None:
    for pattern, files in recipe.anomaly.swapped.variants.items():
        key = f"anomaly.swapped.variants.{pattern}"
        if not files:
            raise UsageError(f"{key} lists no file; name mesh files of wrong parts, or take it out")
        for name in files:
            if not Path(name).expanduser().is_file():
                raise MissingDependency(f"{key}: {name} is not there; check the path")
            try:
                read_variant(name)
            except MeshLoadError as error:
                raise UsageError(f"{key}: {error.args[0]}") from error
