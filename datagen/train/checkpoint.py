"""Checkpoints: one safetensors file each, put in place by rename, so that a kill leaves the last one whole.

Holds the network, its moving average, the optimiser's moments and, as metadata, the recipe and where the
training stands. No generator state: every draw is a function of seed, epoch and step.
"""

import errno
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from datagen.core.differences import differences_in_words, differing
from datagen.core.errors import StoppedEarly
from datagen.store.files import publish
from datagen.train.config import TrainRecipe
from datagen.train.errors import BadCheckpoint
from datagen.train.recipes import parse_train_recipe

FORMAT = "datagen-checkpoint-2"


@dataclass(frozen=True)
class Progress:
    """Where a training stands: whole steps done, and the best validation so far."""

    step: int = 0
    best_score: float = -1.0
    """By the objective's `measure`."""
    best_step: int = -1
    threshold: float = 0.5
    """Probability chosen on validation."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a file holds."""

    recipe: TrainRecipe
    progress: Progress
    tensors: dict[str, Tensor]
    """Keys begin with `model.`, `ema.` or `optim.`."""

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Tensors below a prefix, without it."""
        return {name.removeprefix(prefix): t for name, t in self.tensors.items() if name.startswith(prefix)}

    def network(self) -> dict[str, Tensor]:
        """The weights to evaluate with: the moving average where one was kept."""
        return {**self.part("model."), **self.part("ema.")}


def other_network(found: TrainRecipe, wanted: TrainRecipe, error: RuntimeError) -> str:
    """Why weights of one recipe do not fit the network of another, in words: the values of `model` that differ."""
    models = [recipe.model_dump(mode="json").get("model") for recipe in (wanted, found)]
    if found.task != wanted.task:
        return f"its weights are of task {found.task}, this recipe is of {wanted.task}"
    if not all(isinstance(model, dict) for model in models) or models[0] == models[1]:
        return f"its weights do not fit ({str(error).splitlines()[0]})"
    told = differing({"model": models[0]}, {"model": models[1]})
    # The variant comes first: the others tell little where it differs.
    variant = {name: pair for name, pair in told.items() if name in ("model.variant", "model.name")}
    return f"its weights are of another {differences_in_words(variant or told)}"


def checkpoint_path(run: Path, step: int) -> Path:
    """`RUN/checkpoints/step_00001234.safetensors`."""
    return run / "checkpoints" / f"step_{step:08d}.safetensors"


def write_checkpoint(path: Path, recipe: TrainRecipe, progress: Progress, tensors: dict[str, Tensor]) -> None:
    """Write, fsync, rename, fsync the folder. Raises StoppedEarly when the disk is full; nothing is left torn."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    metadata = {"format": FORMAT, "recipe": recipe.model_dump_json(), "progress": json.dumps(asdict(progress))}
    try:
        save_file({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, temporary, metadata)
        publish(temporary, path)
    except (OSError, SafetensorError) as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise
        raise StoppedEarly(
            f"{path}: {error}; the checkpoint before it is whole: make room and run again with --resume"
        ) from error


def read_checkpoint(path: Path) -> Checkpoint:
    """Raises BadCheckpoint naming the file and what is wrong with it."""
    try:
        with safe_open(path, framework="pt") as opened:
            metadata: dict[str, Any] = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (no iterator)
    except (OSError, SafetensorError) as error:
        raise BadCheckpoint(f"{path}: {error}; give a run's folder or a .safetensors checkpoint of one") from error
    if metadata.get("format") != FORMAT:
        raise BadCheckpoint(f"{path}: not a checkpoint of this program ({FORMAT})")
    recipe = parse_train_recipe(json.loads(metadata["recipe"]), str(path))
    return Checkpoint(recipe, Progress(**json.loads(metadata["progress"])), tensors)


def newest_checkpoint(run: Path) -> Path | None:
    """The last whole checkpoint of a run."""
    found = sorted((run / "checkpoints").glob("step_*.safetensors"))
    return found[-1] if found else None


def best_checkpoint(run: Path) -> Path:
    """The best by validation, else the newest. Raises BadCheckpoint when there is none."""
    best = run / "checkpoints" / "best.safetensors"
    found = best if best.is_file() else newest_checkpoint(run)
    if found is None:
        raise BadCheckpoint(f"{run} holds no checkpoint; train first, or give a .safetensors or .pt file")
    return found


def checkpoint_of(path: Path) -> Path:
    """A checkpoint's file as it is, a run's folder as its best checkpoint. Raises BadCheckpoint."""
    return best_checkpoint(path) if path.is_dir() else path


def prune(run: Path, keep: int) -> None:
    """Delete all but the newest `keep` numbered checkpoints, and what a killed writer left."""
    folder = run / "checkpoints"
    for old in sorted(folder.glob("step_*.safetensors"))[:-keep]:
        old.unlink(missing_ok=True)
    for torn in folder.glob(".*.part"):
        if torn.name.split(".")[-2] != str(os.getpid()):
            torn.unlink(missing_ok=True)


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Adam's state as flat tensors `optim.<parameter>.<name>`."""
    state = optimiser.state_dict()["state"]
    return {f"optim.{p}.{name}": torch.as_tensor(value) for p, held in state.items() for name, value in held.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """The inverse of `optimiser_tensors`, with the prefix taken off."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = value
    whole = optimiser.state_dict()
    optimiser.load_state_dict({"state": state, "param_groups": whole["param_groups"]})
