"""The stand-ins of a category as a source: written where it is asked for, in whatever process or machine that is."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from datagen.core.errors import EmptyCollection
from datagen.core.shape import Shape
from datagen.recipe.categories import Categories
from datagen.shapes.partnet import PartNetSource, recognise_partnet
from datagen.shapes.source import ShapeEntry
from datagen.shapes.standins.collection import made_collection


@dataclass(frozen=True)
class StandInSource:
    """Shapes made here in place of a category of PartNet's, read back from the files in PartNet's layout."""

    category: str
    categories: Categories

    def __getstate__(self) -> dict[str, Any]:
        """Without what this process has opened: another machine writes the files for itself."""
        return {"category": self.category, "categories": self.categories}

    @cached_property
    def _made(self) -> PartNetSource:
        found = recognise_partnet(made_collection(self.category), self.categories)
        if found is None:
            raise EmptyCollection(f"the stand-ins of {self.category} are damaged; remove $DATAGEN_CACHE/shapes/partnet")
        return found

    @property
    def name(self) -> str:
        """What the manifest's `source` column says."""
        return self._made.name

    @property
    def licence(self) -> str:
        """Made here."""
        return self._made.licence

    @property
    def stand_in(self) -> bool:
        """They stand in for PartNet."""
        return True

    @property
    def root(self) -> Path:
        """Where they lie in the cache."""
        return self._made.root

    @property
    def warnings(self) -> tuple[str, ...]:
        """None: nothing else lies there."""
        return self._made.warnings

    def entries(self) -> tuple[ShapeEntry, ...]:
        """Every shape, in natural order."""
        return self._made.entries()

    def digest(self, shape_id: str) -> str:
        """Content hash of the shape's files."""
        return self._made.digest(shape_id)

    def load(self, shape_id: str) -> Shape:
        """One shape, normalised. Raises ShapeError for a name that is none."""
        return self._made.load(shape_id)
