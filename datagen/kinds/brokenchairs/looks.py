"""How the materials of good parts vary from picture to picture: tint and wear, drawn alike for either label."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from datagen.core.ids import canonical_json
from datagen.core.material import Material
from datagen.core.rng import stream
from datagen.core.shape import Shape
from datagen.recipe.models import Recipe


@dataclass(frozen=True)
class Look:
    """How a part differs from its material: factors on the base colour, linear, and wear from 0 to 1."""

    tint: tuple[float, float, float]
    wear: float

    def on(self, material: Material, part_id: int) -> Material:
        """The material as this part wears it, under an id of its own."""
        r, g, b = (min(c * t, 1.0) for c, t in zip(material.mean_color, self.tint, strict=True))
        return replace(
            material,
            material_id=f"{material.material_id} of part {part_id}",
            tint=self.tint,
            wear=self.wear,
            mean_color=(r, g, b),
        )


Looks = Mapping[int, Look]
"""Part id -> how it differs. Parts that wear what their files give them do not vary."""


def draw_looks(shape: Shape, recipe: Recipe, label: str, *keys: str | int) -> dict[int, Look]:
    """A look for every part, for pictures of a label, told from others by `keys`; {} where nothing varies."""
    variation = recipe.variation
    if not variation.colour and not variation.wear[1]:
        return {}
    found = {}
    for part in shape.parts:
        rng = stream(recipe.seed, "looks", label, *keys, part.part_id)
        r, g, b = (1 + variation.colour * rng.uniform(-1, 1, 3)).round(4).tolist()
        wear = round(float(rng.uniform(*variation.wear)), 4)
        if part.skin is None:
            found[part.part_id] = Look((r, g, b), wear)
    return found


def looks_columns(looks: Looks) -> dict[str, str]:
    """As the manifest has it; '' where nothing varies."""
    told = {str(part): {"tint": list(look.tint), "wear": look.wear} for part, look in sorted(looks.items())}
    return {"looks": canonical_json(told) if told else ""}
