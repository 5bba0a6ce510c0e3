"""Does what a recipe says in the drawing's words fit the shapes: their unit, the names of their parts, the variants?

Inspection is no kind of dataset of its own. Its pictures, references, masks, splits, exports and training are those of
any shape with one anomaly; what is its own are sizes in true millimetres, a tolerance band and normal variation, and
these are keys of the recipe, a state of the shape (state.py) and a measurement (measured.py). A kind of its own would
build, verify and read the same files twice.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from datagen.anomalies.registry import operators
from datagen.anomalies.variant import read_variant, refuse_other_unit
from datagen.core.errors import MeshLoadError, MissingDependency, ShapeError, UsageError
from datagen.core.listed import listed
from datagen.core.shape import Part, Shape
from datagen.kinds.brokenchairs.plan import ChairPlan
from datagen.pipeline.warned import EXAMPLES, Warned
from datagen.recipe.inspection import MILLIMETRES, matched
from datagen.recipe.models import Recipe
from datagen.scenes.cameras import refuse_below, refuse_folded
from datagen.scenes.lamps import refuse_inside
from datagen.scenes.station import cut_by
from datagen.shapes.source import ShapeEntry

CUT = "cut at the border of the sensor, though pictures here show it whole; see datagen inspect --station"
"""What is told of shapes that a station's camera does not show whole."""


def check_drawing(plan: ChairPlan) -> tuple[Warned, ...]:
    """Looks at the unit of every planned shape, and at the names of parts until each pattern fits one.

    Returns which shapes the sensors of the recipe's station cut.

    Raises UsageError for shapes without a unit, patterns that no part of the collection fits, patterns of whole
    objects, a variant in another unit, a light inside a part and a camera inside one or that misses it,
    MissingDependency for a variant that is not there. Shapes that cannot be read are left to their jobs.
    """
    recipe = plan.recipe
    for kind in recipe.anomaly.parts if recipe.units else ():
        if kind in operators() and not operators()[kind].on_part:
            raise UsageError(f"anomaly.parts.{kind}: it is of the whole object, not of a part; take the key out")
    _check_variants(recipe)
    names: set[str] = set()
    unfit, cut = list(_patterns(recipe)), list[str]()
    shadowed: dict[Pattern, Part] = {}
    for shape in _readable(plan, plan.shapes):
        if recipe.units and not shape.mm:
            raise UsageError(
                f"units: {recipe.units}: {shape.shape_id} says no unit of length; write one of "
                f"{', '.join(MILLIMETRES)} as `units` in the recipe or in collection.json"
            )
        if shape.mm:
            refuse_other_unit(shape, recipe.anomaly.swapped.variants)
        refuse_inside(recipe.query.lights, shape)
        if recipe.query.station is not None and (cameras := cut_by(recipe.query.station, shape)):
            cut.append(f"{shape.shape_id}: {listed(cameras)}")
        refuse_folded(recipe.query, shape)
        refuse_below(recipe.query, shape)
        names |= {part.name for part in shape.parts}
        unfit = [pattern for pattern in unfit if not pattern.is_first(shape, shadowed)]
        _refuse_in_two_groups(recipe, shape)
    planned = {entry.shape_id for entry in plan.shapes}
    for shape in _readable(plan, [entry for entry in plan.entries if entry.shape_id not in planned]):
        if not unfit:
            break
        unfit = [pattern for pattern in unfit if not pattern.is_first(shape, shadowed)]
    if unfit and names:
        worst = unfit[0]
        if worst in shadowed:
            name = shadowed[worst].name
            raise UsageError(
                f"{worst.key}: {worst.word} is never used: the first pattern that a part fits counts, and {name} fits "
                f"{worst.first_of(shadowed[worst])} before it; put {worst.word} first, or take it out"
            )
        raise UsageError(f"{worst.key}: no part is called {worst.word}; there are {listed(sorted(names))}")
    return (Warned(CUT, len(cut), tuple(cut[:EXAMPLES])),) if cut else ()


@dataclass(frozen=True)
class Pattern:
    """A pattern of part names where a recipe has it, and those before it, which take what they fit."""

    key: str
    word: str
    before: tuple[str, ...] = ()

    def is_first(self, shape: Shape, shadowed: dict["Pattern", Part]) -> bool:
        """Whether it decides about a part of a shape; a part that it only fits after another one is noted."""
        for part in shape.parts:
            if matched((part.name, part.path), {self.word: True}):
                if self.first_of(part) is None:
                    return True
                shadowed.setdefault(self, part)
        return False

    def first_of(self, part: Part) -> str | None:
        """The pattern before it that a part fits, or None."""
        return matched((part.name, part.path), {word: word for word in self.before})


def _refuse_in_two_groups(recipe: Recipe, shape: Shape) -> None:
    for part in shape.parts:
        groups = [
            name
            for name, patterns in recipe.tolerance.together.items()
            if matched((part.name, part.path), dict.fromkeys(patterns, True))
        ]
        if len(groups) > 1:
            raise UsageError(
                f"tolerance.together: {part.name} of {shape.shape_id} is in {groups[0]} and in {groups[1]}; a part "
                "moves with one of them"
            )


def _readable(plan: ChairPlan, entries: Iterable[ShapeEntry]) -> Iterator[Shape]:
    for entry in entries:
        try:
            yield plan.source.load(entry.shape_id)
        except ShapeError:
            continue


def _patterns(recipe: Recipe) -> Iterator[Pattern]:
    """Every pattern of part names in a recipe."""
    yield from _of_table("materials.by_part", recipe.materials.by_part)
    if not recipe.units:
        return
    for kind, table in recipe.anomaly.parts.items():
        yield from _of_table(f"anomaly.parts.{kind}", table)
    yield from _of_table("anomaly.swapped.variants", recipe.anomaly.swapped.variants)
    yield from _of_table("tolerance.by_part", recipe.tolerance.by_part)
    for name, patterns in recipe.tolerance.together.items():
        yield from (Pattern(f"tolerance.together.{name}", word) for word in patterns)


def _of_table(key: str, table: Iterable[str]) -> Iterator[Pattern]:
    words = tuple(table)
    yield from (Pattern(key, word, words[:k]) for k, word in enumerate(words))


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
