"""What a recipe of scenes names outside itself: floors, environments, weights, plug-ins."""

from pathlib import Path

from datagen.anomalies.fracture import open_plugin
from datagen.core.errors import MaterialError, MissingDependency
from datagen.kinds.oddoneout.descriptors import check_descriptor
from datagen.kinds.oddoneout.plan import ScenePlan
from datagen.materials.library import MaterialLibrary
from datagen.materials.open import open_floors
from datagen.scenes.skies import check_image_world, check_world, listed_worlds


def open_floor_library(plan: ScenePlan) -> MaterialLibrary:
    """The floors of a recipe of scenes. Raises MissingDependency."""
    try:
        return open_floors(plan.recipe.light.floors, plan.recipe.seed)
    except MaterialError as error:
        raise MissingDependency(f"light.floors: {error.args[0]}") from error


def check_assets(plan: ScenePlan) -> None:
    """Floors, environments, weights and plug-ins that a recipe names. Raises MissingDependency, UsageError."""
    open_floor_library(plan)
    for name in listed_worlds(plan.recipe.light.worlds):
        check_world(name)
        if Path(name).suffix:
            check_image_world(name)
    check_descriptor(plan.recipe.anomaly.similar)
    if plan.recipe.anomaly.plugin:
        open_plugin(plan.recipe.anomaly.plugin)
