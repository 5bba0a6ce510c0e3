"""What lies behind the object in a picture, in place of a studio's white ground."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plain:
    """One colour, sRGB in 0..1, with the object's shadow on it."""

    color: tuple[float, float, float]


@dataclass(frozen=True)
class Photo:
    """A square out of a photograph, with the object's shadow on it: its corner and edge in pixels of the photo."""

    path: str
    corner: tuple[int, int]
    edge: int
    is_mirrored: bool = False


@dataclass(frozen=True)
class Tiled:
    """A ground in a material of the scene, laid on by world coordinates: `rotation_deg` about z, `offset` in tiles."""

    material_id: str
    rotation_deg: float = 0.0
    offset: tuple[float, float] = (0.0, 0.0)


Backdrop = Plain | Photo | Tiled
