"""Material mismatch: one part in a material that differs visibly from its own (the second paper, section A.1)."""

from dataclasses import dataclass, replace

import numpy as np

from datagen.anomalies.common import rebuilt
from datagen.anomalies.operator import Setting
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.colour import rounded_lab
from datagen.core.shape import Part, Shape, Skin
from datagen.recipe.anomalies import MaterialRecipe


@dataclass(frozen=True)
class Recolour:
    """Puts a part into another material. Severity is its share of the surface."""

    name: str = "material"
    on_part = True
    needs = frozenset({"materials", "skins"})

    def propose(
        self, shape: Shape, part: Part | None, rng: np.random.Generator, setting: Setting
    ) -> AnomalySpec | Rejected:
        """A material of the library for the part."""
        assert part is not None
        chosen = setting.materials[int(rng.integers(len(setting.materials)))]
        return AnomalySpec(self.name, part.part_id, part.part_class, {"material": chosen.material_id})

    def apply(self, shape: Shape, spec: AnomalySpec, setting: Setting) -> AnomalousShape | Rejected:
        """The part in the other material; rejected where the two can hardly be told apart."""
        settings: MaterialRecipe = setting.policy.settings(self.name)
        part = shape.part(spec.part_id)
        chosen = next((m for m in setting.materials if m.material_id == spec.values["material"]), None)
        if chosen is None or part.skin is None:
            return Rejected("no_material", f"{spec.values['material']} is in no library")
        old = mean_color(shape, part)
        contrast = float(np.linalg.norm(rounded_lab(np.array(chosen.mean_color)) - rounded_lab(old)))
        if contrast < settings.contrast:
            return Rejected("low_contrast", f"{contrast:.1f} of {settings.contrast:.1f}")
        skin = Skin((chosen.material_id,), np.zeros(len(part.mesh.faces), dtype=np.int32))
        after = rebuilt(shape, {part.part_id: (part.mesh, skin)})
        after = replace(after, palette={**shape.palette, chosen.material_id: chosen})
        share = float(part.mesh.area / shape.area)
        changed = {part.part_id: np.ones(len(part.mesh.faces), dtype=bool)}
        measures = {"contrast": contrast, "area_share": share}
        return AnomalousShape(spec, shape, after, changed, share, (), "redressed", measures)


def mean_color(shape: Shape, part: Part) -> np.ndarray:
    """Linear Rec. 709 mean (3,) of what the part wears, by area."""
    if part.skin is None:
        return np.full(3, 0.5)
    colors = np.array([shape.palette[name].mean_color for name in part.skin.materials])
    weights = np.bincount(part.skin.slot, part.mesh.face_areas, minlength=len(colors))
    return weights @ colors / max(weights.sum(), 1e-12)
