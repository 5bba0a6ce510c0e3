"""Missing component: remove one part (paper, section 3.1 (5))."""

import numpy as np

from datagen.core.anomaly import AnomalousShape, MissingSpec, Rejected
from datagen.core.shape import Part, Shape
from datagen.recipe.models import MissingRecipe


def propose(shape: Shape, part: Part) -> MissingSpec:
    """There is only one way to remove a part."""
    return MissingSpec(part.part_id, part.part_class)


def apply(shape: Shape, spec: MissingSpec, recipe: MissingRecipe) -> AnomalousShape | Rejected:
    """The shape without the part; rejected if it was a trifle or half of the whole."""
    share = shape.part(spec.part_id).mesh.area / shape.area
    if share < recipe.min_area:
        return Rejected("too_small", f"{share:.4f} of the surface")
    if len(shape.parts) < 2 or 1 - share < recipe.min_remaining:
        return Rejected("too_much", f"{share:.2f} of the surface would be gone")
    return AnomalousShape(
        spec=spec,
        normal=shape,
        new_mesh=None,
        changed_faces=np.zeros(0, dtype=bool),
        severity=share,
        method="removed",
        measures={"area_share": share},
    )
