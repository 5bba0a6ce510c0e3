"""What a recipe has to know of another run, from the metadata of its best checkpoint."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from datagen.core.errors import UsageError
from datagen.core.ids import bytes_hash
from datagen.train.checkpoint import checkpoint_of
from datagen.train.config import UNNAMED_TASK
from datagen.train.errors import BadCheckpoint


def described_run(run: str) -> dict[str, Any]:
    """`model`, the section as plain data, and `sha256` of a run of this task. Raises BadCheckpoint, UsageError."""
    path = checkpoint_of(Path(run))
    try:
        with safe_open(path, "np") as file:
            recipe = json.loads((file.metadata() or {})["recipe"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise BadCheckpoint(f"{path}: {error!r}; give another run to prior.run") from error
    task = recipe.get("task", UNNAMED_TASK)
    if task != UNNAMED_TASK:
        raise UsageError(f"{run} is of task {task}; a prior is a query-only network of task {UNNAMED_TASK}")
    return {"model": recipe["model"], "sha256": digest_of(path)}


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hex."""
    return bytes_hash(path.read_bytes())
