"""A run's folder: who made it, and that nothing else writes into it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from datagen import __version__
from datagen.core.differences import differences_in_words, differing
from datagen.core.errors import OtherRecipe, UsageError
from datagen.store.files import write_whole
from datagen.store.reader import DatasetReader, content_key
from datagen.train.checkpoint import newest_checkpoint
from datagen.train.config import UNNAMED_TASK, TrainRecipe
from datagen.train.tasks.registry import find_task


def open_run(
    run: Path, data: Path, recipe: TrainRecipe, ranks: int, resume: bool, online: Mapping[str, Any] | None = None
) -> Path:
    """Create or reopen a run's folder; writes run.json once, and anew where no step of that run is left.

    `online` is the record of the plan that training samples are made by, where they are.

    `ranks` is the number of processes: it says which samples make a step. Raises OtherRecipe (exit 6) when the
    folder belongs to a run with another recipe, dataset (by its content, wherever it lies) or number of processes,
    UsageError when a finished or started run would be overwritten without `resume`, or the folder cannot be written.
    """
    note = run / "run.json"
    mine = _note(data, recipe, ranks) | ({"online": dict(online)} if online else {})
    try:
        run.mkdir(parents=True, exist_ok=True)
        if note.is_file() and not _is_nobodys(run):
            found = json.loads(note.read_text(encoding="utf-8"))
            if found.get("recipe_hash") != recipe.hash:
                other = differing(recipe.model_dump(mode="json"), {"task": UNNAMED_TASK, **found.get("recipe", {})})
                what = differences_in_words(
                    {name: pair for name, pair in other.items() if not recipe.is_free_on_resume(name)}
                )
                raise OtherRecipe(f"{run} belongs to a run with another {what or 'recipe'}; choose another --out")
            if found.get("data_key") != mine["data_key"]:
                raise OtherRecipe(f"{run} belongs to a run on other data ({found.get('data')}); choose another --out")
            if found.get("online") != mine.get("online"):
                raise OtherRecipe(f"{run} belongs to a run with another --online or --shapes; choose another --out")
            if found.get("processes") != ranks:
                raise OtherRecipe(
                    f"{run} belongs to a run by {found.get('processes')} processes, here are {ranks}; "
                    "start as many, or choose another --out"
                )
            if newest_checkpoint(run) and not resume:
                raise UsageError(f"{run} holds a run of this recipe; add --resume or choose another --out")
        else:
            write_whole(note, (json.dumps(mine, indent=1) + "\n").encode())
    except (OSError, ValueError) as error:
        raise UsageError(f"{run}: {error}; choose another --out") from error
    return run


def _is_nobodys(run: Path) -> bool:
    """Whether the run of a folder ended before its first step: it has no checkpoint and no line in train.csv."""
    if newest_checkpoint(run) or (run / "checkpoints" / "best.safetensors").is_file():
        return False
    log = run / "train.csv"
    return not log.is_file() or len(log.read_text(encoding="utf-8").splitlines()) < 2


def trained_elsewhere(run: Path, data: Path) -> bool:
    """Whether a run was trained on another dataset than this, by its content; False where its run.json is not there."""
    try:
        found = json.loads((run / "run.json").read_text(encoding="utf-8"))
        if Path(found["data"]).resolve() == data.resolve():
            return False
        folders = find_task(found["recipe"].get("task", UNNAMED_TASK)).folders
        return bool(found["data_key"] != content_key(DatasetReader(data, folders), times=False))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _note(data: Path, recipe: TrainRecipe, ranks: int) -> dict[str, Any]:
    return {
        "recipe_hash": recipe.hash,
        "recipe": recipe.model_dump(mode="json"),
        "data": str(data),
        "data_key": content_key(DatasetReader(data, find_task(recipe.task).folders), times=False),
        "processes": ranks,
        "versions": {"datagen": __version__, "torch": torch.__version__},
    }
