"""Translation and rotation of one part, and its removal (section A.1)."""

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.anomalies.objects.common import choose, comes_loose, displaced, numbers, rebuilt, usable_parts
from datagen.core.anomaly import Rejected
from datagen.core.oddity import OddShape, OddSpec
from datagen.core.rng import unit_vector
from datagen.core.shape import Part, Shape
from datagen.geometry.contact import contact_regions
from datagen.recipe.scenes import MoveRecipe


def propose(shape: Shape, kind: str, recipe: MoveRecipe, rng: np.random.Generator) -> OddSpec | Rejected:
    """A part and where it goes. Rejected when the shape has no part of a fitting size."""
    parts = usable_parts(shape, recipe.area)
    if len(shape.parts) < 2 or not parts:
        return Rejected(
            "no_part", f"{len(shape.parts)} parts, none of {recipe.area[0]} to {recipe.area[1]} of the surface"
        )
    part = choose(parts, rng)
    if kind == "missing":
        return OddSpec(kind, part.part_id)
    if kind == "translation":
        return OddSpec(kind, part.part_id, {"translation": numbers(unit_vector(rng) * rng.uniform(*recipe.distance))})
    others = [other.mesh for other in shape.parts if other.part_id != part.part_id]
    regions = contact_regions(part.mesh, others)
    if not regions:
        return Rejected("no_contact", f"part {part.part_id} touches nothing")
    angle = rng.uniform(*recipe.angle_deg)
    values = {"pivot": numbers(regions[0].centroid), "turn": numbers(unit_vector(rng) * np.radians(angle))}
    return OddSpec(kind, part.part_id, values)


def apply(shape: Shape, spec: OddSpec, recipe: MoveRecipe) -> OddShape | Rejected:
    """The shape with the part moved, turned or gone; rejected if anything comes loose by it."""
    part = shape.part(spec.part_id)
    if spec.kind == "missing":
        return _without(shape, spec, part, recipe)
    T = np.eye(4)
    if spec.kind == "translation":
        T[:3, 3] = np.array(spec.values["translation"]) * shape.diagonal
    else:
        pivot = np.array(spec.values["pivot"])
        T[:3, :3] = Rotation.from_rotvec(spec.values["turn"]).as_matrix()
        T[:3, 3] = pivot - T[:3, :3] @ pivot
    mesh = part.mesh.transformed(T)
    after = rebuilt(shape, {part.part_id: (mesh, part.skin)})
    loose = comes_loose(shape, after, recipe.loose)
    if loose is not None:
        return loose
    changed = {part.part_id: np.ones(len(mesh.faces), dtype=bool)}
    return displaced(shape, spec, after, changed, recipe.min_distance, "rigid")


def _without(shape: Shape, spec: OddSpec, part: Part, recipe: MoveRecipe) -> OddShape | Rejected:
    share = part.mesh.area / shape.area
    if not recipe.area[0] <= share <= recipe.area[1]:
        return Rejected("impractical", f"{share:.3f} of the surface would be gone")
    after = rebuilt(shape, {}, (part.part_id,))
    loose = comes_loose(shape, after, recipe.loose)
    if loose is not None:
        return Rejected("impractical", loose.detail)
    return OddShape(spec, shape, after, {}, float(share), (part.part_id,), "removed", {"area_share": float(share)})
