"""Which plan a recipe asks for."""

from datagen.pipeline.plan import Plan
from datagen.pipeline.scene_plan import ScenePlan
from datagen.recipe import AnyRecipe, SceneRecipe
from datagen.shapes.source import Source

AnyPlan = Plan | ScenePlan


def make_plan(recipe: AnyRecipe, source: Source, limit: int | None = None) -> AnyPlan:
    """The plan of a recipe over a collection. For chairs `limit` counts shapes, for scenes scenes."""
    if isinstance(recipe, SceneRecipe):
        return ScenePlan(recipe, source, limit)
    return Plan(recipe, source, limit)
