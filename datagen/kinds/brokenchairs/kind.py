"""Chairs with one anomaly: everything that is particular to this kind of dataset, by name."""

from datagen.anomalies.registry import require_usable
from datagen.formats.brokenchairs import FOLDERS
from datagen.kinds.brokenchairs.assets import check_assets
from datagen.kinds.brokenchairs.context import ChairContext
from datagen.kinds.brokenchairs.estimate import estimate
from datagen.kinds.brokenchairs.files import STAND_IN_NOTE, root_files
from datagen.kinds.brokenchairs.jobs import anomaly_job, normal_job
from datagen.kinds.brokenchairs.plan import ChairPlan
from datagen.kinds.brokenchairs.policy import alone, offered
from datagen.kinds.brokenchairs.references import reference_job
from datagen.kinds.brokenchairs.summary import summarise
from datagen.pipeline.building import Building, Reading
from datagen.recipe import Recipe
from datagen.shapes.source import Source


def plan_chairs(recipe: Recipe, source: Source, limit: int | None = None) -> ChairPlan:
    """The plan of a recipe over a collection; `limit` counts shapes. Raises UsageError for an operator out of place."""
    require_usable(recipe.anomaly.made, offered(recipe), recipe.kind)
    return ChairPlan(recipe, source, limit, building=BUILDING)


def reading(recipe: Recipe) -> Reading:
    """How a recipe has shapes read."""
    return Reading(recipe.categories, recipe.materials.keep, recipe.units)


BUILDING = Building(
    recipe=Recipe,
    textured=False,
    stand_in_note=STAND_IN_NOTE,
    folders=FOLDERS,
    plan=plan_chairs,
    context=ChairContext,
    jobs={"reference": reference_job, "normal": normal_job, "anomaly": anomaly_job},
    check_assets=check_assets,
    root_files=root_files,
    estimate=estimate,
    summarise=summarise,
    alone=alone,
    reading=reading,
)
