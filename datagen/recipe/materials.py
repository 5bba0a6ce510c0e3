"""The recipe's section on materials: which classes a part may be made of, and how they are laid on."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator

from datagen.core.material import MATERIAL_CLASSES
from datagen.core.shape import PART_CLASSES
from datagen.recipe.section import Section

STAR_BASE, WHEEL, BARS = "StarBase", "Wheel", "Bars"
"""Rows beside the part classes, told by labels: swivel bases, casters, slats and spindles of a surface."""

Weights = Mapping[str, float]

_FRAME: Weights = {"wood": 0.62, "metal": 0.28, "plastic": 0.10}
_SOFT: Weights = {"fabric": 0.40, "leather": 0.22, "wood": 0.22, "plastic": 0.12, "metal": 0.04}
DEFAULT_CLASSES: Mapping[str, Weights] = {
    "Leg": {"wood": 0.60, "metal": 0.32, "plastic": 0.08},
    "SeatSurface": _SOFT,
    "BackSurface": _SOFT,
    "Arm": {"wood": 0.42, "leather": 0.15, "fabric": 0.15, "metal": 0.14, "plastic": 0.14},
    "BackFrame": _FRAME,
    "SeatFrame": _FRAME,
    "SeatSupport": {"wood": 0.45, "metal": 0.45, "plastic": 0.10},
    "SurfaceBase": {"metal": 0.50, "wood": 0.35, "plastic": 0.15},
    "BackSupport": _FRAME,
    "Footrest": {"wood": 0.45, "metal": 0.45, "plastic": 0.10},
    "Other": {"metal": 0.45, "plastic": 0.35, "wood": 0.20},
    STAR_BASE: {"metal": 0.70, "plastic": 0.30},
    WHEEL: {"plastic": 1.0},
    BARS: _FRAME,
}
Projection = Literal["box", "smart"]
DEFAULT_PROJECTION: Mapping[str, Projection] = {
    "wood": "box",
    "fabric": "box",
    "metal": "box",
    "leather": "smart",
    "plastic": "smart",
}


class MaterialSettings(Section):
    """Which materials a chair wears. Shares are probabilities; colour distances are CIE 1976."""

    libraries: tuple[str, ...] = ("procedural",)
    """'procedural' for the built-in 400, or folders of image sets; several are joined."""
    classes: Mapping[str, Weights] = DEFAULT_CLASSES
    """Part class (or StarBase, Wheel, Bars) -> weight of each material class; rows not given keep their default."""
    projection: Mapping[str, Projection] = DEFAULT_PROJECTION
    """Material class -> UV projection: 'smart' is the paper's (section 3.2), 'box' keeps the grain."""
    share_frame: float = Field(default=0.85, ge=0, le=1)
    """How often another part of the structure (frames, supports) wears what the legs wear."""
    share_arm: float = Field(default=0.55, ge=0, le=1)
    """How often arms wear what the legs wear."""
    share_arm_seat: float = Field(default=0.2, ge=0, le=1)
    """How often arms wear what the seat wears, where they do not follow the legs."""
    share_back_seat: float = Field(default=0.75, ge=0, le=1)
    """How often the back wears what the seat wears."""
    one_piece: float = Field(default=0.35, ge=0, le=1)
    """How often a seat of the legs' class (wood on wood) is made of the very same material."""
    contrast: float = Field(default=22.0, ge=0)
    """Least colour distance between neighbouring groups that wear different materials."""
    redraws: int = Field(default=12, ge=0)
    """How many more draws a group gets to reach that contrast; the best is kept."""

    @field_validator("classes")
    @classmethod
    def _complete(cls, rows: Mapping[str, Weights]) -> Mapping[str, Weights]:
        known = {*PART_CLASSES, STAR_BASE, WHEEL, BARS}
        for name, weights in rows.items():
            if name not in known:
                raise ValueError(f"{name!r} is no part class; known are {', '.join(sorted(known))}")
            unknown = set(weights) - set(MATERIAL_CLASSES)
            if unknown or any(w < 0 for w in weights.values()) or sum(weights.values()) <= 0:
                raise ValueError(f"weights of {name} must be >= 0, not all 0, and name {', '.join(MATERIAL_CLASSES)}")
        return {**DEFAULT_CLASSES, **rows}

    @field_validator("projection")
    @classmethod
    def _known(cls, rows: Mapping[str, Projection]) -> Mapping[str, Projection]:
        unknown = set(rows) - set(MATERIAL_CLASSES)
        if unknown:
            raise ValueError(f"{sorted(unknown)[0]!r} is no material class")
        return {**DEFAULT_PROJECTION, **rows}
