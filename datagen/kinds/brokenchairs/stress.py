"""Reflections that move while the shape does not: light turned, roughness shifted, shading normals tilted a little."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from datagen.core.camera import Camera
from datagen.core.ids import canonical_json
from datagen.core.material import Material
from datagen.core.rng import stream
from datagen.core.shape import Shape
from datagen.recipe.inspection import ReflectionStressRecipe
from datagen.recipe.models import Recipe


@dataclass(frozen=True)
class Gleam:
    """How a part reflects otherwise than its material: shift of the roughness, tilt of normals about x and y, deg."""

    rougher: float
    tilt_deg: tuple[float, float]

    def on(self, material: Material, part_id: int) -> Material:
        """The material as this part wears it, under an id of its own."""
        name = f"{material.material_id} stressed on part {part_id}"
        return replace(material, material_id=name, rougher=self.rougher, tilt_deg=self.tilt_deg)


@dataclass(frozen=True)
class Stress:
    """Part id -> its gleam, for pictures that share a dress; without any nothing is stressed."""

    parts: Mapping[int, Gleam] = field(default_factory=dict)

    def text(self, turn_deg: float) -> str:
        """As the manifest has it with a picture's turn of the light; '' where nothing is stressed."""
        if not self.parts:
            return ""
        told = {str(k): {"rougher": g.rougher, "tilt_deg": list(g.tilt_deg)} for k, g in sorted(self.parts.items())}
        return canonical_json({"light_deg": turn_deg, "parts": told})


def draw_stress(shape: Shape, recipe: Recipe, label: str, *keys: str | int) -> Stress:
    """Of pictures of a label that share a dress, told from others by `keys`; parts in their own skins keep theirs."""
    asked = recipe.variation.reflection_stress
    if not _is_stressed(asked, recipe.seed, label, *keys):
        return Stress()
    found = {}
    for part in shape.parts:
        rng = stream(recipe.seed, "gleam", label, *keys, part.part_id)
        rougher = round(float(rng.uniform(-1, 1)) * asked.roughness, 4)
        x, y = (asked.tilt_deg * rng.uniform(-1, 1, 2)).round(4).tolist()
        if part.skin is None:
            found[part.part_id] = Gleam(rougher, (x, y))
    return Stress(found)


def light_turn(recipe: Recipe, camera: Camera, label: str, *keys: str | int) -> float:
    """Degrees by which the light of one picture is turned; 0 where pictures of these keys are not stressed."""
    asked = recipe.variation.reflection_stress
    if not _is_stressed(asked, recipe.seed, label, *keys):
        return 0.0
    seen = (f"{camera.azimuth_deg:.2f}", f"{camera.elevation_deg:.2f}")
    rng = stream(recipe.seed, "light-turn", label, *keys, *seen)
    return round(float(rng.uniform(-1, 1)) * asked.light_deg, 3)


def _is_stressed(asked: ReflectionStressRecipe, seed: int, label: str, *keys: str | int) -> bool:
    return asked.share > 0 and bool(stream(seed, "stress", label, *keys).random() < asked.share)
