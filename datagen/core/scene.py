"""What a renderer is given and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from datagen.core.camera import Camera
from datagen.core.material import Material, PartMaterial
from datagen.core.shape import Mesh


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
    """One light set-up, named by `index` as in a query's file name.

    `world` is a stock environment of the renderer or an image path; it is blurred, white-balanced
    and given `1 - sum(share)` of the ground's irradiance (design: a white ground by construction).
    """

    index: int
    world: str
    rotation_deg: float
    suns: tuple[Sun, ...]


@dataclass(frozen=True)
class View:
    """One picture to make."""

    camera: Camera
    light: Light


@dataclass(frozen=True, eq=False)
class RenderPart:
    """A mesh with the material it wears."""

    part_id: int
    mesh: Mesh
    dress: PartMaterial


@dataclass(frozen=True, eq=False)
class RenderJob:
    """One scene, several views. The ground is the plane z = `ground_z`."""

    parts: tuple[RenderPart, ...]
    materials: Mapping[str, Material]
    views: tuple[View, ...]
    ground_z: float = 0.0
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
