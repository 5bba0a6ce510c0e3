"""Rotational anomaly: turn one part about where it meets its neighbours (paper, section 3.1 (2))."""

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.anomalies.common import DRAWS, long_axis, misplaced, moved, vector
from datagen.core.anomaly import AnomalousShape, Rejected, RotationSpec
from datagen.core.rng import unit_vector
from datagen.core.shape import Mesh, Part, Shape
from datagen.geometry.contact import contact_regions
from datagen.recipe.models import RotationRecipe


def propose(shape: Shape, part: Part, recipe: RotationRecipe, rng: np.random.Generator) -> RotationSpec:
    """Pivot at the largest contact region (the centroid if the part floats), axis across the part.

    The axis leans away from the part's long axis: a turn about that one rarely shows. Turns that
    sink the part or push it out of the frame are drawn again, a few times, either sense tried.
    """
    others = [other.mesh for other in shape.parts if other.part_id != part.part_id]
    regions = contact_regions(part.mesh, others)
    pivot = vector(regions[0].centroid if regions else part.mesh.vertices.mean(axis=0))
    along = long_axis(part.mesh)
    for _ in range(DRAWS):
        axis = unit_vector(rng)
        axis = axis - 0.8 * along * (axis @ along)
        axis = axis / np.linalg.norm(axis)
        angle = rng.uniform(*recipe.angle_deg) * rng.choice([-1.0, 1.0])
        for signed in (angle, -angle):
            spec = RotationSpec(part.part_id, part.part_class, pivot, vector(axis), round(float(signed), 9))
            if misplaced(shape, _turned(part, spec)) is None:
                return spec
    return spec


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
