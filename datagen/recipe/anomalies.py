"""How strong anomalies are: a section of settings for every operator. Magnitudes are relative to D, the shape's
bounding-box diagonal, unless a field says else."""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from datagen.recipe.section import LATER, Fraction, Positive, Range, Section, Span

OPERATORS_GROUP = "datagen.operators"
"""The group of entry points under which other packages name operators."""


class PositionRecipe(Section):
    """Translation: one part is moved."""

    distance: Range = (0.04, 0.20)
    """Length of the shift, as a share of D."""
    min_shift_px: Positive = 6.0
    """Least median shift of the part in the picture, in pixels at 256 px."""
    mm: Annotated[Span | None, LATER] = None
    """Length of the shift in true millimetres, in place of `distance`; small ones as likely as large ones (uniform in
    the logarithm). Measured from the nominal place."""


class RotationRecipe(Section):
    """Rotation about the contact with the neighbours."""

    angle_deg: Range = (8.0, 45.0)
    """Angle of the turn, in degrees."""
    min_distance: Positive = 0.02
    """Least mean surface distance, as a share of the part's own diagonal: symmetric turns fall below it."""
    deg: Annotated[Span | None, LATER] = None
    """Angle between the part and its nominal place, in degrees, in place of `angle_deg` and `min_distance`; uniform in
    the logarithm. A turn that brings the surface onto itself is refused all the same."""

    @field_validator("deg")
    @classmethod
    def _half_a_turn_at_most(cls, deg: Range | None) -> Range | None:
        if deg is not None and deg[1] > 180:
            raise ValueError(f"a turn by {deg[1]:g} degrees is a smaller one the other way round; end at 180 or below")
        return deg


class BrokenRecipe(Section):
    """Boolean subtraction of a roughened sphere or box."""

    removed: Range = (0.10, 0.90)
    """Accepted share of the part's solidified volume."""
    aimed: Range = (0.18, 0.70)
    """Share of the surface that a proposal aims to remove."""
    box_share: Fraction = 0.5
    """Share of the cutters that are boxes; the others are spheres."""
    roughness: Range = (0.04, 0.12)
    """Amplitude of the cutter's surface noise, relative to its size."""
    box_is_union: bool = False
    """true: 2d_bbox holds both masks; false: the new mask alone."""


class SwappedRecipe(Section):
    """The same salient part of another shape of the split."""

    min_distance: Positive = 0.02
    """Least symmetric surface distance (95th percentile) between the part and its donor, as a share of D."""
    extent_ratio: Range = (0.5, 2.0)
    """Extents of the donor part over those of the part it replaces; it is scaled to lie between."""
    variants: Annotated[dict[str, tuple[str, ...]], LATER] = Field(default_factory=dict)
    """Part name or pattern -> mesh files of wrong variants, put in unscaled in place of another shape's part. Files are
    in the axes and the unit of the assembly's."""
    seat: Annotated[Literal["drawn", "centre", "top", "bottom"], LATER] = "centre"
    """Where a variant goes: as its file has it, or with the middle, top or bottom of its box where the part's is."""


class MissingRecipe(Section):
    """Removal of a part."""

    min_area: Fraction = 0.005
    """Least share of the shape's surface that the part has."""
    min_remaining: Fraction = 0.5
    """Least share of the visible surface that remains, in every view."""


class FractureRecipe(Section):
    """Fracture and crack: noisy cuts by manifold3d."""

    removed: Range = (0.10, 0.90)
    """Accepted share of the object's volume that breaks off (section A.1)."""
    aimed: Range = (0.15, 0.45)
    """Share that a proposal aims at."""
    cells: tuple[int, int] = (1, 3)
    """Cut faces of the broken-off cell: 1 is a plane, more chip a corner or an edge."""
    roughness: Range = (0.008, 0.03)
    """Amplitude of the cut face's noise over D."""
    gap: Range = (0.006, 0.018)
    """Crack: how far the piece moves off along the cut, over D."""
    turn_deg: Range = (2.0, 8.0)
    """Crack: how far it turns, in degrees."""


