"""What lies behind the part: a white ground, a colour, photographs, or a floor."""

from typing import Annotated

from pydantic import Field, model_validator

from datagen.recipe.section import Positive, Section


class BackgroundRecipe(Section):
    """White where nothing is said, else one of a colour, photographs and a floor."""

    colour: Annotated[str | None, Field(pattern="^#[0-9a-fA-F]{6}$")] = None
    """A plain ground, `"#rrggbb"`, with the part's shadow."""
    photos: Annotated[str | None, Field(min_length=1)] = None
    """A folder of photographs: a square out of one of them lies behind the part, with its shadow."""
    floor: Annotated[str | None, Field(min_length=1)] = None
    """A floor of PBR maps on which the part stands: `procedural`, one of the built-in floors by name, or a folder."""
    tile_mm: Positive | None = None
    """Edge of a floor's texture; else what its library says, in true size."""

    @model_validator(mode="after")
    def _one(self) -> "BackgroundRecipe":
        if sum(told is not None for told in (self.colour, self.photos, self.floor)) > 1:
            raise ValueError("tell one of colour, photos and floor")
        if self.tile_mm is not None and self.floor is None:
            raise ValueError("tile_mm belongs to floor")
        return self

    @property
    def is_white(self) -> bool:
        """Whether nothing else is asked for."""
        return self.colour is None and self.photos is None and self.floor is None


def read_background(value: object) -> object:
    """The word `white` as a section. Raises ValueError for another word."""
    if isinstance(value, str):
        if value != "white":
            raise ValueError('write white, {colour: "#rrggbb"}, {photos: FOLDER} or {floor: MATERIAL}')
        return {}
    return value
