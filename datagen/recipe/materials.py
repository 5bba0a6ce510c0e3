"""The recipe's section on materials: which classes a part may be made of, and how they are laid on."""

from collections.abc import Collection, Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from datagen.core.material import MATERIAL_CLASSES
from datagen.recipe.categories import DEFAULT, built_in
from datagen.recipe.category import Category
from datagen.recipe.roles import Weights, check_weights
from datagen.recipe.section import LATER, Fraction, Positive, Section

DEFAULT_CLASSES = built_in(DEFAULT).rows
"""Rows of the category of shapes that say nothing; those of others stand in their files."""
Projection = Literal["box", "smart"]
DEFAULT_PROJECTION: Mapping[str, Projection] = {
    "wood": "box",
    "fabric": "box",
    "metal": "box",
    "leather": "smart",
    "plastic": "smart",
}


class PartLookRecipe(Section):
    """What a part is made of: image sets of a folder, or a colour with factors."""

    folder: Annotated[str | None, Field(min_length=1)] = None
    """A folder of PBR image sets (docs/inputs.md); of several sets one is drawn, with the other materials."""
    tile_mm: Positive | None = None
    """Edge of a set's texture on the part, in true millimetres."""
    colour: Annotated[str | None, Field(pattern="^#[0-9a-fA-F]{6}$")] = None
    """Base colour, `"#rrggbb"`."""
    metallic: Fraction = 0.0
    """1 is bare metal."""
    roughness: Fraction = 0.5
    """0 is a mirror."""

    @model_validator(mode="after")
    def _one(self) -> "PartLookRecipe":
        if (self.folder is None) == (self.colour is None):
            raise ValueError("tell one of folder and colour")
        factors = {"metallic", "roughness"} & self.model_fields_set
        if self.folder is not None and factors:
            raise ValueError(f"{min(factors)} belongs to colour; a folder's images say it")
        if self.tile_mm is not None and self.folder is None:
            raise ValueError("tile_mm belongs to folder")
        return self


def _part_look(value: object) -> object:
    """A folder's path as a section."""
    return {"folder": value} if isinstance(value, str) else value


class MaterialSettings(Section):
    """Which materials a chair wears. Shares are probabilities; colour distances are CIE 1976."""

    libraries: tuple[str, ...] = ("procedural",)
    """'procedural' for the built-in 400, or folders of image sets; several are joined."""
    classes: Mapping[str, Weights] = DEFAULT_CLASSES
    """Role (a part class, or a row such as Wheel) -> weight of each material class; rows not given keep their default.
    The defaults are those of chairs; a row that says else holds for every category that has the role."""
    projection: Mapping[str, Projection] = DEFAULT_PROJECTION
    """Material class -> UV projection: 'smart' is the paper's (section 3.2), 'box' keeps the grain."""
    keep: Annotated[bool, LATER] = False
    """Parts of PartNet-Mobility keep the textures that their files give them; parts without are dressed as others."""
    by_part: Annotated[dict[str, Annotated[PartLookRecipe, BeforeValidator(_part_look)]], LATER] = Field(
        default_factory=dict, json_schema_extra={"later": True}
    )
    """Part name or pattern (`screw_*`) -> a folder of PBR image sets, or `{colour, metallic, roughness}`, in place of
    what is drawn; the first pattern that a part fits counts."""
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
        for name, weights in rows.items():
            check_weights(name, weights)
        return {**DEFAULT_CLASSES, **rows}

    @field_validator("projection")
    @classmethod
    def _known(cls, rows: Mapping[str, Projection]) -> Mapping[str, Projection]:
        unknown = set(rows) - set(MATERIAL_CLASSES)
        if unknown:
            raise ValueError(f"{sorted(unknown)[0]!r} is no material class")
        return {**DEFAULT_PROJECTION, **rows}

    def rows_of(self, category: Category) -> Mapping[str, Weights]:
        """Role -> weights for a category: its own, and the rows that the recipe says else than the default."""
        own = {name: row for name, row in self.classes.items() if row != DEFAULT_CLASSES.get(name)}
        return {name: own.get(name, row) for name, row in category.rows.items()}

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Raises ValueError for a row that is no role of any category."""
        for name in self.classes:
            if name not in known:
                raise ValueError(f"{name!r} is no part class; known are {', '.join(sorted(known))}")
