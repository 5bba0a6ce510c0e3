"""Find and read a recipe: YAML with size and alias caps, `--set` overrides, pydantic validation."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from datagen.core.errors import RecipeError
from datagen.core.folders import bundled
from datagen.core.ids import content_hash
from datagen.recipe.section import DatasetRecipe, recipe_data

Models = Mapping[str, type[DatasetRecipe]]
"""`kind` of a recipe -> its model."""
DEFAULT_KIND = "brokenchairs"
"""What a recipe is that names no kind."""
MAX_BYTES = 1_000_000
MAX_ALIASES = 50


def find_recipe(name: str | None) -> Path | None:
    """A path as given, or a built-in recipe by name. Raises RecipeError listing the built-in ones."""
    if name is None:
        return None
    path = Path(name)
    if path.is_file():
        return path
    built_in = bundled("recipes") / f"{path.stem}.yaml"
    if built_in.is_file() and path.parent in (Path(), Path("recipes")):
        return built_in
    have = sorted(p.stem for p in bundled("recipes").glob("*.yaml"))
    raise RecipeError(f"{name} is neither a file nor a built-in recipe ({', '.join(have)})")


def read_yaml(path: Path, given_by: str = "--recipe") -> dict[str, Any]:
    """The mapping a recipe file holds, or a file beside it. Raises RecipeError for what cannot be read or is none;
    `given_by` is what a user has to look at then."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise RecipeError(f"{path} cannot be read ({error.strerror}); check {given_by}") from error
    if len(text) > MAX_BYTES:
        raise RecipeError(f"{path} is larger than {MAX_BYTES} bytes; that is no recipe")
    try:
        if sum(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)) > MAX_ALIASES:
            raise RecipeError(f"{path} uses more than {MAX_ALIASES} aliases; write the values out")
        data = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        first = " ".join(str(error).split())
        raise RecipeError(f"{path} is no YAML: {first}") from error
    if not isinstance(data, dict):
        raise RecipeError(f"{path} holds no mapping at its top level")
    return data


def override(data: dict[str, Any], assignment: str) -> None:
    """Set `section.key=value` in plain data, the value read as YAML. Raises RecipeError."""
    key, separator, text = assignment.partition("=")
    if not separator or not key:
        raise RecipeError(f"--set {assignment}: write it as section.key=value")
    *parents, leaf = key.split(".")
    node = data
    for parent in parents:
        node = node.setdefault(parent, {})
        if not isinstance(node, dict):
            raise RecipeError(f"--set {assignment}: '{parent}' is a value, not a section")
    node[leaf] = yaml.safe_load(text)


def parse_recipe(data: dict[str, Any], origin: str, models: Models) -> DatasetRecipe:
    """Validate plain data by its `kind`. Raises RecipeError naming every wrong key on one line."""
    kind = data.get("kind", DEFAULT_KIND)
    if not isinstance(kind, str) or kind not in models:
        raise RecipeError(f"{origin}: kind is {kind!r}; the kinds of recipe are {', '.join(sorted(models))}")
    try:
        return models[kind].model_validate(data)
    except ValidationError as error:
        wrong = describe_errors(error, models[kind])
        raise RecipeError(f"{origin}: {wrong}; see docs/reference/recipes.md") from error


def describe_errors(error: ValidationError, model: type[BaseModel], whole: str = "recipe") -> str:
    """Every wrong key and why, on one line; an unknown key with the nearest that there is. Entries of one list that are
    wrong alike are counted, and `whole` stands for the key of what is wrong with all of it."""
    alike: dict[tuple[tuple[int | str, ...], str], list[ErrorDetails]] = {}
    for item in error.errors():
        place = item["loc"][:-1] if item["loc"] and isinstance(item["loc"][-1], int) else item["loc"]
        alike.setdefault((place, item["type"]), []).append(item)
    return "; ".join(
        f"{'.'.join(map(str, first['loc'])) or whole}{f' (and {len(others)} more)' if others else ''}: "
        + (_unknown(first["loc"], model) if first["type"] == "extra_forbidden" else _reason(first))
        for first, *others in alike.values()
    )


def _reason(item: ErrorDetails) -> str:
    if item["type"] in ("tuple_type", "list_type"):
        value = item["input"]
        return f"a list is wanted; write [{value}]" if isinstance(value, str | int | float) else "a list is wanted"
    if item["type"] == "string_type" and isinstance(item["input"], int | float):
        return f'a text is wanted; write "{item["input"]}" in quotes'
    if item["type"] == "too_short" and not item["input"]:
        return "it is empty; give at least one entry, or leave the key out"
    return item["msg"].removeprefix("Value error, ")


def _unknown(place: tuple[int | str, ...], model: type[BaseModel]) -> str:
    """`place` is where the key stands: sections, then the key."""
    section: Any = model
    for name in place[:-1]:
        field = section.model_fields.get(name)
        section = field and field.annotation
        if not (isinstance(section, type) and issubclass(section, BaseModel)):
            return "unknown key"
    near = get_close_matches(str(place[-1]), section.model_fields, n=1)
    return f"unknown key, did you mean {near[0]}?" if near else "unknown key"


def load_recipe(
    path: Path | None, models: Models, overrides: Sequence[str] = (), seed: int | None = None
) -> DatasetRecipe:
    """The recipe at `path` (defaults if None) with `--set` overrides and the command's seed."""
    data = read_yaml(path) if path else {}
    for assignment in overrides:
        override(data, assignment)
    if seed is not None:
        data["seed"] = seed
    return parse_recipe(data, str(path or "recipe"), models)


def recipe_hash(recipe: DatasetRecipe) -> str:
    """Digest of every value, defaults included."""
    return content_hash(recipe_data(recipe))
