"""Studies over seeds: runs that are trained once and kept, figures as means of seeds, and their intervals."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import torch

from datagen.core.memory import keep_freed_memory
from datagen.core.statistics import auc, bootstrap
from datagen.train.checkpoint import newest_checkpoint, read_checkpoint
from datagen.train.config import TrainRecipe
from datagen.train.loop import train
from datagen.train.predictions import Predictions
from datagen.train.report import Figure, shapes_of
from datagen.train.run import open_run
from datagen.train.runtime import Runtime
from datagen.train.tasks.registry import find_task

P = TypeVar("P", bound=Predictions)


def fit(recipe: TrainRecipe, data: Path, out: Path, runtime: Runtime) -> Path:
    """The folder of a finished run: trained, gone on with, or left as it is where it is finished.

    Raises OtherRecipe where it was made from other data.
    """
    run = out / f"{recipe.name}-{recipe.hash[:8]}"
    open_run(run, data, recipe, runtime.ranks, resume=True)
    if not _finished(run):
        train(run, data, recipe, runtime, lambda event: None, resume=True)
        (run / "done").touch()
    return run


def fit_all(recipes: Sequence[TrainRecipe], data: Path, out: Path, runtime: Runtime, jobs: int) -> None:
    """Train `jobs` recipes at a time, each in a process with its share of the threads."""
    if jobs == 1:
        return
    # Whoever comes first makes the packed cache that all read.
    for split in ("train", "val"):
        find_task(recipes[0].task).open_data(data, split, recipes[0], None)
    threads = (max(1, torch.get_num_threads() // jobs),)
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin, threads)
    with pool:
        list(pool.map(partial(fit, data=data, out=out, runtime=runtime), recipes))


def _begin(threads: int) -> None:
    """What a process that trains begins with."""
    torch.set_num_threads(threads)
    keep_freed_memory()


def _finished(run: Path) -> bool:
    newest = newest_checkpoint(run)
    return (run / "done").is_file() and newest is not None and read_checkpoint(newest).progress.step > 0


def mean_of_seeds(founds: Sequence[P], figure: Callable[[P], Figure | None], rounds: int) -> dict[str, Any] | None:
    """A figure of every seed, their mean, and its 95 % interval over shapes; None where it is undefined."""
    figures = [figure(found) for found in founds]
    if any(one is None for one in figures):
        return None
    known = cast(list[Figure], figures)
    rows = known[0][1]
    shapes = shapes_of(founds[0])[rows]

    def mean(chosen: np.ndarray) -> float:
        return float(np.mean([value(rows[chosen]) for value, _ in known]))

    low, high = bootstrap(shapes, mean, rounds)
    each = [value(rows) for value, _ in known]
    return {"value": float(np.mean(each)), "seeds": each, "interval": [low, high], "n": len(rows)}


def difference(ours: Sequence[Predictions], theirs: Sequence[Predictions], rounds: int) -> dict[str, Any]:
    """AUC of `ours` minus that of `theirs` on the same samples, mean of seeds, and its interval over shapes.

    Seeds are not paired: an arm may have fewer than another.
    """
    label, shapes = ours[0].label, shapes_of(ours[0])

    def apart(rows: np.ndarray) -> float:
        a, b = (np.mean([auc(label[rows], one.score[rows]) for one in founds]) for founds in (ours, theirs))
        return float(a - b)

    low, high = bootstrap(shapes, apart, rounds)
    return {"value": apart(np.arange(len(label))), "interval": [low, high]}
