"""Bundles of pictures with cameras: what a dataset of any kind tells of one still thing, as values for exporters."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from datagen.store.reader import DatasetReader


@dataclass(frozen=True, eq=False)
class PosedView:
    """A PNG of the dataset and its camera.

    `K` (3, 3) in pixels, pixel i covers [i, i + 1). `T_world_camera` (4, 4) camera-to-world with OpenCV axes (x right,
    y down, looking along +z), in a world with z up.
    """

    path: str
    width: int
    height: int
    K: np.ndarray = field(repr=False)
    T_world_camera: np.ndarray = field(repr=False)


@dataclass(frozen=True, eq=False)
class Posed:
    """All views of one thing that does not move, and points (N, 3) of its surface in the same world.

    `name` is flat and holds no dot. `normal`: whether it is one normal thing, of `shape_id`, and nothing else.
    """

    name: str
    split: str
    views: tuple[PosedView, ...]
    points: np.ndarray = field(repr=False)
    shape_id: str = ""
    normal: bool = False


PosedViews = Callable[[DatasetReader, Sequence[Mapping[str, Any]], Container[str]], Iterator[Posed]]
"""The bundles of a dataset in the order of their names, but for those of the names given last.

Raises BrokenFile for a file that cannot be read.
"""

POINTS = 2000
"""So many points of the surface at most."""


def thinned(points: np.ndarray) -> np.ndarray:
    """At most POINTS of the points (N, 3), each once, evenly from their sorted list."""
    found = np.unique(points.reshape(-1, 3), axis=0)
    return found[np.linspace(0, len(found) - 1, min(POINTS, len(found))).round().astype(int)]
