"""Translation of one part (the first paper, section 3.1 (1); the second, A.1)."""

from dataclasses import dataclass

import numpy as np

from datagen.anomalies.common import DRAWS, moved, numbers
from datagen.anomalies.operator import Setting
from datagen.anomalies.sizes import drawn, no_unit
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.rng import unit_vector
from datagen.core.shape import Mesh, Part, Shape


@dataclass(frozen=True)
class Translate:
    """Shifts a part. `position` and `translation` are the two papers' words for it."""

    name: str
    on_part = True
    needs = frozenset[str]()

    def propose(
        self, shape: Shape, part: Part | None, rng: np.random.Generator, setting: Setting
    ) -> AnomalySpec | Rejected:
        """A uniform direction and a length in `settings.distance` of D, or in true millimetres where it says `mm`.

        Directions that put the part where it cannot be are drawn again, a few times. Rejected where millimetres are
        asked for and the shape says no unit.
        """
        assert part is not None
        settings = setting.policy.settings(self.name)
        low, high = settings.distance
        span = getattr(settings, "mm", None)
        if span is not None and not shape.mm:
            return no_unit(shape)
        for _ in range(DRAWS):
            if span is None:
                translation = unit_vector(rng) * rng.uniform(low, high) * shape.diagonal
            else:
                translation = unit_vector(rng) * drawn(span, rng) * shape.mm
            if part.mesh.bounds[0, 2] + translation[2] < 0:
                translation[2] = -translation[2]
            spec = AnomalySpec(self.name, part.part_id, part.part_class, {"translation": numbers(translation)})
            if setting.policy.misplaced(shape, _translated(part, spec)) is None:
                break
        return spec

    def apply(self, shape: Shape, spec: AnomalySpec, setting: Setting) -> AnomalousShape | Rejected:
        """The shape with the part shifted."""
        part = shape.part(spec.part_id)
        exact = getattr(setting.policy.settings(self.name), "mm", None) is not None
        return moved(shape, part, spec, _translated(part, spec), exact=exact)


def _translated(part: Part, spec: AnomalySpec) -> Mesh:
    T = np.eye(4)
    T[:3, 3] = spec.values["translation"]
    return part.mesh.transformed(T)
