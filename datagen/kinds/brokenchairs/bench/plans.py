"""Recipes and plans that are measured: the built-in recipes of chairs over the built-in collection."""

from collections.abc import Sequence

from datagen.kinds.brokenchairs.kind import plan_chairs
from datagen.kinds.brokenchairs.plan import ChairPlan
from datagen.recipe import Recipe
from datagen.recipe.loader import find_recipe, load_recipe
from datagen.shapes.collections import open_collection
from datagen.shapes.source import Source

COLLECTION = "partnet/chair"
"""Measured on where the command names none."""


def recipe_of(name: str | None, overrides: Sequence[str] = ()) -> Recipe:
    """A built-in recipe with `--set` overrides; every key at its default where it has no name. Raises RecipeError."""
    recipe = load_recipe(find_recipe(name), {"brokenchairs": Recipe}, overrides)
    assert isinstance(recipe, Recipe), "the only model given"
    return recipe


def plan_of(recipe: Recipe, collection: str | Source = COLLECTION, limit: int | None = None) -> ChairPlan:
    """The plan over a collection, by name or opened. Raises as `open_collection`."""
    source = open_collection(collection) if isinstance(collection, str) else collection
    return plan_chairs(recipe, source, limit)
