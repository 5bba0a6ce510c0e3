"""Removal of one part (the first paper, section 3.1 (5); the second, A.1)."""

from dataclasses import dataclass

import numpy as np

from datagen.anomalies.common import rebuilt
from datagen.anomalies.operator import Setting
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.shape import Part, Shape


@dataclass(frozen=True)
class Remove:
    """Takes a part away. Severity is its share of the surface."""

    name: str = "missing"
    on_part = True
    needs = frozenset[str]()

    def propose(
        self, shape: Shape, part: Part | None, rng: np.random.Generator, setting: Setting
    ) -> AnomalySpec | Rejected:
        """There is only one way to remove a part."""
        assert part is not None
        return AnomalySpec(self.name, part.part_id, part.part_class)

    def apply(self, shape: Shape, spec: AnomalySpec, setting: Setting) -> AnomalousShape | Rejected:
        """The shape without the part; rejected if nothing would be left."""
        share = float(shape.part(spec.part_id).mesh.area / shape.area)
        if len(shape.parts) < 2:
            return Rejected("too_much", f"{share:.2f} of the surface would be gone")
        after = rebuilt(shape, {}, (spec.part_id,))
        return AnomalousShape(
            spec, shape, after, {}, share, gone=(spec.part_id,), method="removed", measures={"area_share": share}
        )
