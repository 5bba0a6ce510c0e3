"""The published `model.pt` as a network of this task."""

import pickle
from collections.abc import Sequence
from pathlib import Path

import torch

from datagen.models.published import PARTS, load_published
from datagen.train.errors import BadCheckpoint
from datagen.train.recipes import apply_overrides
from datagen.train.tasks.matching.objectives import PublishedObjective
from datagen.train.tasks.matching.recipe import MatchingRecipe

PUBLISHED = MatchingRecipe.model_validate(
    {"name": "published", "model": {"variant": "published"}, "optim": {"batch": 2}}
)


def read_published(path: Path, overrides: Sequence[str]) -> tuple[PublishedObjective, MatchingRecipe]:
    """The network and a recipe of it. Raises BadCheckpoint; the pickle is read with `weights_only`."""
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
    return PublishedObjective(model, recipe), recipe
