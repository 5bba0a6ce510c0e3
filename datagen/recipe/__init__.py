"""Recipes: pydantic models of recipes/*.yaml, the loader and the canonical hash.

Says what a dataset is; where and how it runs are command-line flags and never stand here.
"""

from datagen.recipe.loader import recipe_hash
from datagen.recipe.models import Recipe
from datagen.recipe.scenes import SceneRecipe
from datagen.recipe.section import DatasetRecipe

__all__ = ["DatasetRecipe", "Recipe", "SceneRecipe", "recipe_hash"]
