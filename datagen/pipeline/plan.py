"""A plan: every job of a dataset, a pure function of recipe and collection."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from datagen.core.ids import content_hash
from datagen.core.row import SCHEMA_VERSION, Job
from datagen.recipe.loader import recipe_hash
from datagen.recipe.section import DatasetRecipe, recipe_data
from datagen.shapes.source import ShapeEntry, Source

R = TypeVar("R", bound=DatasetRecipe)


@dataclass(frozen=True)
class Plan(ABC, Generic[R]):
    """A recipe over a collection; `limit` takes the first shapes or scenes.

    `building`, a `pipeline.building.Building`, says how its kind is built.
    """

    recipe: R
    source: Source
    limit: int | None = None
    building: Any = field(kw_only=True, repr=False, compare=False)

    @cached_property
    def entries(self) -> tuple[ShapeEntry, ...]:
        """Every shape of the collection, sorted by id."""
        return tuple(self.source.entries())

    @cached_property
    def recipe_hash(self) -> str:
        """Digest of the recipe, which every job's id is made of."""
        return recipe_hash(self.recipe)

    @property
    @abstractmethod
    def shapes(self) -> Sequence[ShapeEntry]:
        """The shapes that the limited plan uses, in plan order."""

    @abstractmethod
    def jobs(self) -> Iterator[Job]:
        """Every job of the limited plan, in order."""

    def run_record(self) -> dict[str, object]:
        """What run.json holds: enough to refuse another recipe, seed or collection."""
        return {
            "schema": SCHEMA_VERSION,
            "recipe_hash": self.recipe_hash,
            "recipe": recipe_data(self.recipe),
            "seed": self.recipe.seed,
            "source": self.source.name,
            "collection_hash": content_hash([e.shape_id for e in self.entries]),
        }

    @property
    def libraries(self) -> Sequence[str] | None:
        """The material libraries that the recipe names; None for kinds whose shapes wear nothing."""
        section = getattr(self.recipe, "materials", None)
        return None if section is None else tuple(section.libraries)

    @property
    def device(self) -> str:
        """Where the recipe wants Cycles to render: cpu, auto, optix ..."""
        section = getattr(self.recipe, "render", None)
        return "cpu" if section is None else str(section.device)

    def category_of(self, shape_id: str) -> str:
        """What rows say a shape is; '' where it needs no saying."""
        return ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the recipe asks for and this collection cannot give, in sentences."""
        return ()

    @property
    def layout(self) -> str:
        """How the files lie where the command does not say: loose or shards."""
        return "loose"


def shard_index(job_id: str, count: int) -> int:
    """Which of `count` shards does a job: by the id's own digits, since Python's hash is salted."""
    return int(job_id[:16], 16) % count
