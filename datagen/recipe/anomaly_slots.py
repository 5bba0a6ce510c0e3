"""Which anomalies a recipe of shapes makes: kinds, how many, on which parts, how large."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from datagen.recipe.anomalies import (
    BURR,
    DENT,
    SCRATCH,
    BrokenRecipe,
    DeformRecipe,
    FractureRecipe,
    LocalRecipe,
    MissingRecipe,
    OperatorSections,
    PositionRecipe,
    RotationRecipe,
    SwappedRecipe,
)
from datagen.recipe.inspection import ToleranceRecipe
from datagen.recipe.section import LATER, Count, Positive, Span

LOCAL = ("scratch", "dent", "burr")
"""Kinds that change a spot of a part's surface, by sizes in millimetres."""


class MeasuredBrokenRecipe(BrokenRecipe):
    """Boolean subtraction of a roughened sphere or box."""

    mm3: Annotated[Span | None, LATER] = None
    """Volume that breaks off, in cubic millimetres, in place of the shares `removed` and `aimed`; uniform in the
    logarithm."""


class MeasuredFractureRecipe(FractureRecipe):
    """Fracture and crack: noisy cuts by manifold3d."""

    mm: Annotated[Span | None, LATER] = None
    """Crack: how far it opens in true millimetres, in place of `gap` and `turn_deg`; uniform in the logarithm."""


class AnomalyRecipe(OperatorSections):
    """Which kinds, how many, which parts."""

    sections: ClassVar[Mapping[str, str]] = {
        **{name: name for name in ("position", "rotation", "broken", "swapped", "missing")},
        **{name: "fracture" for name in ("fracture", "crack")},
        **{name: "deform" for name in ("bump", "bend", "twist", "deformation")},
        **{name: name for name in LOCAL},
    }

    slots: dict[str, Annotated[float, Field(ge=0.0)]] = Field(
        default_factory=lambda: {"position": 1.0, "rotation": 1.0, "broken": 1.0, "swapped": 1.0, "missing": 1.0}
    )
    """Expected jobs of each kind a shape; a fraction is drawn by a hash of the shape."""
    slots_per_shape: int | None = None
    """If given, each shape takes this many distinct kinds of `slots`, dealt in turn over the shapes."""
    views: Annotated[dict[Count, Positive], Field(min_length=1)] = Field(
        default_factory=lambda: {1: 1.0, 2: 2.0, 3: 2.0, 4: 3.0, 5: 1.0, 6: 1.0, 7: 1.0}
    )
    """Weights of the number of views a slot asks for."""
    views_by_kind: dict[str, dict[Count, Positive]] = Field(default_factory=dict)
    """Anomaly kind -> weights like those of `views`. A kind that is not named takes `views`."""
    attempts: Annotated[int, Field(ge=1, le=200)] = 24
    """Proposals of a slot before it is given up."""
    weights: dict[str, dict[str, float]] = Field(default_factory=dict)
    """kind -> part class -> weight; empty means those of the shape's category: for chairs the published frequencies."""
    parts: Annotated[dict[str, dict[str, Annotated[float, Field(ge=0.0)]]], LATER] = Field(default_factory=dict)
    """kind -> part name or pattern (`screw_*`) -> weight, in place of `weights`: the first pattern that a part fits is
    its weight; parts that fit none get no anomaly of the kind."""
    min_changed_px: Positive = 60.0
    """Changed pixels a view must show, at 256 px."""
    per_image: Annotated[dict[Annotated[int, Field(ge=1, le=5)], Positive], Field(min_length=1), LATER] = Field(
        default_factory=lambda: {1: 1.0}
    )
    """Weights of the number of anomalies in an object, each on a part of its own; the further ones are of kinds drawn
    by `slots`. Published fields then hold the union, and `config.anomalies` lists them (DATA.md)."""
    position: PositionRecipe = PositionRecipe()
    rotation: RotationRecipe = RotationRecipe()
    broken: MeasuredBrokenRecipe = MeasuredBrokenRecipe()
    swapped: SwappedRecipe = SwappedRecipe()
    missing: MissingRecipe = MissingRecipe()
    fracture: Annotated[MeasuredFractureRecipe, LATER] = MeasuredFractureRecipe()
    deform: Annotated[DeformRecipe, LATER] = DeformRecipe()
    scratch: Annotated[LocalRecipe, LATER] = SCRATCH
    dent: Annotated[LocalRecipe, LATER] = DENT
    burr: Annotated[LocalRecipe, LATER] = BURR
    plugin: Annotated[str, LATER] = ""
    """`package.module:function` of an own fracture source, such as a wrapper of fracture-modes."""

    @property
    def made(self) -> tuple[str, ...]:
        """Kinds of anomaly that the recipe makes."""
        return tuple(kind for kind, count in self.slots.items() if count)

    @model_validator(mode="after")
    def _known_kinds(self) -> "AnomalyRecipe":
        self.refuse_unknown((*self.slots, *self.views_by_kind, *self.weights, *self.parts))
        for kind, table in self.weights.items():
            if table and (min(table.values()) < 0 or not any(table.values())):
                raise ValueError(f"weights of {kind} have to be 0 or more, not all 0; take {kind} out of slots instead")
        for kind, patterns in self.parts.items():
            if not any(patterns.values()):
                raise ValueError(f"parts of {kind}: no pattern has a weight; take {kind} out of slots instead")
        return self

    def in_millimetres(self) -> Iterator[tuple[str, bool]]:
        """Keys that are told in millimetres or degrees of a drawing, and whether the recipe makes use of them."""
        yield "anomaly.position.mm", self.position.mm is not None
        yield "anomaly.rotation.deg", self.rotation.deg is not None
        yield "anomaly.broken.mm3", self.broken.mm3 is not None
        yield "anomaly.swapped.variants", bool(self.swapped.variants)
        yield "anomaly.fracture.mm", self.fracture.mm is not None
        for kind in LOCAL:
            yield f"anomaly.{kind}", kind in self.made

    def refuse_within(self, tolerance: ToleranceRecipe) -> None:
        """Raises ValueError for magnitudes that begin within the tolerance, or end within that of a part."""
        spans = [("position.mm", self.position.mm, "position_mm"), ("rotation.deg", self.rotation.deg, "rotation_deg")]
        for kind in LOCAL:
            made: LocalRecipe = getattr(self, kind)
            spans += [(f"{kind}.depth_mm", made.depth_mm, "surface_mm")] if kind in self.made else []
        for key, span, name in spans:
            if span is None:
                continue
            allowed = getattr(tolerance, name)
            if span[0] <= allowed:
                raise ValueError(
                    f"anomaly.{key} begins at {span[0]:g}, within tolerance.{name} {allowed:g}: such a part is normal; "
                    f"begin above {allowed:g}"
                )
            for pattern, own in tolerance.by_part.items():
                if span[1] <= getattr(own, name):
                    raise ValueError(
                        f"anomaly.{key} ends at {span[1]:g}, within tolerance.by_part.{pattern}.{name} "
                        f"{getattr(own, name):g}: no such part could be a defect; widen the range"
                    )
