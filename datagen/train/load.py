"""A trained network from a run's folder, a checkpoint of ours, or another program's file."""

from collections.abc import Sequence
from pathlib import Path

import torch

from datagen.train.checkpoint import checkpoint_of, other_network, read_checkpoint
from datagen.train.config import UNNAMED_TASK
from datagen.train.errors import BadCheckpoint
from datagen.train.recipes import apply_overrides
from datagen.train.task import Loaded
from datagen.train.tasks.registry import find_task


def load_network(path: Path, device: torch.device, overrides: Sequence[str] = ()) -> Loaded:
    """Raises BadCheckpoint naming the file, UsageError for a task that is not installed.

    A checkpoint's recipe says its task. A .pt or .pth file names none and is read as the published network.
    """
    if path.suffix in (".pt", ".pth"):
        return _load_published(path, device, overrides)
    file = checkpoint_of(path)
    found = read_checkpoint(file)
    recipe = apply_overrides(found.recipe, overrides)
    task = find_task(recipe.task)
    objective = task.make_objective(recipe)
    try:
        objective.model.load_state_dict(found.network())
    except RuntimeError as error:
        why = other_network(found.recipe, recipe, error)
        raise BadCheckpoint(f"{file}: {why}; leave model.* out of --set, or give another run") from error
    threshold = found.progress.threshold
    return Loaded(task, objective.to(device).eval(), recipe, threshold, str(file), overrides=tuple(overrides))


def _load_published(path: Path, device: torch.device, overrides: Sequence[str]) -> Loaded:
    task = find_task(UNNAMED_TASK)
    if task.read_published is None:
        raise BadCheckpoint(f"{path}: task {task.name} reads no file of this kind")
    objective, recipe = task.read_published(path, overrides)
    return Loaded(task, objective.to(device).eval(), recipe, 0.5, str(path), overrides=tuple(overrides))
