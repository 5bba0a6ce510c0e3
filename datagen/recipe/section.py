"""What all recipes are made of: frozen sections, numbers with bounds, and what every dataset's recipe says."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]
Range = tuple[float, float]


def _ascending(span: Range) -> Range:
    if not 0 < span[0] <= span[1]:
        raise ValueError(f"{list(span)} is no span: write [least, most], both above 0")
    return span


Span = Annotated[Range, AfterValidator(_ascending)]
"""A range above 0, the least first."""
LATER = Field(json_schema_extra={"later": True})
"""Marks a key that datasets built before it do not know: at its default it is left out of run.json and of ids."""


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


def recipe_data(section: Section) -> dict[str, Any]:
    """A recipe as plain JSON: what run.json holds and ids are made of. Keys marked LATER stand in it where set."""
    found = section.model_dump(mode="json")
    for name, field in type(section).model_fields.items():
        value, extra = getattr(section, name), field.json_schema_extra
        if isinstance(extra, dict) and extra.get("later") and value == field.get_default(call_default_factory=True):
            del found[name]
        elif isinstance(value, Section):
            found[name] = recipe_data(value)
    return found
