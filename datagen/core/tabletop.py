"""A scene of several objects on a floor: what a renderer is given. Metres, z up, the floor is z = 0."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from datagen.core.camera import TabletopCamera
from datagen.core.material import Material
from datagen.core.shape import Mesh, Shape

FLOOR_SIZE_M = 10.0
"""Edge of the square floor: its far edge is the horizon of the published views (format, 1.9)."""


@dataclass(frozen=True)
class Sky:
    """An environment seen and lighting: a stock one by name, an image file, or `procedural:<n>`."""

    world: str
    rotation_deg: float = 0.0
    strength: float = 0.8


@dataclass(frozen=True)
class Floor:
    """The floor's material, laid on by world coordinates: `rotation_deg` about z, `offset` in tiles."""

    material_id: str
    rotation_deg: float = 0.0
    offset: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Standing:
    """One object in a scene: its shape and the similarity (4, 4) from the shape's frame to the world."""

    name: str
    shape: Shape
    T_world_shape: np.ndarray

    def meshes(self) -> list[tuple[int, Mesh]]:
        """(part id, mesh in the world)."""
        return [(part.part_id, part.mesh.transformed(self.T_world_shape)) for part in self.shape.parts]


@dataclass(frozen=True)
class Look:
    """One picture to make."""

    camera: TabletopCamera


@dataclass(frozen=True, eq=False)
class TabletopJob:
    """One scene, several views. Every part of every object has a skin; `materials` are prepared (maps on disk)."""

    objects: tuple[Standing, ...]
    materials: Mapping[str, Material]
    floor: Floor
    sky: Sky
    views: tuple[Look, ...]
    seed: int = 0
    settings: Mapping[str, object] = field(default_factory=dict)
    """Engine settings of the recipe, as plain JSON."""
