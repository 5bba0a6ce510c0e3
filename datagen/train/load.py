"""A trained network from a run's folder, a checkpoint of ours, or the published `model.pt`."""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from datagen.models.published import PARTS, load_published
from datagen.train.checkpoint import checkpoint_of, read_checkpoint
from datagen.train.config import TrainRecipe
from datagen.train.errors import BadCheckpoint
from datagen.train.objective import Objective
from datagen.train.objectives import PublishedObjective, make_objective
from datagen.train.recipes import apply_overrides

PUBLISHED = TrainRecipe.model_validate({"name": "published", "model": {"variant": "published"}, "optim": {"batch": 2}})


@dataclass(frozen=True, eq=False)
class Loaded:
    """A network ready to evaluate, the recipe it was made by, and its decision threshold from validation."""

    objective: Objective
    recipe: TrainRecipe
    threshold: float
    origin: str


def load_network(path: Path, device: torch.device, overrides: Sequence[str] = ()) -> Loaded:
    """Raises BadCheckpoint naming the file; a pickle is read with `weights_only`."""
    if path.suffix in (".pt", ".pth"):
        return _load_published(path, device, overrides)
    file = checkpoint_of(path)
    found = read_checkpoint(file)
    recipe = apply_overrides(found.recipe, overrides)
    objective = make_objective(recipe)
    try:
        objective.model.load_state_dict(found.network())
    except RuntimeError as error:
        raise BadCheckpoint(f"{file}: {error}") from error
    return Loaded(objective.to(device).eval(), recipe, found.progress.threshold, str(file))


def _load_published(path: Path, device: torch.device, overrides: Sequence[str]) -> Loaded:
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise BadCheckpoint(f"{path}: {str(error).splitlines()[0]}; is it a checkpoint?") from error
    if not isinstance(checkpoint, dict) or not set(PARTS) <= set(checkpoint):
        raise BadCheckpoint(f"{path}: not a published checkpoint; it needs the keys {', '.join(PARTS)}")
    recipe = apply_overrides(PUBLISHED, overrides)
    try:
        model = load_published(checkpoint, recipe.model.k)
    except (RuntimeError, KeyError, AttributeError) as error:
        raise BadCheckpoint(f"{path}: {error}") from error
    return Loaded(PublishedObjective(model, recipe).to(device).eval(), recipe, 0.5, str(path))
