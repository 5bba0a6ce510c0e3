"""What a category of shapes is: part classes, labels, what its parts are made of, which of them get anomalies.

A category is a file of data, `datagen/shapes/categories/<name>.yaml` or one of a user's own. Sources of shapes read
its labels, material assignment its roles, kinds of dataset its weights.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import Field, field_validator, model_validator

from datagen.recipe.part_rules import Front, Geometry, Upright
from datagen.recipe.roles import Role, RoleRule, Thickness, Weights
from datagen.recipe.section import Section


class Words(Section):
    """How documents speak of the category."""

    one: str
    """A single shape: `chair`."""
    many: str
    """Several: `chairs`."""


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
        _require_distinct(self.classes, "classes")
        _require_distinct([role.role for role in self.roles], "roles")
        _require(("Other",), self.classes, "classes")
        _require(_classes_named(self), self.classes, "classes")
        _require(("Other", *_roles_named(self)), tuple(self.rows), "roles")
        _require((rule.role for rule in self.thickness), self.classes, "classes")
        _require_order(self.roles)
        _require_used(self)
        _require(self.classes, tuple(self.rows), "roles; every class needs one")
        for key in ("frequency", "liable", "weights"):
            value = getattr(self, key)
            for table in (value,) if key == "frequency" else value.values():
                if any(weight < 0 for weight in table.values()):
                    raise ValueError(f"{key}: weights have to be 0 or more")
        if self.frequency and not any(self.frequency.values()):
            raise ValueError(
                "frequency: every weight is 0, so no part could get an anomaly; leave it out for all alike"
            )
        if self.liable and not self.frequency:
            raise ValueError("liable: its factors are on `frequency`, which is not given; list the classes there")
        for key, kinds in (("weights", self.weights), ("liable", self.liable)):
            for kind in kinds:
                if not any(self.chances(kind).values()):
                    raise ValueError(
                        f"{key}: every weight of {kind} is 0; leave {kind} out of the recipe's slots instead"
                    )
        for key, patterns in (("name_rules", [row[0] for row in self.name_rules]), ("part_words", self.part_words)):
            for pattern in patterns:
                _require_pattern(key, pattern)
        if not all(word.strip() for word in self.called):
            raise ValueError("called: an empty word stands in every name; take it out")
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


def _require_distinct(names: Sequence[str], what: str) -> None:
    for k, name in enumerate(names):
        twin = next((other for other in names[:k] if other.lower() == name.lower()), None)
        if twin is not None:
            raise ValueError(
                f"{what}: {name!r} stands there twice; take one out"
                if twin == name
                else f"{what}: {twin!r} and {name!r} differ in case alone; rename one of them"
            )


def _require_order(roles: Sequence[Role]) -> None:
    """Raises ValueError where a role touches or follows one that does not stand before it."""
    earlier: list[str] = []
    for role in roles:
        for name in (*role.touches, *(follow.role for follow in role.follows)):
            if name not in earlier:
                raise ValueError(
                    f"{name!r} is none of the roles before {role.role}: {', '.join(earlier) or 'it stands first'}; "
                    "roles touch and follow those listed before them, so that none follows in a ring"
                )
        earlier.append(role.role)


def _require_used(category: Category) -> None:
    """Raises ValueError for a role that no part can have, and that no role touches or follows."""
    used = {*category.classes, *(rule.role for rule in category.role_rules)}
    for role in category.roles:
        used |= {*role.touches, *(follow.role for follow in role.follows)}
    for name in category.rows:
        if name not in used:
            raise ValueError(
                f"the role {name!r} is none of the classes, and no other role and none of role_rules names it; "
                f"the classes are {', '.join(category.classes)}"
            )


def _require_pattern(key: str, pattern: str) -> None:
    """Raises ValueError for what is empty or no regular expression."""
    if not pattern.strip():
        raise ValueError(f"{key}: an empty pattern fits every name; take it out")
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{key}: {pattern!r} is no regular expression ({error}); mend it") from error


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
