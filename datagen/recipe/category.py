"""What a category of shapes is: part classes, labels, what its parts are made of, which of them get anomalies.

A category is a file of data, `datagen/shapes/categories/<name>.yaml` or one of a user's own. Sources of shapes read
its labels, material assignment its roles, kinds of dataset its weights.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from pydantic import Field, field_validator, model_validator

from datagen.core.material import MATERIAL_CLASSES
from datagen.recipe.part_rules import Front, Geometry, Upright
from datagen.recipe.section import Positive, Section

Weights = Mapping[str, float]
Share = float | Literal["share_frame", "share_arm", "share_arm_seat", "share_back_seat", "one_piece"]
"""A probability, or the key of the recipe's `materials` that says it."""


class Words(Section):
    """How documents speak of the category."""

    one: str
    """A single shape: `chair`."""
    many: str
    """Several: `chairs`."""


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


class Category(Section):
    """A category of shapes. Every class and role that is named has to be listed."""

    name: str
    """Lower case letters, digits and `_`."""
    words: Words
    """How documents speak of it."""
    also: tuple[str, ...] = ()
    """Other names of it in files, such as `Desk`."""
    root: str = ""
    """First word of its semantic paths; '' is the name."""
    called: tuple[str, ...] = ()
    """Words in names of unlabelled shapes that tell the category."""
    classes: tuple[str, ...]
    """Part classes. `Other` has to be among them."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Semantic path -> class."""
    under: dict[str, str] = Field(default_factory=dict)
    """Semantic path -> class of all that lies below it and is no label."""
    names: dict[str, str] = Field(default_factory=dict)
    """Last word, or last words, of a path that is no label -> class; the longest counts."""
    name_rules: tuple[tuple[str, str], ...] = ()
    """(regular expression, class) for names of unlabelled parts, digits and case ignored; the first match counts."""
    part_words: tuple[str, ...] = ()
    """More regular expressions that tell a file's name as that of a part, of no class."""
    geometry: Geometry | None = None
    """Classes of parts whose names say nothing; None: Other."""
    upright: Upright | None = None
    """Which way is up where files leave it open; None: by their format."""
    front: Front | None = None
    """Which way is front where files leave it open; None: nothing turns."""
    frequency: Weights = Field(default_factory=dict)
    """Class -> weight in drawing the part of an anomaly. {}: every class alike."""
    liable: dict[str, Weights] = Field(default_factory=dict)
    """Kind of anomaly -> class -> factor on `frequency`; 0 where it makes no sense."""
    weights: dict[str, Weights] = Field(default_factory=dict)
    """Kind of anomaly -> class -> weight, in place of frequency and factor."""
    roles: tuple[Role, ...]
    """What parts are made of, in the order in which roles are drawn. `Other` has to be among them."""
    role_rules: tuple[RoleRule, ...] = ()
    """Parts that follow a role that is not their class; the first match counts."""
    ties: tuple[str, ...] = ()
    """The role of a group of which as many parts follow one role as another; empty: in the order of `roles`."""
    thickness: tuple[Thickness, ...] = ()
    """Roles that are made of some materials alone where their parts are thick or thin."""
    opaque: tuple[str, ...] = ()
    """Roles that are of glass in the world and are rendered opaque; the card says so."""

    @field_validator("name")
    @classmethod
    def _plain(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise ValueError(f"{name!r} has to be lower-case letters, digits and _")
        return name

    @model_validator(mode="after")
    def _consistent(self) -> "Category":
        _require(("Other",), self.classes, "classes")
        _require(_classes_named(self), self.classes, "classes")
        _require(("Other", *_roles_named(self)), tuple(self.rows), "roles")
        for k, role in enumerate(self.roles):
            earlier = [other.role for other in self.roles[:k]]
            _require((*role.touches, *(follow.role for follow in role.follows)), earlier, f"roles before {role.role}")
        for table in (self.frequency, *self.liable.values(), *self.weights.values()):
            if any(weight < 0 for weight in table.values()):
                raise ValueError("weights have to be 0 or more")
        for pattern in (*(pattern for pattern, _ in self.name_rules), *self.part_words):
            re.compile(pattern)
        return self

    @property
    def first_word(self) -> str:
        """The word that its semantic paths begin with."""
        return self.root or self.name

    @property
    def rows(self) -> Mapping[str, Weights]:
        """Role -> weights of the material classes, in the order of drawing."""
        return {role.role: role.weights for role in self.roles}

    def chances(self, kind: str) -> Mapping[str, float]:
        """Class -> weight in drawing the part of an anomaly of this kind; {} where every class is alike."""
        if kind in self.weights:
            return self.weights[kind]
        factors = self.liable.get(kind, {})
        return {name: weight * factors.get(name, 1.0) for name, weight in self.frequency.items()}


def _require(names: Iterable[str], known: Sequence[str], what: str) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} is none of the {what}: {', '.join(known)}")


def _classes_named(category: Category) -> Iterator[str]:
    for table in (category.labels, category.under, category.names):
        yield from table.values()
    yield from (part_class for _, part_class in category.name_rules)
    for weights in (category.frequency, *category.liable.values(), *category.weights.values()):
        yield from weights
    geometry, front, upright = category.geometry, category.front, category.upright
    if geometry is not None:
        rules = (*geometry.rules, *geometry.single)
        yield from (geometry.anchor, *(rule.part_class for rule in rules), *(r.among for r in rules if r.among))
    yield from () if front is None else (*front.back, front.middle)
    yield from () if upright is None else (upright.above, upright.below)
    for rule in category.role_rules:
        yield from rule.classes


def _roles_named(category: Category) -> Iterator[str]:
    yield from (rule.role for rule in category.role_rules)
    yield from (rule.role for rule in category.thickness)
    yield from category.ties
    yield from category.opaque


def check_weights(name: str, weights: Weights) -> None:
    """Raises ValueError for weights of material classes that name an unknown one, are negative or all 0."""
    unknown = set(weights) - set(MATERIAL_CLASSES)
    if unknown or any(w < 0 for w in weights.values()) or sum(weights.values()) <= 0:
        raise ValueError(f"weights of {name} must be >= 0, not all 0, and name {', '.join(MATERIAL_CLASSES)}")
