"""Recipes: pydantic models of recipes/*.yaml, the loader and the canonical hash.

Says what a dataset is; where and how it runs are command-line flags and never stand here.
"""

from datagen.recipe.loader import AnyRecipe, load_recipe, recipe_hash
from datagen.recipe.models import Recipe
from datagen.recipe.scenes import SceneRecipe

__all__ = ["AnyRecipe", "Recipe", "SceneRecipe", "load_recipe", "recipe_hash"]
