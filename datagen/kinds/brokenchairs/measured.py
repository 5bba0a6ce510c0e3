"""What the meshes of a sample measure, in millimetres and degrees, against what the drawing allows.

The label follows from it, never from what was drawn: a part beyond its tolerance is a defect, any other is good.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from datagen.core.anomaly import AnomalousShape, Rejected
from datagen.core.shape import Mesh, Part, Shape, concatenate
from datagen.geometry.deviation import furthest, rigid_motion, volume_of
from datagen.recipe.anomaly_slots import LOCAL, AnomalyRecipe
from datagen.recipe.inspection import ToleranceRecipe
from datagen.recipe.section import Range

ROUNDING = 1e-4
"""A share of the tolerance that rounding may add."""
OFF_RANGE = 0.05
"""Share by which a measured size may lie beyond the range that the recipe asks for: meshes have chords for arcs."""
OWN_SURFACE = 0.25
"""A turn whose surface goes less than this share of how far its points go brings the surface onto itself."""


@dataclass(frozen=True)
class Measured:
    """Size of an anomaly, how far its part lies off, and what is allowed; columns of the manifest by these names."""

    magnitude: float = 0.0
    magnitude_unit: str = ""
    deviation_mm: float = 0.0
    deviation_deg: float = 0.0
    surface_mm: float = 0.0
    tolerance_mm: float = 0.0
    tolerance_deg: float = 0.0
    tolerance_ratio: float = 0.0

    def columns(self) -> dict[str, Any]:
        """As rows and annotations have it, to a millionth."""
        return {k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(self).items()}

    @property
    def is_outside(self) -> bool:
        """Whether a deviation is more than is allowed."""
        return self.tolerance_ratio > 1 + ROUNDING


def off_place(nominal: Part, found: Mesh, mm: float, tolerance: ToleranceRecipe) -> Measured:
    """How far a mesh of the part's own faces lies off the part's place; `mm` is a millimetre in object units.

    Raises ValueError where no rigid motion brings one onto the other.
    """
    motion = rigid_motion(nominal.mesh, found)
    if motion is None:
        raise ValueError(f"part {nominal.part_id} does not lie where a rigid motion brings it")
    band = tolerance.of((nominal.name, nominal.path))
    shift, turn = motion.distance / mm, motion.angle_deg
    return Measured(
        deviation_mm=shift,
        deviation_deg=turn,
        tolerance_mm=band.position_mm,
        tolerance_deg=band.rotation_deg,
        tolerance_ratio=max(_ratio(shift, band.position_mm), _ratio(turn, band.rotation_deg)),
    )


def _ratio(value: float, allowed: float) -> float:
    return value / allowed if allowed > 0 else 0.0


def nearest_to_limit(nominal: Shape, placed: Shape, tolerance: ToleranceRecipe, but: Collection[int] = ()) -> Measured:
    """The part of a shape, other than `but`, that is furthest off its place in terms of its tolerance.

    Raises ValueError for parts that are not those of the nominal shape.
    """
    there = {part.part_id: part.mesh for part in placed.parts}
    found = [
        off_place(part, there[part.part_id], nominal.mm, tolerance)
        for part in nominal.parts
        if part.part_id in there and part.part_id not in but
    ]
    return max(found, key=lambda m: (m.tolerance_ratio, m.deviation_mm, m.deviation_deg), default=Measured())


def measure(made: AnomalousShape, nominal: Shape, tolerance: ToleranceRecipe) -> Measured:
    """An anomaly's size and deviations; `nominal` is the shape with every part in its place.

    Raises ValueError for a moved part whose mesh is not that of its part.
    """
    mm, part_id = nominal.mm, made.spec.part_id
    if part_id == 0:
        return _of_whole(made, mm)
    part = nominal.part(part_id)
    if made.new_mesh is None:
        return Measured(volume_of(part.mesh) / mm**3, "mm3")
    if made.method == "rigid":
        moved = off_place(part, made.new_mesh, mm, tolerance)
        size = (moved.deviation_deg, "deg") if made.spec.kind == "rotation" else (moved.deviation_mm, "mm")
        return replace(moved, magnitude=size[0], magnitude_unit=size[1])
    placed = off_place(part, made.old_mesh, mm, tolerance)
    surface = _surface(made, made.new_mesh) / mm
    allowed = tolerance.of((part.name, part.path)).surface_mm
    magnitude, unit = surface, "mm"
    if "removed_volume" in made.measures:
        magnitude, unit = made.measures["removed_volume"] / mm**3, "mm3"
    return replace(
        placed,
        magnitude=magnitude,
        magnitude_unit=unit,
        surface_mm=surface,
        tolerance_ratio=_ratio(surface, allowed),
    )


def _surface(made: AnomalousShape, mesh: Mesh) -> float:
    """How far the part's surface lies off its surface before, in object units."""
    if made.local:
        return made.measures["depth"]
    if made.spec.kind == "broken":
        # How deep the break goes: samples of the old surface may all miss a small one.
        return furthest(Mesh(mesh.vertices, mesh.faces[made.changed[made.spec.part_id]]), made.old_mesh)
    return max(furthest(mesh, made.old_mesh), furthest(made.old_mesh, mesh))


