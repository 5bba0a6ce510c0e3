"""What a recipe names outside itself, opened before the first job: a missing folder is one error, not one a job."""

from typing import Any

from datagen.core.errors import MaterialError, MissingDependency
from datagen.materials.library import CombinedLibrary, MaterialLibrary
from datagen.materials.open import open_libraries
from datagen.pipeline.plan import Plan
from datagen.pipeline.warned import Warned


def open_library(plan: Plan[Any]) -> MaterialLibrary:
    """The recipe's material libraries; an empty one for a kind that dresses nothing. Raises MissingDependency."""
    if plan.libraries is None:
        return CombinedLibrary(())
    try:
        return open_libraries(plan.libraries, plan.recipe.seed)
    except MaterialError as error:
        raise MissingDependency(f"materials.libraries: {error.args[0]}") from error


def open_assets(plan: Plan[Any]) -> tuple[MaterialLibrary, tuple[Warned, ...]]:
    """The material libraries, if all else that the recipe names is there, and what a user should know of that.

    Raises MissingDependency, UsageError.
    """
    library = open_library(plan)
    return library, tuple(plan.building.check_assets(plan))
