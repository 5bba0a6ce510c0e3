"""Anomalies as values: what was proposed (JSON, no geometry) and what it did to the shape."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np

from datagen.core.shape import Mesh, Shape

KINDS = ("position", "rotation", "broken", "swapped", "missing")
"""The five kinds of the paper, section 3.1, in the published order."""
PUBLISHED_TYPE = {
    "position": "position",
    "rotation": "rotate",
    "broken": "damaged",
    "swapped": "swapped",
    "missing": "missing",
}
"""Kind -> the word that `config.type` of an annotation holds."""

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class AnomalySpec:
    """Base of the union discriminated by `kind`. Lengths in object units, frame inside."""

    kind: ClassVar[str]
    part_id: int
    part_class: str

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary that `spec_from_json` reads back."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True)
class PositionSpec(AnomalySpec):
    """Translate the part."""

    kind: ClassVar[str] = "position"
    translation: Vector


@dataclass(frozen=True)
class RotationSpec(AnomalySpec):
    """Turn the part about an axis through `pivot`, right-handed."""

    kind: ClassVar[str] = "rotation"
    pivot: Vector
    axis: Vector
    angle_deg: float


@dataclass(frozen=True)
class BrokenSpec(AnomalySpec):
    """Subtract a roughened sphere or box. `rotation` is a row-major 3 x 3 matrix."""

    kind: ClassVar[str] = "broken"
    primitive: str
    centre: Vector
    half_extents: Vector
    rotation: tuple[Vector, Vector, Vector]
    roughness: float
    noise_seed: int


@dataclass(frozen=True)
class SwappedSpec(AnomalySpec):
    """Put another shape's part of the same class into this part's place."""

    kind: ClassVar[str] = "swapped"
    donor_shape_id: str
    donor_digest: str
    donor_part_id: int
    mirrored: bool
    scale: Vector
    translation: Vector


@dataclass(frozen=True)
class MissingSpec(AnomalySpec):
    """Remove the part."""

    kind: ClassVar[str] = "missing"


SPEC_TYPES: dict[str, type[AnomalySpec]] = {
    cls.kind: cls for cls in (PositionSpec, RotationSpec, BrokenSpec, SwappedSpec, MissingSpec)
}


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


def spec_from_json(data: Mapping[str, Any]) -> AnomalySpec:
    """The spec that `to_json` wrote. Raises KeyError on an unknown kind."""
    fields = {key: _tuples(value) for key, value in data.items() if key != "kind"}
    return SPEC_TYPES[data["kind"]](**fields)


@dataclass(frozen=True)
class Rejected:
    """Why a proposal was not taken: a stable word and the figures behind it."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, eq=False)
class AnomalousShape:
    """A shape with one changed part. The part id stays the same in both shapes.

    `new_mesh` is None for a missing part. `changed_faces` (F_new,) is True where a face of the
    new mesh is not a face of the old one. `severity` is the mean surface displacement over D,
    or the removed share for `broken` (volume, area for sheets) and `missing` (surface).
    """

    spec: AnomalySpec
    normal: Shape
    new_mesh: Mesh | None
    changed_faces: np.ndarray
    severity: float
    method: str = ""
    """Which path of a fallback chain made it (the boolean chain of `broken`)."""
    measures: Mapping[str, float] = field(default_factory=dict)

    @property
    def old_mesh(self) -> Mesh:
        """The part before the anomaly."""
        return self.normal.part(self.spec.part_id).mesh

    def meshes(self) -> list[tuple[int, Mesh]]:
        """(part id, mesh) of the anomalous shape, in the normal shape's order."""
        pairs = []
        for part in self.normal.parts:
            mesh = self.new_mesh if part.part_id == self.spec.part_id else part.mesh
            if mesh is not None:
                pairs.append((part.part_id, mesh))
        return pairs
