"""Rotation of one part about where it meets its neighbours (the first paper, section 3.1 (2); the second, A.1)."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.anomalies.common import DRAWS, long_axis, moved, numbers
from datagen.anomalies.operator import Setting
from datagen.anomalies.sizes import drawn
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.rng import unit_vector
from datagen.core.shape import Mesh, Part, Shape
from datagen.geometry.contact import contact_regions


@dataclass(frozen=True)
class Rotate:
    """Turns a part by an angle about an axis through a pivot, right-handed."""

    name: str = "rotation"
    on_part = True
    needs = frozenset[str]()

    def propose(
        self, shape: Shape, part: Part | None, rng: np.random.Generator, setting: Setting
    ) -> AnomalySpec | Rejected:
        """Pivot at the largest contact region (the centroid if the part floats), axis across the part.

        The axis leans away from the part's long axis: a turn about that one rarely shows. Turns that put the
        part where it cannot be are drawn again, a few times, either sense tried.
        """
        assert part is not None
        settings = setting.policy.settings(self.name)
        span = getattr(settings, "deg", None)
        others = [other.mesh for other in shape.parts if other.part_id != part.part_id]
        regions = contact_regions(part.mesh, others)
        pivot = numbers(regions[0].centroid if regions else part.mesh.vertices.mean(axis=0))
        along = long_axis(part.mesh)
        for _ in range(DRAWS):
            axis = unit_vector(rng)
            axis = axis - 0.8 * along * (axis @ along)
            axis = axis / np.linalg.norm(axis)
            size = rng.uniform(*settings.angle_deg) if span is None else drawn(span, rng)
            angle = size * rng.choice([-1.0, 1.0])
            for signed in (angle, -angle):
                values = {"pivot": pivot, "axis": numbers(axis), "angle_deg": round(float(signed), 9)}
                spec = AnomalySpec(self.name, part.part_id, part.part_class, values)
                if setting.policy.misplaced(shape, _turned(part, spec)) is None:
                    return spec
        return spec

    def apply(self, shape: Shape, spec: AnomalySpec, setting: Setting) -> AnomalousShape | Rejected:
        """The shape with the part turned."""
        part = shape.part(spec.part_id)
        exact = getattr(setting.policy.settings(self.name), "deg", None) is not None
        return moved(shape, part, spec, _turned(part, spec), exact=exact)


def _turned(part: Part, spec: AnomalySpec) -> Mesh:
    pivot = np.array(spec.values["pivot"])
    T = np.eye(4)
    T[:3, :3] = Rotation.from_rotvec(np.radians(spec.values["angle_deg"]) * np.array(spec.values["axis"])).as_matrix()
    T[:3, 3] = pivot - T[:3, :3] @ pivot
    return part.mesh.transformed(T)
