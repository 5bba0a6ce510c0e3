"""Swapped part: the same salient part of another shape of the split (paper, section 3.1 (4))."""

from dataclasses import replace

import numpy as np

from datagen.anomalies.common import moved, vector
from datagen.core.anomaly import AnomalousShape, Rejected, SwappedSpec
from datagen.core.shape import Mesh, Part, Shape
from datagen.geometry.contact import contact_regions
from datagen.recipe.models import SwappedRecipe

THIN = 0.02
"""Extents below this (object units) are sheet thicknesses: never scaled by more than the longest axis is."""


def propose(
    shape: Shape, part: Part, donor: Shape, recipe: SwappedRecipe, rng: np.random.Generator
) -> SwappedSpec | Rejected:
    """The donor's part of this class in the like place, its longest axis fitted to the slot.

    The other axes keep the donor's proportions as far as the extent ratio allows, so that what is
    put in looks like another chair's part and not like this one's under a stretch.
    """
    candidates = [p for p in donor.parts if p.part_class == part.part_class]
    if not candidates:
        return Rejected("no_donor", f"{donor.shape_id} has no {part.part_class}")
    place = _place(shape, part)
    gaps = [
        min(np.linalg.norm(_place(donor, p) * [s, 1, 1] - place) for s in (1, -1)) + 0.05 * rng.random()
        for p in candidates
    ]
    # The part in the likest place that can be fitted at all.
    fits = [(gap, _fit(part.mesh, p.mesh, recipe), p) for gap, p in zip(gaps, candidates, strict=True)]
    _, fitted, chosen = min(fits, key=lambda fit: (isinstance(fit[1], Rejected), fit[0]))
    if isinstance(fitted, Rejected):
        return fitted
    there = _place(donor, chosen)
    mirrored = bool(abs(there[0] + place[0]) + 1e-9 < abs(there[0] - place[0]))
    spec = SwappedSpec(
        part.part_id,
        part.part_class,
        donor.shape_id,
        donor.digest,
        chosen.part_id,
        mirrored,
        vector(fitted),
        (0.0, 0.0, 0.0),
    )
    return replace(spec, translation=vector(_anchor(shape, part, _scaled(donor, spec))))


def _place(shape: Shape, part: Part) -> np.ndarray:
    """Part centre relative to the shape's box, each axis in [-0.5, 0.5]."""
    return (part.mesh.centre - shape.centre) / np.maximum(shape.bounds[1] - shape.bounds[0], 1e-9)


def _fit(slot: Mesh, donor: Mesh, recipe: SwappedRecipe) -> np.ndarray | Rejected:
    low, high = recipe.extent_ratio
    want, have = slot.extents, donor.extents
    longest = int(np.argmax(want))
    base = want[longest] / max(have[longest], 1e-9)
    if not 0.25 <= base <= 4.0 or have[longest] < 0.4 * have.max():
        return Rejected("absurd_fit", f"the longest axis would be scaled by {base:.2f}")
    scale = np.full(3, base)
    thick = want > THIN
    # Clip into the allowed ratio of slot extents: a bulky donor is squeezed, a slight one widened.
    ratio = base * have / np.maximum(want, 1e-9)
    scale[thick] *= np.clip(ratio[thick], low, high) / np.maximum(ratio[thick], 1e-9)
    if not (scale[thick] / base < 5).all():
        return Rejected("absurd_fit", f"scales {np.round(scale, 2).tolist()}")
    return scale


def _scaled(donor: Shape, spec: SwappedSpec) -> Mesh:
    mesh = donor.part(spec.donor_part_id).mesh
    T = np.diag([-1.0 if spec.mirrored else 1.0, 1.0, 1.0, 1.0])
    T[:3, :3] = np.diag(spec.scale) @ T[:3, :3]
    return mesh.transformed(T)


def _anchor(shape: Shape, part: Part, mesh: Mesh) -> np.ndarray:
    """Centre on the slot; vertically, stand on its foot or hang from its contact, as the old part did."""
    translation = part.mesh.centre - mesh.centre
    others = [other.mesh for other in shape.parts if other.part_id != part.part_id]
    regions = contact_regions(part.mesh, others)
    hangs = bool(regions) and regions[0].centroid[2] > part.mesh.centre[2]
    on_ground = part.mesh.bounds[0, 2] < shape.bounds[0, 2] + 0.02
    end = 1 if hangs and not on_ground else 0
    translation[2] = part.mesh.bounds[end, 2] - mesh.bounds[end, 2]
    return translation


def apply(shape: Shape, spec: SwappedSpec, recipe: SwappedRecipe, donor: Shape) -> AnomalousShape | Rejected:
    """The donor's part in place; rejected if it is nearly the same shape."""
    part = shape.part(spec.part_id)
    T = np.eye(4)
    T[:3, 3] = spec.translation
    result = moved(shape, part, spec, _scaled(donor, spec).transformed(T), method="fitted")
    if isinstance(result, Rejected):
        return result
    limit = recipe.min_distance * shape.diagonal
    if result.measures["p95_distance"] < limit:
        return Rejected("nearly_same", f"surface distance {result.measures['p95_distance']:.4f} of {limit:.4f}")
    return result
