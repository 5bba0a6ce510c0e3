"""How datasets of one kind are built: what the pipeline asks a kind for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from datagen.anomalies.operator import Setting
from datagen.core.row import Job
from datagen.core.shape import Shape
from datagen.materials.library import MaterialLibrary
from datagen.pipeline.context import Context
from datagen.pipeline.plan import Plan
from datagen.pipeline.prepared import Prepared
from datagen.pipeline.summary import Summary
from datagen.pipeline.warned import Warned
from datagen.recipe.categories import Categories
from datagen.recipe.loader import DatasetRecipe
from datagen.store.dataset import Dataset

P = TypeVar("P", bound=Plan[Any])


@dataclass(frozen=True)
class Reading:
    """How shapes are read: what their parts are, whether those of PartNet-Mobility keep their textures, and the unit of
    plain mesh files ('' where nothing is measured)."""

    categories: Categories = Categories()
    keep: bool = False
    units: str = ""


def plain_reading(recipe: Any) -> Reading:
    """How they are read where a kind's recipes say nothing of it."""
    return Reading()


Prepare = Callable[[Job, Any, Shape, Prepared], Prepared]
"""The geometry half of a job, from its context, its shape and what an earlier half left."""


@dataclass(frozen=True)
class Building(Generic[P]):
    """What is particular to building one kind of dataset.

    `textured`: shapes keep their own materials. `context`: what its jobs may use. `jobs`: job type -> its geometry
    half. `check_assets` raises MissingDependency or UsageError for what a recipe names and is not there, and returns
    what a user should know of the rest. `root_files`:
    the files beside the data, functions of the plan and of what is there.
    `estimate`: jobs, pictures, disk and CPU-hours before anything is made, by renderer.
    """

    recipe: type[DatasetRecipe]
    textured: bool
    stand_in_note: str
    folders: tuple[str, ...]
    plan: Callable[..., P]
    context: Callable[..., Context]
    jobs: Mapping[str, Prepare]
    check_assets: Callable[[P], Sequence[Warned]]
    root_files: Callable[[P, Dataset, MaterialLibrary, str, Sequence[Warned]], Mapping[str, bytes]]
    estimate: Callable[[P, str], dict[str, Any]]
    summarise: Callable[[P, Dataset], Summary]
    alone: Callable[[Any], Setting] | None = None
    """recipe -> what operators may draw on for a shape by itself; None where shapes get no anomalies."""
    reading: Callable[[Any], Reading] = plain_reading
    """recipe -> how its shapes are read."""
