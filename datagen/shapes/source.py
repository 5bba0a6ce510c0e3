"""The seam: what a source of shapes offers."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from datagen.core.shape import Shape


@dataclass(frozen=True)
class ShapeEntry:
    """What a plan needs to know of a shape without its meshes.

    `part_classes` holds one class per leaf, sorted; it is empty where the labels cannot be read.
    """

    shape_id: str
    model_id: str
    part_classes: tuple[str, ...]
    published_split: str | None = None
    category: str = ""
    """What the shape is (`mug`); scenes are split by it. '' where the collection does not say."""


@runtime_checkable
class Source(Protocol):
    """A collection of shapes. `entries` is cheap and sorted; `load` reads one shape's meshes."""

    @property
    def name(self) -> str:
        """What the manifest's `source` column says."""

    @property
    def licence(self) -> str:
        """The licence text for the dataset card."""

    @property
    def stand_in(self) -> bool:
        """Whether this project made the shapes in place of real data."""

    @property
    def root(self) -> Path:
        """The folder (or single file) that the shapes come from."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the collection's folder holds that is no shape's, as `kind: detail`."""

    def entries(self) -> tuple[ShapeEntry, ...]:
        """All shapes in natural order of their ids, whatever the disk's order."""

    def digest(self, shape_id: str) -> str:
        """Content hash of the shape's files: part of its jobs' ids, read without parsing."""

    def load(self, shape_id: str) -> Shape:
        """One shape, normalised (+Z up). Raises ShapeError or MeshLoadError naming the file."""


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts `chair2` before `chair10`."""
    words = re.findall(r"\d+|\D+", text)
    return tuple((0, int(word), word) if word.isdecimal() else (1, 0, word) for word in words)
