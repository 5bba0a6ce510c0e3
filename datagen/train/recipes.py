"""Find and read recipes/train/*.yaml: the same caps, overrides and messages as build recipes."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from datagen.core.errors import RecipeError, UsageError
from datagen.core.folders import bundled
from datagen.recipe.loader import describe_errors, override, read_yaml
from datagen.train.config import UNNAMED_TASK, TrainRecipe
from datagen.train.tasks.registry import find_task


def load_train_recipe(
    name: str | None,
    model: str | None = None,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    task: str = UNNAMED_TASK,
) -> Any:
    """A recipe by path or built-in name; without one, that of the model, else the task's own, else its defaults.

    The recipe names its task; where it names none it is one of `task`. Raises RecipeError naming every wrong key,
    UsageError for a task that is not there.
    """
    given: dict[str, Any] = {}
    for assignment in overrides:
        override(given, assignment)
    built_in = name or find_task(str(given.get("task", task))).recipes.get(model or "")
    path = _find(built_in) if built_in else None
    data: dict[str, Any] = {"task": task, **(read_yaml(path) if path else {})}
    if model:
        data.setdefault("model", {})["name"] = model
    origin = str(path or "recipe")
    changed = deepcopy(data)
    for assignment in overrides:
        override(changed, assignment)
    if seed is not None:
        changed["seed"] = seed
    try:
        return parse_train_recipe(changed, origin)
    except RecipeError:
        if overrides and _is_valid(data, origin):
            # What is wrong was not wrong in the file.
            parse_train_recipe(changed, f"--set {' --set '.join(overrides)}")
        raise


def _is_valid(data: dict[str, Any], origin: str) -> bool:
    try:
        parse_train_recipe(data, origin)
    except RecipeError:
        return False
    return True


def parse_train_recipe(data: dict[str, Any], origin: str) -> Any:
    """Validate plain data as its task's recipe. Raises RecipeError, also for a task that is not there."""
    try:
        task = find_task(str(data.get("task", UNNAMED_TASK)))
    except UsageError as error:
        raise RecipeError(f"{origin}: {error.args[0]}") from error
    try:
        return task.recipe.model_validate(data)
    except ValidationError as error:
        wrong = describe_errors(error, task.recipe)
        raise RecipeError(f"{origin}: {wrong}; the keys are in {task.guide}") from error


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


def apply_overrides(recipe: TrainRecipe, overrides: Sequence[str]) -> Any:
    """The recipe with `--set section.key=value` applied. Raises RecipeError."""
    data = recipe.model_dump(mode="json")
    for assignment in overrides:
        override(data, assignment)
    return parse_train_recipe(data, "--set")
