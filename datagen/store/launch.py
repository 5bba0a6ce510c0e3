"""How a dataset was started: not part of what it is, but what repro and status need to know."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datagen.core.errors import UsageError
from datagen.store.files import replace_atomic

NAME = "log/launch.json"


def write_launch(root: Path, launch: Mapping[str, Any], workspace: Path) -> None:
    """Note shapes, renderer, limit and the number of jobs of the latest build."""
    replace_atomic(root / NAME, (json.dumps(dict(launch), indent=1) + "\n").encode(), workspace)


def read_launch(root: Path) -> dict[str, Any]:
    """What the latest build noted. Raises UsageError for a folder that no build has begun."""
    try:
        data = json.loads((root / NAME).read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{root} has no {NAME}; is it a dataset that datagen build began?") from error
    return dict(data)


def launched_at(root: Path) -> float:
    """When the latest build began, in seconds since the epoch. Raises OSError."""
    return (root / NAME).stat().st_mtime


def read_run(root: Path) -> dict[str, Any]:
    """run.json. Raises UsageError."""
    try:
        return dict(json.loads((root / "run.json").read_text()))
    except (OSError, ValueError) as error:
        raise UsageError(f"{root}/run.json cannot be read; is it a datagen dataset?") from error
