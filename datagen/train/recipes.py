"""Find and read recipes/train/*.yaml: the same caps, overrides and messages as build recipes."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from datagen.core.bundled import bundled
from datagen.core.errors import RecipeError
from datagen.recipe.loader import describe_errors, override, read_yaml
from datagen.train.config import TrainRecipe

RECIPE_OF_MODEL = {"retrieval": "retrieval_lfd"}
"""Built-in recipes that are not named as their model."""


def load_train_recipe(
    name: str | None, model: str | None = None, overrides: Sequence[str] = (), seed: int | None = None
) -> TrainRecipe:
    """A recipe by path or built-in name; without one, the built-in recipe named as the model (`cmt`).

    Raises RecipeError naming every wrong key.
    """
    path = _find(name or RECIPE_OF_MODEL.get(model or "", model) or "cmt")
    data = read_yaml(path)
    if name and model:
        data.setdefault("model", {})["name"] = model
    for assignment in overrides:
        override(data, assignment)
    if seed is not None:
        data["seed"] = seed
    return parse_train_recipe(data, str(path))


def parse_train_recipe(data: dict, origin: str) -> TrainRecipe:
    """Validate plain data. Raises RecipeError."""
    try:
        return TrainRecipe.model_validate(data)
    except ValidationError as error:
        wrong = describe_errors(error, TrainRecipe)
        raise RecipeError(f"{origin}: {wrong}; the keys are in docs/train.md") from error


def _find(name: str) -> Path:
    path = Path(name)
    if path.is_file():
        return path
    folder = bundled("recipes") / "train"
    built_in = folder / f"{path.stem}.yaml"
    if built_in.is_file() and path.parent in (Path(), Path("recipes/train")):
        return built_in
    have = sorted(p.stem for p in folder.glob("*.yaml"))
    raise RecipeError(f"{name} is neither a file nor a built-in training recipe ({', '.join(have)})")


def apply_overrides(recipe: TrainRecipe, overrides: Sequence[str]) -> TrainRecipe:
    """The recipe with `--set section.key=value` applied. Raises RecipeError."""
    data = recipe.model_dump(mode="json")
    for assignment in overrides:
        override(data, assignment)
    return parse_train_recipe(data, "--set")
