"""The lights of a station in the words of whoever built it: rings, bars, domes, plates and points in millimetres."""

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from datagen.recipe.section import Fraction, Positive, Section

Point = tuple[float, float, float]
Strength = Annotated[float, Field(gt=0.0, le=1000.0)]


class RingLightRecipe(Section):
    """A ring that faces the part's foot, or about the camera's axis."""

    radius_mm: Positive
    """From the axis to the middle of the band."""
    height_mm: Positive
    """Above the plane on which the part stands; about the camera, from the part's middle towards the camera."""
    width_mm: Positive = 10.0
    """Width of the bright band."""
    about: Literal["part", "camera"] = "part"
    """`part`: it stands still, about the vertical through the part; `camera`: it goes with the camera."""
    strength: Strength = 1.0
    """1 lights a surface that faces it as brightly as the studio's lights do."""


class BarLightRecipe(Section):
    """A bright rectangle, its long side level."""

    position_mm: Point
    """Its middle."""
    aim_mm: Point = (0.0, 0.0, 0.0)
    """The point that it faces."""
    length_mm: Positive
    """Its long side."""
    width_mm: Positive = 20.0
    """Its short side."""
    strength: Strength = 1.0
    """1 lights a surface that faces it as brightly as the studio's lights do."""

    @model_validator(mode="after")
    def _aimed(self) -> "BarLightRecipe":
        if math.dist(self.position_mm, self.aim_mm) == 0:
            raise ValueError("position_mm and aim_mm are one point; say what the bar faces")
        return self


class DomeLightRecipe(Section):
    """A bright half sphere over the part; cameras see through it."""

    radius_mm: Positive
    """From the part's foot."""
    strength: Strength = 1.0
    """1 lights a level surface as brightly as the studio's lights do."""


class BacklightRecipe(Section):
    """A bright plate beneath or behind the part, in place of the ground."""

    size_mm: tuple[Positive, Positive]
    """Its edges."""
    place: Literal["beneath", "behind"] = "beneath"
    """`beneath`: the part stands on it; `behind`: it faces the camera, and there is no ground."""
    distance_mm: Positive | None = None
    """Of a plate behind the part: how far behind the part's middle."""
    strength: Strength = 1.0
    """1 is as bright as the studio's white ground; below 0.9 it is grey in the picture."""

    @model_validator(mode="after")
    def _distant(self) -> "BacklightRecipe":
        if (self.place == "behind") != (self.distance_mm is not None):
            raise ValueError("distance_mm belongs to place: behind, which needs it")
        return self


class PointLightRecipe(Section):
    """A small bright ball."""

    position_mm: Point
    """Its middle."""
    radius_mm: Positive = 5.0
    """How large it is: the smaller, the harder the shadows."""
    strength: Strength = 1.0
    """1 lights a surface that faces it at the part's foot as brightly as the studio's lights do."""


class RoomLightRecipe(Section):
    """The surroundings and suns of `light`, dimmed."""

    strength: Fraction = 0.2
    """Share of their light; 0 is a dark room."""


class LampRecipe(Section):
    """One light: exactly one of its kinds. Millimetres; the part stands on z = 0, its middle above the origin."""

    ring: RingLightRecipe | None = None
    """A ring light."""
    bar: BarLightRecipe | None = None
    """A bar light."""
    dome: DomeLightRecipe | None = None
    """A dome light."""
    backlight: BacklightRecipe | None = None
    """A backlight."""
    point: PointLightRecipe | None = None
    """A point light."""
    room: RoomLightRecipe | None = None
    """Light of the room."""

    @model_validator(mode="after")
    def _one_kind(self) -> "LampRecipe":
        kinds = list(type(self).model_fields)
        if sum(getattr(self, kind) is not None for kind in kinds) != 1:
            raise ValueError(f"a light is one of {', '.join(kinds)}")
        return self

    @property
    def kind(self) -> str:
        """Which of its kinds it is."""
        return next(kind for kind in type(self).model_fields if getattr(self, kind) is not None)


def refuse_lights(lights: tuple[LampRecipe, ...]) -> None:
    """Raises ValueError for lights that cannot stand together, or that light nothing."""
    kinds = [light.kind for light in lights]
    for kind in ("room", "backlight"):
        if kinds.count(kind) > 1:
            raise ValueError(f"query.lights: {kind} stands there twice; take one out")
    if kinds == ["room"]:
        raise ValueError("query.lights: room alone is what `light` gives; leave query.lights out, or add a light")
    low = [k for k, light in enumerate(lights) for one in (light.bar, light.point) if one and one.position_mm[2] < 0]
    if low and has_ground(lights):
        raise ValueError(
            f"query.lights.{low[0]}: it stands below z = 0, the plane on which the part stands, and lights nothing; "
            "raise it, or put a backlight behind the part, which leaves the plane out"
        )


def has_ground(lights: tuple[LampRecipe, ...]) -> bool:
    """Whether the part stands on something: on a plate or on ground, unless a plate is behind it."""
    return not any(light.backlight is not None and light.backlight.place == "behind" for light in lights)
