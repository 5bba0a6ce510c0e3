"""The category files: those that come with the program, one of a user's own, and which of them a shape is of."""

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from datagen.core.errors import RecipeError
from datagen.recipe.category import Category
from datagen.recipe.loader import MAX_ALIASES

FOLDER = Path(__file__).parents[1] / "shapes" / "categories"
"""Where the built-in files lie: data of the sources of shapes, which recipes take defaults from."""
MAX_BYTES = 200_000
FAST: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Every command reads the file of chairs: the fast loader where PyYAML has it."""


class _Loader(FAST):
    """Refuses a key that stands twice in one mapping: YAML's own loaders take the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for k, key in enumerate(keys):
            if key in keys[:k]:
                line = node.start_mark.line + 1
                raise yaml.YAMLError(f"the key {key} stands twice in the mapping of line {line}; take one out")
        found: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return found


def read_category(path: Path) -> Category:
    """The category that a file describes. Raises RecipeError naming the file and every wrong key."""
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise RecipeError(f"{path} is larger than {MAX_BYTES} bytes; that is no category file")
        if path.parent != FOLDER and sum(isinstance(t, yaml.AliasToken) for t in yaml.scan(data)) > MAX_ALIASES:
            raise RecipeError(f"{path} uses more than {MAX_ALIASES} aliases; write the values out")
        category = Category.model_validate(yaml.load(data, Loader=_Loader))
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
    if path.parent != FOLDER and category.name in built_in_names():
        raise RecipeError(
            f"{path}: name: {category.name} is the name of a built-in category; give yours another, and "
            f"`also: [{category.name}]` where it is to stand in for that one; see docs/extending/category.md"
        )
    return category


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
