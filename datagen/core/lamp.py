"""Lamps of a station: emitting surfaces about the object, in units of the world.

They stand in one of two frames. The foot's: z up, the origin on the ground below the world's origin. The camera's: the
origin at the world's, z towards the camera, x to its right. `strength` is irradiance: 1 lights a surface that faces the
lamp as brightly as a studio's ground is lit.
"""

from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Ring:
    """A band about the z axis of its frame that faces the origin."""

    radius: float
    height: float
    width: float
    strength: float
    about: Literal["part", "camera"] = "part"
    """`part`: in the foot's frame; `camera`: in the camera's, `height` on the way to it."""


@dataclass(frozen=True)
class Bar:
    """A rectangle at `position` that faces `aim`, its long side level. The foot's frame."""

    position: Point
    aim: Point
    length: float
    width: float
    strength: float


@dataclass(frozen=True)
class Dome:
    """A half sphere over the foot, lit from within. Cameras see through it."""

    radius: float
    strength: float


@dataclass(frozen=True)
class Backlight:
    """A bright plate: on the ground, or facing the camera at a distance behind the world's origin."""

    size: tuple[float, float]
    strength: float
    """Of its radiance: 1 is that of a studio's white ground."""
    behind: float | None = None
    """Distance from the origin away from the camera; None: it is the ground beneath."""


@dataclass(frozen=True)
class Bulb:
    """A small ball. The foot's frame."""

    position: Point
    radius: float
    strength: float


Lamp = Ring | Bar | Dome | Backlight | Bulb
