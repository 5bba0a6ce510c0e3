"""The recipe's section on materials: which classes a part may be made of, and how they are laid on."""

from collections.abc import Collection, Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from datagen.core.material import MATERIAL_CLASSES
from datagen.recipe.categories import DEFAULT, built_in
from datagen.recipe.category import Category
from datagen.recipe.roles import Weights, check_weights
from datagen.recipe.section import LATER, Section

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
