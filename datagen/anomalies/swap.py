"""Swapped part: the same salient part of another shape of the split (paper, section 3.1 (4))."""

from dataclasses import dataclass, replace

import numpy as np

from datagen.anomalies.common import moved, numbers
from datagen.anomalies.operator import Setting
from datagen.anomalies.variant import VARIANT, placed_variant, propose_variant
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.errors import ShapeError
from datagen.core.shape import Mesh, Part, Shape
from datagen.geometry.contact import contact_regions
from datagen.recipe.anomalies import SwappedRecipe

DONOR_DRAWS = 4
"""Donors a swap may look at before it gives up."""
THIN = 0.02
"""Extents below this (object units) are sheet thicknesses: never scaled by more than the longest axis is."""


@dataclass(frozen=True)
class Swap:
    """Puts another shape's part of the same class into a part's place, or a wrong variant out of the user's files."""

    name: str = "swapped"
    on_part = True
    needs = frozenset({"donors"})

    def propose(
        self, shape: Shape, part: Part | None, rng: np.random.Generator, setting: Setting
    ) -> AnomalySpec | Rejected:
        """A donor of the split that differs, after a few draws: shapes of one family share legs."""
        assert part is not None and setting.donors is not None
        settings: SwappedRecipe = setting.policy.settings(self.name)
        if settings.variants:
            return propose_variant(shape, part, settings, rng)
        donors = setting.donors.candidates(part.part_class, shape.shape_id)
        if not donors:
            return Rejected("no_donor", f"no other shape of the split has a {part.part_class}")
        proposal: AnomalySpec | Rejected
        for name in rng.permutation(donors)[:DONOR_DRAWS]:
            try:
                donor = setting.donors.load(str(name))
            except ShapeError as error:  # the donor's own jobs are set aside for it, this shape's are not
                proposal = Rejected("no_donor", f"{name} cannot be read: {error.args[0]}")
                continue
            proposal = fit_donor(shape, part, donor, settings, rng)
            if isinstance(proposal, AnomalySpec):
                made = self.apply(shape, proposal, setting)
                if isinstance(made, AnomalousShape) and setting.policy.refuse(made) is None:
                    break
        return proposal

    def apply(self, shape: Shape, spec: AnomalySpec, setting: Setting) -> AnomalousShape | Rejected:
        """The donor's part in place. Raises MeshLoadError for a variant whose file cannot be read."""
        if VARIANT in spec.values:
            mesh = placed_variant(shape, spec)
            part = shape.part(spec.part_id)
            return mesh if isinstance(mesh, Rejected) else moved(shape, part, spec, mesh, method="variant", exact=True)
        assert setting.donors is not None
        donor = setting.donors.load(spec.values["donor_shape_id"])
        T = np.eye(4)
        T[:3, 3] = spec.values["translation"]
        return moved(shape, shape.part(spec.part_id), spec, _scaled(donor, spec).transformed(T), method="fitted")


def fit_donor(
    shape: Shape, part: Part, donor: Shape, settings: SwappedRecipe, rng: np.random.Generator
) -> AnomalySpec | Rejected:
    """The donor's part of this class in the like place, its longest axis fitted to the slot.

    The other axes keep the donor's proportions as far as the extent ratio allows, so that what is
    put in looks like another shape's part and not like this one's under a stretch.
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
    fits = [(gap, _fit(part.mesh, p.mesh, settings), p) for gap, p in zip(gaps, candidates, strict=True)]
    _, fitted, chosen = min(fits, key=lambda fit: (isinstance(fit[1], Rejected), fit[0]))
    if isinstance(fitted, Rejected):
        return fitted
    there = _place(donor, chosen)
    values = {
        "donor_shape_id": donor.shape_id,
        "donor_digest": donor.digest,
        "donor_part_id": chosen.part_id,
        "mirrored": bool(abs(there[0] + place[0]) + 1e-9 < abs(there[0] - place[0])),
        "scale": numbers(fitted),
        "translation": [0.0, 0.0, 0.0],
    }
    spec = AnomalySpec("swapped", part.part_id, part.part_class, values)
    anchored = numbers(_anchor(shape, part, _scaled(donor, spec)))
    return replace(spec, values={**values, "translation": anchored})


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


def _scaled(donor: Shape, spec: AnomalySpec) -> Mesh:
    mesh = donor.part(spec.values["donor_part_id"]).mesh
    T = np.diag([-1.0 if spec.values["mirrored"] else 1.0, 1.0, 1.0, 1.0])
    T[:3, :3] = np.diag(spec.values["scale"]) @ T[:3, :3]
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
