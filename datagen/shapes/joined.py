"""Several collections as one: shapes of several categories in one dataset."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from datagen.core.errors import ShapeError, UsageError
from datagen.core.ids import content_hash
from datagen.core.shape import Shape
from datagen.recipe.categories import DEFAULT
from datagen.shapes.source import ShapeEntry, Source, natural_key


@dataclass(frozen=True)
class JoinedSource:
    """The shapes of several sources. An id that two of them have gets its category before it.

    Whatever reads the shapes raises UsageError where two of one category have one id.
    """

    sources: tuple[Source, ...]

    @property
    def name(self) -> str:
        """The distinct names, in order."""
        return " + ".join(dict.fromkeys(source.name for source in self.sources))

    @property
    def licence(self) -> str:
        """The distinct licences, in order."""
        return "; ".join(dict.fromkeys(source.licence for source in self.sources))

    @property
    def stand_in(self) -> bool:
        """Whether any of the shapes were made by this project."""
        return any(source.stand_in for source in self.sources)

    @property
    def root(self) -> Path:
        """The folder of the first."""
        return self.sources[0].root

    @property
    def warnings(self) -> tuple[str, ...]:
        """Those of every source."""
        return tuple(warning for source in self.sources for warning in source.warnings)

    @cached_property
    def _members(self) -> dict[str, tuple[ShapeEntry, Source, str]]:
        """shape_id -> entry, source, and the id that the source knows it by."""
        listed = [(entry, source) for source in self.sources for entry in source.entries()]
        times = Counter(entry.shape_id for entry, _ in listed)
        found: dict[str, tuple[ShapeEntry, Source, str]] = {}
        for entry, source in listed:
            category = entry.category or DEFAULT
            shape_id = entry.shape_id if times[entry.shape_id] == 1 else f"{category}-{entry.shape_id}"
            if shape_id in found:
                raise UsageError(
                    f"the shape {entry.shape_id} ({category}) is in {found[shape_id][1].root} and in {source.root}; "
                    "give each collection once, or rename the folder or file of one of them"
                )
            found[shape_id] = (replace(entry, shape_id=shape_id, category=category), source, entry.shape_id)
        return {shape_id: found[shape_id] for shape_id in sorted(found, key=natural_key)}

    def entries(self) -> tuple[ShapeEntry, ...]:
        """Every shape with its category, in natural order of the ids."""
        return tuple(entry for entry, _, _ in self._members.values())

    def _of(self, shape_id: str) -> tuple[ShapeEntry, Source, str]:
        if shape_id not in self._members:
            raise ShapeError(f"{shape_id}: no such shape in {self.name}")
        return self._members[shape_id]

    def digest(self, shape_id: str) -> str:
        """As its source has it, and the category, which two sources of one folder may not agree on."""
        entry, source, own = self._of(shape_id)
        return content_hash([entry.category, source.digest(own)])

    def load(self, shape_id: str) -> Shape:
        """One shape, under its id here. Raises what its source raises."""
        entry, source, own = self._of(shape_id)
        return replace(source.load(own), shape_id=shape_id, category=entry.category)


def joined(sources: Sequence[Source]) -> Source:
    """One source of all the shapes; a single one as it is."""
    return sources[0] if len(sources) == 1 else JoinedSource(tuple(sources))
