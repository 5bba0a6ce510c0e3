"""Numbers that mean the same every time: metrics of a checkpoint on a split, with intervals."""

from pathlib import Path

from datagen.core.errors import UsageError
from datagen.train.infer import predict_split
from datagen.train.runtime import Runtime, full_memory_as_error
from datagen.train.task import Evaluation, Loaded

ADVICE = "lower the batch by --set data.eval_batch=1"


def evaluate(
    loaded: Loaded, folder: Path, split: str, runtime: Runtime, rounds: int = 1000, sweep: bool = False
) -> Evaluation:
    """Score every sample of a split. Raises UsageError, BrokenFile, OutOfMemory."""
    task, recipe = loaded.task, loaded.recipe
    if sweep and task.sweep is None:
        raise UsageError(f"task {task.name} has nothing to sweep; leave --sweep out")
    data = task.open_data(folder, split, recipe, None)
    with full_memory_as_error(ADVICE):
        data = task.prepare(loaded, data, runtime)
        found = predict_split(task, loaded.objective, data, runtime, recipe)
        metrics = task.report(found, loaded.threshold, rounds)
        report = {"checkpoint": loaded.origin, "recipe": recipe.name, "split": split, **metrics}
        if task.more is not None:
            report |= task.more(loaded, folder, split, runtime, rounds)
        if sweep and task.sweep is not None:
            report["sweep"] = task.sweep(loaded, folder, split, runtime)
    return Evaluation(report, found, data)
