"""What the roles of a category are: parts that wear one material, what they follow, what thick ones are made of."""

from collections.abc import Mapping
from typing import Literal

from pydantic import field_validator, model_validator

from datagen.core.material import MATERIAL_CLASSES
from datagen.recipe.section import Positive, Section

Weights = Mapping[str, float]
Share = float | Literal["share_frame", "share_arm", "share_arm_seat", "share_back_seat", "one_piece"]
"""A probability, or the key of the recipe's `materials` that says it."""


class Follow(Section):
    """One role wears what another wears."""

    role: str
    """The role that is followed."""
    share: Share
    """How often."""
    same_class: bool = False
    """Only where both are drawn from one material class."""
    draw: str = ""
    """Tells this draw from another of the same role."""

    @field_validator("share")
    @classmethod
    def _probable(cls, share: Share) -> Share:
        if not isinstance(share, str) and not 0 <= share <= 1:
            raise ValueError(f"{share:g} is no probability; give a share from 0 to 1")
        return share


class Role(Section):
    """Parts that wear one material: a part class, or a row told by `role_rules`."""

    role: str
    """The name: of a part class, or of a rule."""
    weights: Weights
    """Material class -> weight."""
    touches: tuple[str, ...] = ()
    """Roles named before this one that its material has to stand out from."""
    follows: tuple[Follow, ...] = ()
    """Roles whose material it may take instead; the first that is drawn decides."""

    @field_validator("weights")
    @classmethod
    def _known(cls, weights: Weights) -> Weights:
        check_weights("a role", weights)
        return weights


class RoleRule(Section):
    """Parts whose label or name has one of some words follow a role of their own."""

    role: str
    """The role that they follow."""
    words: tuple[str, ...]
    """Any of these stands in label or name."""
    without: tuple[str, ...] = ()
    """None of these does."""
    classes: tuple[str, ...] = ()
    """Only parts of these classes; empty: of any."""

    @field_validator("words", "without")
    @classmethod
    def _no_empty_word(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if not all(word.strip() for word in words):
            raise ValueError("an empty word stands in every name; take it out")
        return words


class Thickness(Section):
    """A role whose parts are thick or thin is made of some material classes alone."""

    role: str
    """The role, and the part class that is measured."""
    above: Positive | None = None
    """Where the least extent of its thickest part is above this, in object units (bounding sphere 1)."""
    below: Positive | None = None
    """Where it is below this."""
    only: tuple[str, ...]
    """The material classes that are left."""

    @model_validator(mode="after")
    def _says_something(self) -> "Thickness":
        if self.above is None and self.below is None:
            raise ValueError(f"thickness of {self.role} has no bound; give it `above` or `below`")
        if not self.only or set(self.only) - set(MATERIAL_CLASSES):
            raise ValueError(f"thickness of {self.role}: `only` has to name some of {', '.join(MATERIAL_CLASSES)}")
        return self


def check_weights(name: str, weights: Weights) -> None:
    """Raises ValueError for weights of material classes that name an unknown one, are negative or all 0."""
    unknown = set(weights) - set(MATERIAL_CLASSES)
    if unknown or any(w < 0 for w in weights.values()) or sum(weights.values()) <= 0:
        raise ValueError(f"weights of {name} must be >= 0, not all 0, and name {', '.join(MATERIAL_CLASSES)}")