def _of_whole(made: AnomalousShape, mm: float) -> Measured:
    """An anomaly of the whole object: how far a crack opens, what broke off, or how far the surface goes."""
    if made.spec.kind == "crack":
        return Measured(made.measures["shift"] / mm, "mm")
    if "removed" in made.measures:
        whole = sum(volume_of(part.mesh) for part in made.normal.parts)
        return Measured(made.measures["removed"] * whole / mm**3, "mm3")
    old = concatenate([part.mesh for part in made.normal.parts])
    new = [
        Mesh(part.mesh.vertices, part.mesh.faces[made.changed[part.part_id]])
        for part in made.shape.parts
        if part.part_id in made.changed and made.changed[part.part_id].any()
    ]
    surface = furthest(concatenate(new), old) / mm
    return Measured(surface, "mm", surface_mm=surface)


def span_of(recipe: AnomalyRecipe, kind: str) -> Range | None:
    """The range of sizes that a recipe asks of a kind in the drawing's words; None where it does not."""
    if kind in LOCAL:
        local: Range = getattr(recipe, kind).depth_mm
        return local
    spans = {"position": recipe.position.mm, "rotation": recipe.rotation.deg, "broken": recipe.broken.mm3}
    return {**spans, "crack": recipe.fracture.mm}.get(kind)


def refuse_by_size(
    made: AnomalousShape, nominal: Shape, tolerance: ToleranceRecipe, recipe: AnomalyRecipe
) -> Rejected | None:
    """Rejection of a defect that is none by its measured size, or whose size is not one that the recipe asks for."""
    found, span = measure(made, nominal, tolerance), span_of(recipe, made.spec.kind)
    if found.tolerance_ratio and not found.is_outside:
        return Rejected("within_tolerance", f"{found.tolerance_ratio:.3f} of what is allowed")
    size = f"{found.magnitude:.4g} {found.magnitude_unit}"
    if span and not span[0] * (1 - OFF_RANGE) <= found.magnitude <= span[1] * (1 + OFF_RANGE):
        return Rejected("off_range", f"measures {size}, {span[0]:g} to {span[1]:g} are asked for")
    if made.method == "variant" and found.surface_mm < 1e-3:
        return Rejected("nearly_same", f"the variant's surface is {found.surface_mm:.4g} mm from the part's")
    if span and made.spec.kind == "rotation" and made.new_mesh is not None:
        went = np.linalg.norm(made.new_mesh.vertices - made.old_mesh.vertices, axis=1)
        far = float(np.percentile(went, 95))
        if made.measures["p95_distance"] < OWN_SURFACE * far:
            return Rejected(
                "symmetric", f"the surface goes {made.measures['p95_distance'] / max(far, 1e-12):.2f} of it"
            )
    return None
