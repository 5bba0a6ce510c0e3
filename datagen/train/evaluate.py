"""Numbers that mean the same every time: metrics of a checkpoint on a split, with intervals."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datagen.core.errors import UsageError
from datagen.core.ids import content_hash
from datagen.train.infer import predict_split
from datagen.train.run import trained_elsewhere
from datagen.train.runtime import Runtime, full_memory_as_error
from datagen.train.task import Evaluation, Loaded

ADVICE = "lower the batch by --set data.eval_batch=1"


def evaluate(
    loaded: Loaded, folder: Path, split: str, runtime: Runtime, rounds: int = 1000, sweep: bool = False
) -> Evaluation:
    """Score every sample of a split. The report has the name of the split that was taken, as `test` may be another.

    Raises UsageError, BrokenFile, OutOfMemory.
    """
    task, recipe = loaded.task, loaded.recipe
    if sweep and task.sweep is None:
        raise UsageError(f"task {task.name} has nothing to sweep; leave --sweep out")
    taken = task.named_split(folder, split)
    data = task.open_data(folder, split, recipe, None)
    with full_memory_as_error(ADVICE):
        data = task.prepare(loaded, data, runtime)
        found = predict_split(task, loaded.objective, data, runtime, recipe)
        metrics = task.report(found, loaded.threshold, rounds)
        report = {"checkpoint": loaded.origin, "recipe": recipe.name, "split": taken, "data": str(folder)}
        report |= {"overrides": list(loaded.overrides), **metrics}
        if task.more is not None:
            report |= task.more(loaded, folder, split, runtime, rounds)
        if sweep and task.sweep is not None:
            report["sweep"] = task.sweep(loaded, folder, split, runtime)
    return Evaluation(report, found, data)


def evaluation_label(loaded: Loaded, report: Mapping[str, Any]) -> str:
    """What the names of an evaluation's files end with: the split; the dataset's folder where the network was trained
    on another one; and a few digits of what `--set` changed."""
    file, data = Path(loaded.origin), Path(report["data"])
    run = file.parent.parent if file.parent.name == "checkpoints" else file.parent
    parts = [str(report["split"])]
    if trained_elsewhere(run, data):
        parts.append(re.sub(r"[^\w.]", "_", data.resolve().name))
    if loaded.overrides:
        parts.append(f"set-{content_hash(list(loaded.overrides))[:6]}")
    return "-".join(parts)
