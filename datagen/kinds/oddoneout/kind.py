"""Odd-one-out scenes: everything that is particular to this kind of dataset, by name."""

from datagen.anomalies.registry import require_usable
from datagen.formats.oddoneout import FOLDERS
from datagen.kinds.oddoneout.figures import estimate, summarise
from datagen.kinds.oddoneout.files import root_files
from datagen.kinds.oddoneout.jobs import scene_job
from datagen.kinds.oddoneout.plan import ScenePlan
from datagen.kinds.oddoneout.policy import alone, offered
from datagen.kinds.oddoneout.shapes import SceneContext
from datagen.kinds.oddoneout.tools import check_assets
from datagen.pipeline.building import Building
from datagen.recipe import SceneRecipe
from datagen.shapes.procedural.things.source import NOTE
from datagen.shapes.source import Source


def plan_scenes(recipe: SceneRecipe, source: Source, limit: int | None = None) -> ScenePlan:
    """The plan of a recipe over a collection; `limit` counts scenes. Raises UsageError for an operator out of place."""
    require_usable(recipe.anomaly.made, offered(recipe), recipe.kind)
    return ScenePlan(recipe, source, limit, building=BUILDING)


BUILDING = Building(
    recipe=SceneRecipe,
    textured=True,
    stand_in_note=NOTE,
    folders=FOLDERS,
    plan=plan_scenes,
    context=SceneContext,
    jobs={"scene": scene_job},
    check_assets=check_assets,
    root_files=root_files,
    estimate=estimate,
    summarise=summarise,
    alone=alone,
)
