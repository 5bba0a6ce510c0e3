"""Anomalies of whole objects in a scene (Odd-One-Out, sections 4.1 and A.1) as values.

Unlike an anomaly of a chair's part (core/anomaly.py), one of these may change every part of an object at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from datagen.core.shape import Shape

ODDITIES = (
    "fracture",
    "crack",
    "bump",
    "bend",
    "twist",
    "deformation",
    "translation",
    "rotation",
    "missing",
    "material",
    "similar",
)
"""Kinds of anomaly: the list of section A.1, with `deformation` for free deformation."""
PUBLISHED_MODES = {
    "fracture": "frac",
    "crack": "crack",
    "bump": "bump",
    "bend": "bend",
    "twist": "twist",
    "deformation": "defr",
    "translation": "tran",
    "rotation": "rota",
    "missing": "miss",
    "material": "mats",
    "similar": "diff",
}
"""Kind -> the word between the dashes of a published anomalous asset's name (format, 1.3 and 4)."""


@dataclass(frozen=True)
class OddSpec:
    """What was proposed: JSON, no geometry. Lengths in units of D (the box diagonal), the shape's frame.

    `part_id` is 0 where the whole object changes. `values` are the parameters of the kind (anomalies/objects).
    """

    kind: str
    part_id: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return {"kind": self.kind, "part_id": self.part_id, **self.values}


@dataclass(frozen=True, eq=False)
class OddShape:
    """A shape made odd. `shape` has the normal one's frame and scale, so the two can be laid over each other.

    `changed` (part id -> faces (F,) bool) marks what of the new shape is not the normal one's; parts that are
    gone are in `gone`. `severity`: removed share of the volume (fracture), of the surface (missing), share of the
    surface in another colour (material), displacement of the piece over D (crack), else the mean distance of the
    changed surface from the old one over D.
    """

    spec: OddSpec
    normal: Shape
    shape: Shape
    changed: Mapping[int, np.ndarray]
    severity: float
    gone: tuple[int, ...] = ()
    method: str = ""
    measures: Mapping[str, float] = field(default_factory=dict)

    @property
    def part_ids(self) -> tuple[int, ...]:
        """Parts that the anomaly touches, gone ones included, sorted."""
        touched = {part_id for part_id, faces in self.changed.items() if faces.any()}
        return tuple(sorted(touched | set(self.gone)))
