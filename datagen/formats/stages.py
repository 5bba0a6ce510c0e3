"""Scenes of several objects with their meshes: what a dataset of any kind tells of where things stand."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from datagen.core.shape import Mesh
from datagen.formats.posed import PosedView
from datagen.store.reader import DatasetReader


@dataclass(frozen=True, eq=False)
class Thing:
    """An object of a scene. `mesh` in its own frame, z up; `T_world_mesh` (4, 4) is a similarity into the world.

    Things of one `model` have one mesh. `masks` are the paths of what each view shows of it.
    """

    model: str
    shape_id: str
    kind: str
    label: int
    mesh: Mesh = field(repr=False)
    T_world_mesh: np.ndarray = field(repr=False)
    masks: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Stage:
    """A scene in a world in metres with z up. `depth` gives the z-depth (H, W) of a view by its number."""

    name: str
    split: str
    views: tuple[PosedView, ...]
    things: tuple[Thing, ...]
    depth: Callable[[int], np.ndarray] = field(repr=False)


Stages = Callable[[DatasetReader, Sequence[Mapping[str, Any]], str, Container[str]], Iterator[Stage]]
"""Every scene of the rows but those of the names given last; the text names the shapes, '' for the build's own.

Raises UsageError where the shapes cannot be opened, BrokenFile.
"""
