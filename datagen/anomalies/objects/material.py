"""Material mismatch: one part in a material that differs visibly from its own (section A.1)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from datagen.anomalies.objects.common import choose, rebuilt, usable_parts
from datagen.core.anomaly import Rejected
from datagen.core.colour import rounded_lab
from datagen.core.material import Material
from datagen.core.oddity import OddShape, OddSpec
from datagen.core.shape import Part, Shape, Skin
from datagen.recipe.scenes import MaterialRecipe


def propose(
    shape: Shape, recipe: MaterialRecipe, library: Sequence[Material], rng: np.random.Generator
) -> OddSpec | Rejected:
    """A part and a material of the library."""
    parts = usable_parts(shape, recipe.area)
    if not parts or len(shape.parts) < 2:
        return Rejected("no_part", f"{len(shape.parts)} parts, none of a fitting size")
    part = choose(parts, rng)
    return OddSpec("material", part.part_id, {"material": library[int(rng.integers(len(library)))].material_id})


def apply(shape: Shape, spec: OddSpec, recipe: MaterialRecipe, library: Sequence[Material]) -> OddShape | Rejected:
    """The part in the other material; rejected where the two can hardly be told apart."""
    part = shape.part(spec.part_id)
    chosen = next((m for m in library if m.material_id == spec.values["material"]), None)
    if chosen is None or part.skin is None:
        return Rejected("no_material", f"{spec.values['material']} is in no library")
    old = mean_color(shape, part)
    contrast = float(np.linalg.norm(rounded_lab(np.array(chosen.mean_color)) - rounded_lab(old)))
    if contrast < recipe.contrast:
        return Rejected("low_contrast", f"{contrast:.1f} of {recipe.contrast:.1f}")
    skin = Skin((chosen.material_id,), np.zeros(len(part.mesh.faces), dtype=np.int32))
    after = rebuilt(shape, {part.part_id: (part.mesh, skin)})
    after = replace(after, palette={**shape.palette, chosen.material_id: chosen})
    share = float(part.mesh.area / shape.area)
    changed = {part.part_id: np.ones(len(part.mesh.faces), dtype=bool)}
    return OddShape(spec, shape, after, changed, share, (), "redressed", {"contrast": contrast, "area_share": share})


def mean_color(shape: Shape, part: Part) -> np.ndarray:
    """Linear Rec. 709 mean (3,) of what the part wears, by area."""
    if part.skin is None:
        return np.full(3, 0.5)
    colors = np.array([shape.palette[name].mean_color for name in part.skin.materials])
    weights = np.bincount(part.skin.slot, part.mesh.face_areas, minlength=len(colors))
    return weights @ colors / max(weights.sum(), 1e-12)
