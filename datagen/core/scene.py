"""What a renderer is given, whatever kind of dataset it is for, and what a ray cast gives back. World z is up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from datagen.core.backdrop import Backdrop
from datagen.core.camera import Camera
from datagen.core.lamp import Lamp
from datagen.core.material import Material, PartMaterial
from datagen.core.shape import Mesh, Part, Skin

FLOOR_SIZE_M = 10.0
"""Edge of a floor, which is square: its far edge is the horizon of the published odd-one-out views."""


@dataclass(frozen=True)
class Sun:
    """A sun lamp: direction in degrees, disc angle, share of the wanted ground irradiance, colour."""

    elevation_deg: float
    azimuth_deg: float
    angle_deg: float
    share: float
    color: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Light:
    """One light set-up of a studio, named by `index` as in a query's file name.

    `world` is a stock environment of the renderer or an image path; it is blurred, white-balanced
    and given `1 - sum(share)` of the ground's irradiance: the ground is white by construction.
    """

    index: int
    world: str
    rotation_deg: float
    suns: tuple[Sun, ...]


@dataclass(frozen=True)
class Sky:
    """An environment over a floor, seen and lighting: a stock one by name, an image file, or `procedural:<n>`."""

    world: str
    rotation_deg: float = 0.0
    strength: float = 0.8


@dataclass(frozen=True)
class Studio:
    """A white ground without end, the plane z = `z`; its views are lit by a `Light` each, and by lamps."""

    z: float = 0.0
    lamps: tuple[Lamp, ...] = ()
    room: float = 1.0
    """Share of the light of `Light` that is left beside the lamps."""


@dataclass(frozen=True)
class Floor:
    """A square floor, z = 0, in a material laid on by world coordinates: `rotation_deg` about z, `offset` in tiles.

    Its views are lit by a `Sky` each.
    """

    material_id: str
    rotation_deg: float = 0.0
    offset: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class View:
    """One picture to make."""

    camera: Camera
    light: Light | Sky
    turn_deg: float = 0.0
    """All lights of a studio that do not go with the camera are turned by this about the vertical."""
    backdrop: Backdrop | None = None
    """What lies behind the object in a studio; None: white."""


@dataclass(frozen=True, eq=False)
class ScenePart:
    """A mesh, and one material unwrapped over it or a skin face by face; None where only its geometry is looked at."""

    part_id: int
    mesh: Mesh
    surface: PartMaterial | Skin | None = None


@dataclass(frozen=True, eq=False)
class SceneObject:
    """One object in a scene: its parts, and the similarity (4, 4) from their frame to the world."""

    name: str
    parts: tuple[ScenePart, ...]
    T_world_object: np.ndarray = field(default_factory=lambda: np.eye(4))

    @classmethod
    def of(cls, name: str, parts: Iterable[Part], T_world_object: np.ndarray) -> "SceneObject":
        """The parts of a shape in their own skins."""
        return cls(name, tuple(ScenePart(p.part_id, p.mesh, p.skin) for p in parts), T_world_object)

    def meshes(self) -> list[tuple[int, Mesh]]:
        """(part id, mesh in the world)."""
        return [(part.part_id, part.mesh.transformed(self.T_world_object)) for part in self.parts]


@dataclass(frozen=True, eq=False)
class Scene:
    """Objects on a ground, and the views to render of them. `materials` holds every one that is worn, maps on disk."""

    objects: tuple[SceneObject, ...]
    materials: Mapping[str, Material]
    ground: Studio | Floor
    views: tuple[View, ...]
    seed: int = 0
    settings: Mapping[str, object] = field(default_factory=dict)
    """Engine settings of the recipe, as plain JSON."""


@dataclass(frozen=True, eq=False)
class GeometryFrame:
    """What a ray cast sees, all (H, W): z-depth float64 (0 = background), part id int32 (0 = background),
    face int32 within its part (-1 = background), normal (H, W, 3) facing the camera."""

    depth: np.ndarray
    part_id: np.ndarray
    face: np.ndarray
    normal: np.ndarray

    @property
    def silhouette(self) -> np.ndarray:
        """True where the ray met the object."""
        return self.part_id > 0
