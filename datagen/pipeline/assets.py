"""What a recipe names outside itself: material folders, floors, environments, weights, plug-ins.

Opened before the first job, so that a missing folder is one error and not one a job.
"""

from functools import singledispatch
from pathlib import Path

from datagen.anomalies.objects.fracture import open_plugin
from datagen.core.errors import MaterialError, MissingDependency
from datagen.materials.library import MaterialLibrary
from datagen.materials.open import open_floors, open_libraries
from datagen.pipeline.descriptors import check_descriptor
from datagen.pipeline.plan import Plan
from datagen.pipeline.plans import AnyPlan
from datagen.pipeline.scene_plan import ScenePlan
from datagen.scenes.skies import check_image_world, check_world, listed_worlds


def open_library(plan: AnyPlan) -> MaterialLibrary:
    """The recipe's material libraries. Raises MissingDependency."""
    try:
        return open_libraries(plan.recipe.materials.libraries, plan.recipe.seed)
    except MaterialError as error:
        raise MissingDependency(f"materials.libraries: {error.args[0]}") from error


def open_floor_library(plan: ScenePlan) -> MaterialLibrary:
    """The floors of a recipe of scenes. Raises MissingDependency."""
    try:
        return open_floors(plan.recipe.light.floors, plan.recipe.seed)
    except MaterialError as error:
        raise MissingDependency(f"light.floors: {error.args[0]}") from error


def open_assets(plan: AnyPlan) -> MaterialLibrary:
    """The material libraries, if all else that the recipe names is there. Raises MissingDependency, UsageError."""
    library = open_library(plan)
    _check(plan)
    return library


@singledispatch
def _check(plan: AnyPlan) -> None:
    raise TypeError(type(plan).__name__)


@_check.register
def _check_chairs(plan: Plan) -> None:
    for name in plan.recipe.light.worlds:
        # Stock environments are known by name to the renderer alone.
        if Path(name).suffix and not Path(name).expanduser().is_file():
            raise MissingDependency(f"light.worlds: {name} is not there; name a file or one of Blender's own")
        if Path(name).suffix:
            check_image_world(name)


@_check.register
def _check_scenes(plan: ScenePlan) -> None:
    open_floor_library(plan)
    for name in listed_worlds(plan.recipe.light.worlds):
        check_world(name)
        if Path(name).suffix:
            check_image_world(name)
    check_descriptor(plan.recipe.anomaly.similar)
    if plan.recipe.anomaly.plugin:
        open_plugin(plan.recipe.anomaly.plugin)
