"""What a category of shapes is: part classes, labels, what its parts are made of, which of them get anomalies.

A category is a file of data, `datagen/shapes/categories/<name>.yaml` or one of a user's own. Sources of shapes read
its labels, material assignment its roles, kinds of dataset its weights.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from datagen.core.errors import RecipeError
from datagen.core.material import MATERIAL_CLASSES
from datagen.recipe.section import Positive, Section

FOLDER = Path(__file__).parents[1] / "shapes" / "categories"
"""Where the built-in files lie: data of the sources of shapes, which recipes take defaults from."""
MAX_BYTES = 200_000
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


class BoxRule(Section):
    """Bounds on a part's box, as shares of the shape's box; heights go from 0 to 1. What is not given does not count.

    Thin is the narrower horizontal side over the shape's wider one, broad the wider side over it, flat the height over
    the part's narrower side.
    """

    part_class: str
    """The class of a part within the bounds."""
    among: str = ""
    """Only parts that have this class by now; '' for any."""
    low_above: float | None = None
    """Its lower end lies above this."""
    low_below: float | None = None
    """Its lower end lies below this."""
    high_above: float | None = None
    """Its upper end lies above this."""
    tall_above: float | None = None
    """Its height."""
    thin_below: float | None = None
    """Its narrower side."""
    broad_above: float | None = None
    """Its wider side."""
    flat_below: float | None = None
    """Its height over its narrower side."""
    over_anchor: float | None = None
    """Its lower end lies above the anchor's middle plus this."""
    reaches_over_anchor: float | None = None
    """Its upper end lies above the anchor's middle plus this."""


class AnchorRule(Section):
    """The part that others are told by: the broadest one within the bounds, or the next of `anchors`."""

    flat: Positive | None = None
    """Its height is less than this many times its narrower side."""
    low: float
    """Its lower end lies above this share of the height."""
    footprint: float
    """It covers at least this share of the shape's footprint."""
    prefer_high: float = 0.0
    """How much being at the top counts beside being broad."""


class Geometry(Section):
    """Classes of unlabelled parts by where they stand."""

    anchor: str
    """The class of the part that others are told by; a shape without such a part has class Other throughout."""
    anchors: tuple[AnchorRule, ...]
    """How to find it; the first that finds one counts."""
    rules: tuple[BoxRule, ...] = ()
    """The first that a part is within tells its class."""
    single: tuple[BoxRule, ...] = ()
    """Rules that count where exactly one part is within."""


class Upright(Section):
    """Which way is up, by the classes of named parts."""

    above: str
    """This class lies above the other."""
    below: str
    """Two or more parts of it are asked for."""


class Front(Section):
    """Which way is front, by part classes: away from `back`, seen from `middle`."""

    back: tuple[str, ...]
    """Classes that lie behind."""
    middle: str
    """The class that they lie behind of."""


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


def read_category(path: Path) -> Category:
    """The category that a file describes. Raises RecipeError naming the file and every wrong key."""
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise RecipeError(f"{path} is larger than {MAX_BYTES} bytes; that is no category file")
        return Category.model_validate(yaml.load(data, Loader=yaml.CSafeLoader))
    except OSError as error:
        raise RecipeError(f"{path} cannot be read ({error.strerror}); check the recipe's category") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        )
        raise RecipeError(f"{path}: {wrong}; see docs/extending/category.md") from error


@cache
def built_in(name: str) -> Category:
    """A category that comes with the program, by its name. Raises RecipeError."""
    return read_category(FOLDER / f"{name}.yaml")


@cache
def built_in_names() -> tuple[str, ...]:
    """Names of the categories that come with the program, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


@cache
def _known() -> Mapping[str, str]:
    """Every name by which files call a built-in category -> its own."""
    return {_key(word): name for name in built_in_names() for word in (name, *built_in(name).also)}


def _key(word: str) -> str:
    """A category's name as it is compared: `Storage Furniture` is storagefurniture."""
    return re.sub(r"[^a-z0-9]", "", word.lower())


DEFAULT, OTHER = "chair", "other"
"""The category of shapes that say nothing, and the one of those that say what no file describes."""
UNTOLD = ("", "object")
"""What files call a shape whose category they do not know."""


@dataclass(frozen=True)
class Categories:
    """The categories that shapes may be of: the built-in ones, and `own` before them."""

    own: Category | None = None

    def of(self, word: str) -> Category:
        """The category that files call by this word; a word of none gives `other`, of which every part is Other.

        Shapes that say nothing are of `own`, or chairs where a recipe names none.
        """
        key = _key(word)
        if self.own is not None and (key in UNTOLD or key in map(_key, (self.own.name, *self.own.also))):
            return self.own
        if key in UNTOLD:
            return built_in(DEFAULT)
        return built_in(_known().get(key, OTHER))