class LocalRecipe(Section):
    """A local defect of a part's surface, in true millimetres; sizes are uniform in the logarithm."""

    depth_mm: Span
    """How far the surface is pushed, at most: into the part, of a burr out of it."""
    length_mm: Span
    """How long the defect is along the surface."""
    width_mm: Span
    """How wide it is across."""


SCRATCH = LocalRecipe(depth_mm=(0.1, 0.5), length_mm=(5.0, 20.0), width_mm=(0.4, 1.2))
DENT = LocalRecipe(depth_mm=(0.3, 2.0), length_mm=(3.0, 12.0), width_mm=(3.0, 12.0))
BURR = LocalRecipe(depth_mm=(0.3, 1.5), length_mm=(2.0, 10.0), width_mm=(0.4, 1.2))


class DeformRecipe(Section):
    """Bump, bend, twist and free deformation, magnitudes over D or in degrees."""

    bump: Range = (0.05, 0.12)
    """Height of the bump, over D."""
    bump_width: Range = (0.07, 0.16)
    """Standard deviation of the bump, over D."""
    angle_deg: Range = (30.0, 40.0)
    """Total bend or twist in degrees, as published."""
    free: Range = (0.05, 0.12)
    """Free deformation: how far the nodes of a coarse lattice move, over D."""
    min_distance: Positive = 0.006
    """Mean distance over D of the changed surface from the old one: below, nothing has changed (a sphere twisted)."""


class MoveRecipe(Section):
    """Translation and rotation of one part."""

    distance: Range = (0.04, 0.14)
    """Length of the shift, over D."""
    angle_deg: Range = (15.0, 40.0)
    """Angle of the turn, in degrees."""
    loose: Positive = 0.012
    """A gap over D between the part and the rest beyond which it has come loose."""
    area: Range = (0.005, 0.5)
    """Share of the surface that a part may have to be moved, turned or removed."""
    min_distance: Positive = 0.008
    """Mean distance over D of the moved part's surface from its old place: below, nothing has changed."""


class MaterialRecipe(Section):
    """Material mismatch: one part in another material."""

    contrast: Positive = 25.0
    """Least CIE 1976 distance between the mean colours of the old and the new material."""
    area: Range = (0.02, 0.6)
    """Share of the surface that the part may have."""


class SimilarRecipe(Section):
    """Another shape of the split that looks nearly the same (section A.1)."""

    pool: Annotated[int, Field(ge=1)] = 48
    """Shapes of the split, by hash, whose descriptors are compared; the nearest are tried."""
    nearest: Annotated[int, Field(ge=1)] = 8
    """How many of the nearest are tried."""
    weights: str = ""
    """Path of DINOv2 weights (torch hub's layout) whose features tell what is near; empty: our geometric descriptor."""
    chamfer: Range = (0.004, 0.03)
    """Mean symmetric surface distance over D: below, it is the same shape; above, not similar."""


class OperatorSections(Section):
    """The part of a dataset's recipe that holds the settings of its operators."""

    sections: ClassVar[Mapping[str, str]] = {}
    """Kind of anomaly -> the key of its settings."""
    more: Annotated[dict[str, dict[str, Any]], LATER] = Field(default_factory=dict)
    """Settings of operators of other packages, by the name of the operator."""

    @classmethod
    def known_kinds(cls) -> tuple[str, ...]:
        """Kinds that a recipe may name: those with settings here, and the operators of other packages."""
        return (*cls.sections, *sorted(point.name for point in entry_points(group=OPERATORS_GROUP)))

    def settings(self, kind: str) -> Section | dict[str, Any]:
        """The settings of a kind: its section, or plain data for an operator of another package."""
        if kind in self.sections:
            section: Section = getattr(self, self.sections[kind])
            return section
        return self.more.get(kind, {})

    def refuse_unknown(self, names: Any) -> None:
        """Raises ValueError for a word that is no kind of anomaly of this dataset, or has its settings elsewhere."""
        known = self.known_kinds()
        for name in (*names, *self.more):
            if name not in known:
                raise ValueError(
                    f"unknown anomaly kind '{name}'; the kinds are {', '.join(sorted(known))}; an operator of another "
                    "package has to be installed"
                )
        for name in self.more:
            if name in self.sections:
                raise ValueError(f"settings of {name} stand under anomaly.{self.sections[name]}, not anomaly.more")
