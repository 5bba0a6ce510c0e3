"""What the plans of both kinds of dataset share."""

from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from datagen.core.ids import content_hash
from datagen.core.row import SCHEMA_VERSION
from datagen.recipe import Recipe, SceneRecipe, recipe_hash
from datagen.shapes.source import ShapeEntry, Source

R = TypeVar("R", Recipe, SceneRecipe)


@dataclass(frozen=True)
class BasePlan(Generic[R]):
    """A recipe over a collection; `limit` takes the first shapes or scenes."""

    recipe: R
    source: Source
    limit: int | None = None

    @cached_property
    def entries(self) -> tuple[ShapeEntry, ...]:
        """Every shape of the collection, sorted by id."""
        return tuple(self.source.entries())

    def run_record(self) -> dict[str, object]:
        """What run.json holds: enough to refuse another recipe, seed or collection."""
        return {
            "schema": SCHEMA_VERSION,
            "recipe_hash": recipe_hash(self.recipe),
            "recipe": self.recipe.model_dump(mode="json"),
            "seed": self.recipe.seed,
            "source": self.source.name,
            "collection_hash": content_hash([e.shape_id for e in self.entries]),
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What the recipe asks for and this collection cannot give, in sentences."""
        return ()

    @property
    def layout(self) -> str:
        """How the files lie where the command does not say: loose or shards."""
        return "loose"
