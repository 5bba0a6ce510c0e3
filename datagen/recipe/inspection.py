"""What a drawing allows, and how good parts differ: tolerance bands and normal variation."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, field_validator, model_validator

from datagen.recipe.section import LATER, Fraction, Range, Section

Units = Literal["", "file", "mm", "cm", "m", "inch"]
MILLIMETRES: Mapping[str, float] = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "inch": 25.4}
"""Word for a unit of length -> millimetres."""
Allowed = Annotated[float, Field(ge=0.0)]
T = TypeVar("T")


def matched(names: Iterable[str], table: Mapping[str, T]) -> T | None:
    """The value of the first pattern (`screw_*`) that one of a part's names fits; None where none does."""
    known = tuple(names)
    return next((value for pattern, value in table.items() if any(fnmatchcase(n, pattern) for n in known)), None)


class PartTolerance(Section):
    """What is allowed of a part. 0: the drawing says nothing."""

    position_mm: Allowed = 0.0
    """How far its centre may lie off its nominal place, in mm."""
    rotation_deg: Allowed = 0.0
    """How far it may be turned, in degrees."""
    surface_mm: Allowed = 0.0
    """How far its surface may lie off the nominal one, in mm: smaller dents, scratches and burrs are no defects."""


class ToleranceRecipe(PartTolerance):
    """The band within which everything is normal, and outside of which it is a defect."""

    by_part: dict[str, PartTolerance] = Field(default_factory=dict)
    """Part name or pattern -> its own tolerance; the first that matches counts. What it leaves out holds as above."""
    together: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Name of a sub-assembly -> patterns of its parts: they lie off their places as one, in place of one by one."""

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("by_part"), dict):
            return data
        general = {name: data[name] for name in PartTolerance.model_fields if name in data}
        own = {key: {**general, **told} if isinstance(told, dict) else told for key, told in data["by_part"].items()}
        return {**data, "by_part": own}

    @field_validator("together")
    @classmethod
    def _not_empty(cls, groups: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for name, patterns in groups.items():
            if not patterns:
                raise ValueError(f"{name} names no part; list patterns of its parts")
        return groups

    def of(self, names: Iterable[str]) -> PartTolerance:
        """The tolerance of a part with these names."""
        return matched(names, self.by_part) or self

    @property
    def all(self) -> tuple[PartTolerance, ...]:
        """That of parts without their own, and each part's own."""
        return (self, *self.by_part.values())


class TrayRecipe(Section):
    """How the whole lies on the tray, drawn for every group of pictures."""

    turn_deg: Allowed = 0.0
    """It is turned about the vertical by up to this, either way, in degrees; 180 is any direction."""
    shift_mm: Allowed = 0.0
    """It lies off the middle by up to this, in mm."""


class ReflectionStressRecipe(Section):
    """Pictures whose highlights move while the shape does not: what a detector must not take for a defect."""

    share: Fraction = 0.0
    """Share of the groups of pictures that share a dress, of either label alike."""
    light_deg: Annotated[float, Field(ge=0.0, le=180.0)] = 60.0
    """Lights are turned about the vertical by up to this, either way, picture by picture."""
    roughness: Fraction = 0.1
    """Roughness of a part's material is up to this more or less."""
    tilt_deg: Annotated[float, Field(ge=0.0, le=10.0)] = 2.0
    """Normals that a part is shaded by are tilted by up to this about x and y: its mesh stays."""


class VariationRecipe(Section):
    """How good parts differ. Light is `light.setups` (1: always the same), joints are `joints.share` (0: at rest)."""

    jitter: bool = True
    """Parts lie off their nominal places, uniformly within their tolerance, in pictures of either label."""
    materials: bool = True
    """Every group of pictures is dressed anew; false: a shape always wears the same materials."""
    colour: Fraction = 0.0
    """Base colours are multiplied by up to this more or less, channel by channel."""
    wear: Range = (0.0, 0.0)
    """How worn surfaces are, 0 to 1: patches that lose their colour and their gloss."""
    tray: TrayRecipe = TrayRecipe()
    reflection_stress: Annotated[ReflectionStressRecipe, LATER] = ReflectionStressRecipe()

    @field_validator("wear")
    @classmethod
    def _share(cls, wear: Range) -> Range:
        if not 0 <= wear[0] <= wear[1] <= 1:
            raise ValueError("wear goes from 0 to 1, the lower first")
        return wear
