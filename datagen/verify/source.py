"""The plan and the shapes a dataset was made from, opened again: its geometry is replayed, its jobs rebuilt."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from datagen.core.errors import DatagenError, UsageError
from datagen.pipeline.plan import Plan
from datagen.store.launch import read_launch

P = TypeVar("P", bound=Plan[Any])
SAME = ("collection_hash", "source", "weights")
"""Keys of run.json that the plan of the right shapes has to give again."""


def open_plan(
    root: Path, run: Mapping[str, Any], make: Callable[[str], P], shapes: str | None, built_in: Sequence[str]
) -> tuple[P | None, str]:
    """The plan of a run and '', or None and why not. `make` plans over a collection by name, `shapes` is the user's.

    Without it, the collection that the build noted is tried, then the built-in ones.
    """
    why = ""
    for spec in [shapes] if shapes else [*_noted(root), *built_in]:
        try:
            plan = make(spec)
            record = plan.run_record()
        except DatagenError as error:
            why = why or f"the source shapes cannot be opened ({error.args[0]})"
            continue
        if record.get("operators") != run.get("operators"):
            return None, "its anomalies are those of another version of the operators; its geometry is not replayed"
        if all(record.get(key) == run.get(key) for key in SAME):
            return plan, ""
        why = f"{spec} is not the collection of this dataset ({run.get('source')}); give it by --shapes"
    return None, why


def _noted(root: Path) -> list[str]:
    """What the latest build of this folder was given as --shapes."""
    try:
        shapes = read_launch(root).get("shapes")
    except UsageError:
        return []
    return [str(shapes)] if shapes else []
