"""What all recipes are made of: frozen sections, numbers with bounds, and what every dataset's recipe says."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
Range = tuple[float, float]


class Section(BaseModel):
    """A frozen mapping that refuses unknown keys. The text below a field is its description in docs/reference."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class DatasetRecipe(Section):
    """A whole dataset; `kind` names what kind of dataset it is."""

    name: str
    """The dataset's name, on its card."""
    kind: str
    """What kind of dataset the recipe makes."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Every random draw starts from it. `--seed` replaces it."""
