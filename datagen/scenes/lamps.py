"""A recipe's lights about a shape: from millimetres to units of its scene, and none inside the part."""

from collections.abc import Iterator, Sequence

import numpy as np

from datagen.core.errors import UsageError
from datagen.core.lamp import Backlight, Bar, Bulb, Dome, Lamp, Ring
from datagen.core.shape import Shape
from datagen.geometry.rays import RayScene
from datagen.recipe.lamps import LampRecipe
from datagen.scenes.station import is_inside, placed_parts

AROUND = 12
"""Places of a ring that are looked at."""


def lamps_of(lights: Sequence[LampRecipe], mm: float) -> tuple[Lamp, ...]:
    """Lamps in units of a scene in which a millimetre is `mm`; the room's light is none of them."""
    return tuple(_lamp(light, mm) for light in lights if light.room is None)


def room_of(lights: Sequence[LampRecipe]) -> float:
    """Share of the light of `light` that is left: all of it without lights of the station."""
    if not lights:
        return 1.0
    return next((light.room.strength for light in lights if light.room is not None), 0.0)


def refuse_inside(lights: Sequence[LampRecipe], shape: Shape) -> None:
    """Raises UsageError for a light inside a shape where it stands, or that it reaches through; without lights no unit
    is needed."""
    scene: RayScene | None = None
    for number, light in enumerate(lights):
        limit = light.dome.radius_mm if light.dome else light.backlight.distance_mm if light.backlight else None
        if limit is not None and limit < (reach := _reach(shape, from_foot=light.dome is not None)):
            raise UsageError(
                f"query.lights.{number}.{light.kind}: {shape.shape_id} reaches through it, {reach:.0f} mm from "
                f"{'its foot' if light.dome else 'its middle'}; make it larger than that, or check `units`"
            )
        for place in _places(light):
            scene = scene or RayScene(placed_parts(shape, "standing"))
            if is_inside(scene, np.array(place)):
                raise UsageError(
                    f"query.lights.{number}.{light.kind}: it stands inside {shape.shape_id}; move it, or check `units`"
                )


def _reach(shape: Shape, from_foot: bool) -> float:
    """How far a shape reaches from the middle of its foot, or from its own middle, in mm."""
    points = np.concatenate([mesh.vertices for _, mesh in placed_parts(shape, "standing")])
    middle = np.zeros(3) if from_foot else (points.min(axis=0) + points.max(axis=0)) / 2
    return float(np.linalg.norm(points - middle, axis=1).max())


def _places(light: LampRecipe) -> Iterator[tuple[float, float, float]]:
    """Points of a light in the station's millimetres."""
    if light.ring is not None and light.ring.about == "part":
        for a in np.linspace(0, 2 * np.pi, AROUND, endpoint=False).tolist():
            r = light.ring.radius_mm
            yield r * float(np.cos(a)), r * float(np.sin(a)), light.ring.height_mm
    for one in (light.bar, light.point):
        if one is not None:
            yield one.position_mm


def _lamp(light: LampRecipe, mm: float) -> Lamp:
    match light.kind:
        case "ring":
            ring = light.ring
            assert ring is not None
            return Ring(ring.radius_mm * mm, ring.height_mm * mm, ring.width_mm * mm, ring.strength, ring.about)
        case "bar":
            bar = light.bar
            assert bar is not None
            ends = (_scaled(bar.position_mm, mm), _scaled(bar.aim_mm, mm))
            return Bar(*ends, bar.length_mm * mm, bar.width_mm * mm, bar.strength)
        case "dome":
            assert light.dome is not None
            return Dome(light.dome.radius_mm * mm, light.dome.strength)
        case "backlight":
            plate = light.backlight
            assert plate is not None
            size = (plate.size_mm[0] * mm, plate.size_mm[1] * mm)
            return Backlight(size, plate.strength, None if plate.distance_mm is None else plate.distance_mm * mm)
        case _:
            point = light.point
            assert point is not None
            return Bulb(_scaled(point.position_mm, mm), point.radius_mm * mm, point.strength)


def _scaled(point: tuple[float, float, float], mm: float) -> tuple[float, float, float]:
    return point[0] * mm, point[1] * mm, point[2] * mm
