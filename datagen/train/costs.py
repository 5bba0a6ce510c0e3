"""What both tasks measure their steps by: the CPU-seconds of a part, and the command that prints their table."""

import argparse
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from datagen.core.command import from_one
from datagen.core.errors import UsageError
from datagen.core.memory import keep_freed_memory
from datagen.train.recipes import load_train_recipe

GIB, MILLION = "GiB", "million"
SECONDS = " CPU-s"


def spent(work: Callable[[], Tensor]) -> float:
    """CPU-seconds of a part's forward and backward pass, the median of three after a first."""
    seconds = [timed(lambda: work().float().square().mean().backward()) for _ in range(4)]
    return sorted(seconds[1:])[1]


def timed(work: Callable[[], Any]) -> float:
    """CPU-seconds that the process spends on some work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def sizes(network: nn.Module) -> dict[str, float]:
    """The largest memory that the process had, and the network's weights."""
    return {
        f"peak memory, {GIB}": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        f"weights, {MILLION}": sum(p.numel() for p in network.parameters()) / 1e6,
    }


def run_costs(
    arguments: Sequence[str],
    prog: str,
    told: str,
    recipe: str,
    measured: Callable[[Any], Mapping[str, float]],
) -> None:
    """The command `prog`: measure a recipe, `recipe` where none is given, on some threads and print the table.

    Raises UsageError for a recipe of another task.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {prog}", description=told)
    parser.add_argument("--recipe", default=recipe)
    parser.add_argument("--set", dest="overrides", action="append", default=[], help="section.key=value")
    parser.add_argument("--threads", type=from_one, default=1)
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    keep_freed_memory()
    made = load_train_recipe(given.recipe, overrides=given.overrides)
    task = load_train_recipe(recipe).task
    if made.task != task:
        raise UsageError(f"--recipe {given.recipe} is of task {made.task}; give one of task {task}")
    found = measured(made)
    sys.stdout.write(f"| {made.name}, threads: {given.threads} | |\n| --- | --- |\n")
    for name, value in found.items():
        unit = "" if name.endswith((GIB, MILLION)) else SECONDS
        sys.stdout.write(f"| {name} | {value:.3f}{unit} |\n")
