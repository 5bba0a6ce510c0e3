"""What parts wear, and how the materials of good ones vary from picture to picture, drawn alike for either label."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from datagen.core.ids import canonical_json
from datagen.core.lens import AnyLens, lens_data, lens_of
from datagen.core.material import Material, MaterialAssignment
from datagen.core.rng import stream
from datagen.core.shape import Mesh, Shape, Skin
from datagen.geometry.proximity import nearest_faces
from datagen.geometry.refine import skin_at
from datagen.kinds.brokenchairs.context import ChairContext
from datagen.materials.assign import assign
from datagen.recipe.inspection import matched
from datagen.recipe.models import Recipe

OWN = "own"
"""The projection of a part that keeps its own texture coordinates."""


def dress(shape: Shape, context: ChairContext, rng: np.random.Generator) -> MaterialAssignment:
    """A material for every part, the same for normal and anomalous chairs under one rng; a shape's own where materials
    do not vary."""
    recipe = context.recipe
    if not recipe.variation.materials:
        rng = stream(recipe.seed, "dress", shape.shape_id)
    drawn = assign(shape, recipe.categories.of(shape.category), context.library, recipe.materials, rng)
    own = {part.part_id: part.skin.materials[0] for part in shape.parts if part.skin is not None}
    named = _by_part(shape, context, rng)
    if not own and not named:
        return drawn
    worn = (replace(p, material_id=own[p.part_id], projection=OWN) if p.part_id in own else p for p in drawn.parts)
    told = ((p, *named.get(p.part_id, (p.material_id, p.projection))) for p in worn)
    return MaterialAssignment(tuple(replace(p, material_id=name, projection=how) for p, name, how in told))


def _by_part(shape: Shape, context: ChairContext, rng: np.random.Generator) -> dict[int, tuple[str, str]]:
    """Part id -> material and projection of parts that the recipe dresses by name; parts of one pattern alike."""
    settings = context.recipe.materials
    if not settings.by_part:
        return {}
    seed = int(rng.integers(2**31))
    found: dict[int, tuple[str, str]] = {}
    for part in shape.parts:
        library = matched((part.name, part.path), {one.pattern: one for one in context.by_part})
        if library is not None:
            pool = library.materials
            material = pool[int(stream(seed, "by-part", library.pattern).integers(len(pool)))]
            found[part.part_id] = material.material_id, settings.projection[material.material_class]
    return found


def skins_on(shape: Shape, meshes: Sequence[tuple[int, Mesh]]) -> dict[int, Skin]:
    """Part id -> the skin of a part on the mesh that is shown of it, which may be a repaired one."""
    found: dict[int, Skin] = {}
    for part_id, mesh in meshes:
        part = shape.part(part_id)
        if part.skin is None:
            continue
        same = mesh is part.mesh
        faces = None if same else nearest_faces(part.mesh, mesh.triangles.mean(axis=1))
        found[part_id] = part.skin if faces is None else skin_at(part.mesh, part.skin, faces, mesh.triangles)
    return found


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


def lens_columns(lens: AnyLens) -> dict[str, str]:
    """As the manifest has it; '' of a picture without distortion."""
    return {"lens": "" if lens.is_straight else canonical_json(lens_data(lens))}


def row_lens(row: Mapping[str, Any] | None) -> AnyLens:
    """The lens of a manifest's row. Raises TypeError, ValueError for one that cannot be read."""
    return lens_of(json.loads(str((row or {}).get("lens") or "{}")))
