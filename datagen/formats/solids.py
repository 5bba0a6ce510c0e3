"""Surfaces and depth of what pictures show: what a dataset of any kind tells of its geometry."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from datagen.core.shape import Mesh
from datagen.store.reader import DatasetReader

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Solid:
    """The surface of one thing. `changed` (F,) bool marks the faces that are not the normal thing's.

    `gone` is what the normal thing has in addition, where something is missing. `name` is flat and holds no dot.
    """

    name: str
    kind: str
    mesh: Mesh = field(repr=False)
    changed: np.ndarray = field(repr=False)
    gone: Mesh | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Compared:
    """A normal thing and its anomalous ones, all in the frame of the normal one: z up, bounding sphere 1 about 0.

    An anomalous one may be made anew whenever it is asked for.
    """

    name: str
    split: str
    normal: Solid
    anomalous: Sequence[Solid]


@dataclass(frozen=True, eq=False)
class Depth:
    """z-depth (H, W) along the optical axis, 0 where nothing is, and `K` (3, 3); pixel i covers [i, i + 1)."""

    values: np.ndarray = field(repr=False)
    K: np.ndarray = field(repr=False)

    def points(self) -> np.ndarray:
        """(H, W, 3) float32 in the camera's frame with OpenCV axes (x right, y down, z ahead); 0 where nothing is."""
        height, width = self.values.shape
        x = (np.arange(width) + 0.5 - self.K[0, 2]) / self.K[0, 0]
        y = (np.arange(height) + 0.5 - self.K[1, 2]) / self.K[1, 1]
        rays = np.stack([*np.meshgrid(x, y), np.ones((height, width))], axis=-1)
        found: np.ndarray = (rays * self.values[..., None]).astype(np.float32)
        return found


Solids = Callable[[DatasetReader, Rows, str, Container[str]], Iterator[Compared]]
"""Every thing of the rows but those of the names given last.

The text names the collection of shapes; '' for where the build found it. Raises UsageError where it cannot be opened.
"""
