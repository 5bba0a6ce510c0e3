"""Anomalies as values: what was proposed (JSON, no geometry) and what it did to the shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from datagen.core.shape import Mesh, Shape

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class AnomalySpec:
    """What an operator proposes: small, plain JSON. Lengths in object units, the shape's frame, unless it says else.

    `kind` names the operator. `part_id` is 0 where the whole object changes. `values` are the operator's own.
    """

    kind: str
    part_id: int = 0
    part_class: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary that `spec_from_json` reads back."""
        part_class = {"part_class": self.part_class} if self.part_class else {}
        return {"kind": self.kind, "part_id": self.part_id, **part_class, **self.values}


ALSO = "also"
"""Key of a spec's values that holds the specs of further anomalies, on other parts of the same object."""


def further_specs(spec: AnomalySpec) -> tuple[AnomalySpec, ...]:
    """The specs of the anomalies that an object has besides the first."""
    return tuple(spec_from_json(data) for data in spec.values.get(ALSO, ()))


def spec_from_json(data: Mapping[str, Any]) -> AnomalySpec:
    """The spec that `to_json` wrote. Raises KeyError where it names no kind or part."""
    own = ("kind", "part_id", "part_class")
    values = {key: value for key, value in data.items() if key not in own}
    return AnomalySpec(str(data["kind"]), int(data["part_id"]), str(data.get("part_class", "")), values)


@dataclass(frozen=True)
class Rejected:
    """Why a proposal was not taken: a stable word and the figures behind it."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, eq=False)
class AnomalousShape:
    """A shape with an anomaly. `shape` has the normal one's frame, scale and part ids, so the two overlay.

    `changed` (part id -> faces (F,) bool) marks what of the new shape is not the normal one's; parts that are
    gone are in `gone`. `severity`: mean surface displacement over D where something moved or bent; the removed
    share where something is gone (volume of a part or object that broke, surface of a missing part); displacement
    of the piece over D for a crack; share of the surface in another colour.
    """

    spec: AnomalySpec
    normal: Shape
    shape: Shape
    changed: Mapping[int, np.ndarray]
    severity: float
    gone: tuple[int, ...] = ()
    method: str = ""
    """Which path of a fallback chain made it (the boolean chain of `broken`)."""
    measures: Mapping[str, float] = field(default_factory=dict)
    each: tuple["AnomalousShape", ...] = ()
    """Where several parts have an anomaly each: those by themselves, the first as `spec` has it; else empty."""
    local: bool = False
    """Whether it is a spot of its part: masks then show the changed faces alone, not the whole part."""

    @property
    def part_ids(self) -> tuple[int, ...]:
        """Parts that the anomaly touches, gone ones included, sorted."""
        touched = {part_id for part_id, faces in self.changed.items() if faces.any()}
        return tuple(sorted(touched | set(self.gone)))

    def exchanged(self) -> "AnomalousShape":
        """The same seen from the other side: the normal shape as what differs from the anomalous one.

        All faces of the parts that differ count as changed.
        """
        changed = {p.part_id: np.ones(len(p.mesh.faces), bool) for p in self.normal.parts if p.part_id in self.part_ids}
        return AnomalousShape(
            self.spec, self.shape, self.normal, changed, self.severity, (), self.method, self.measures
        )

    @property
    def old_mesh(self) -> Mesh:
        """The part before the anomaly; of an anomaly of one part alone."""
        return self.normal.part(self.spec.part_id).mesh

    @property
    def new_mesh(self) -> Mesh | None:
        """The part after the anomaly, None where it is gone; of an anomaly of one part alone."""
        return None if self.spec.part_id in self.gone else self.shape.part(self.spec.part_id).mesh

    def meshes(self) -> list[tuple[int, Mesh]]:
        """(part id, mesh) of the anomalous shape, in the normal shape's order."""
        return [(part.part_id, part.mesh) for part in self.shape.parts]
