"""Rotational anomaly: turn one part about where it meets its neighbours (paper, section 3.1 (2))."""

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.anomalies.common import long_axis, moved, vector
from datagen.core.anomaly import AnomalousShape, Rejected, RotationSpec
from datagen.core.rng import unit_vector
from datagen.core.shape import Mesh, Part, Shape
from datagen.geometry.contact import contact_regions
from datagen.recipe.models import RotationRecipe


def propose(shape: Shape, part: Part, recipe: RotationRecipe, rng: np.random.Generator) -> RotationSpec:
    """Pivot at the largest contact region (the centroid if the part floats), axis across the part.

    The axis leans away from the part's long axis: a turn about that one rarely shows. Of the two
    senses the one that keeps the part above the ground is taken.
    """
    others = [other.mesh for other in shape.parts if other.part_id != part.part_id]
    regions = contact_regions(part.mesh, others)
    pivot = regions[0].centroid if regions else part.mesh.vertices.mean(axis=0)
    along = long_axis(part.mesh)
    axis = unit_vector(rng)
    axis = axis - 0.8 * along * (axis @ along)
    axis = axis / np.linalg.norm(axis)
    angle = rng.uniform(*recipe.angle_deg) * rng.choice([-1.0, 1.0])
    specs = [
        RotationSpec(part.part_id, part.part_class, vector(pivot), vector(axis), round(float(a), 9))
        for a in (angle, -angle)
    ]
    return max(specs, key=lambda spec: min(0.0, float(_turned(part, spec).bounds[0, 2])))


def _turned(part: Part, spec: RotationSpec) -> Mesh:
    T = np.eye(4)
    T[:3, :3] = Rotation.from_rotvec(np.radians(spec.angle_deg) * np.array(spec.axis)).as_matrix()
    T[:3, 3] = np.array(spec.pivot) - T[:3, :3] @ np.array(spec.pivot)
    return part.mesh.transformed(T)


def apply(shape: Shape, spec: RotationSpec, recipe: RotationRecipe) -> AnomalousShape | Rejected:
    """The turned part; rejected if it is symmetric under the turn, by surface distance."""
    part = shape.part(spec.part_id)
    result = moved(shape, part, spec, _turned(part, spec))
    if isinstance(result, Rejected):
        return result
    limit = recipe.min_distance * part.mesh.diagonal
    if result.measures["mean_distance"] < limit:
        return Rejected("symmetric", f"surface moved {result.measures['mean_distance']:.4f} of {limit:.4f}")
    return result
