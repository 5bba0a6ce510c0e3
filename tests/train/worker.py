"""Train the tiny recipe in a process of its own: python -m tests.train.worker RUN DATA RECIPE.json [resume].

DATAGEN_TEST_KILL=N kills it hard in the middle of the N-th step it does, or of the checkpoint after it.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch

from datagen.train import checkpoint, state
from datagen.train.loop import train
from datagen.train.runtime import open_runtime
from datagen.train.tasks.matching.recipe import MatchingRecipe


def arm(where: str) -> None:
    """Die at `step:N` (before the N-th step is counted) or `write:N` (mid-way in the N-th checkpoint's bytes)."""
    what, number = where.split(":")
    seen = 0

    def count() -> bool:
        nonlocal seen
        seen += 1
        return seen == int(number)

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if what == "step":
        counted = state.Training.count_step

        def count_step(self) -> None:
            if count():
                die()
            counted(self)

        state.Training.count_step = count_step
    else:
        save = checkpoint.save_file

        def save_half(tensors, path, metadata) -> None:
            save(tensors, path, metadata)
            if count():
                data = path.read_bytes()
                path.write_bytes(data[: len(data) // 2])
                die()

        checkpoint.save_file = save_half


def main() -> None:
    run, data, recipe = map(Path, sys.argv[1:4])
    torch.set_num_threads(1)
    if where := os.environ.get("DATAGEN_TEST_KILL"):
        arm(where)
    loaded = MatchingRecipe.model_validate(json.loads(recipe.read_text()))
    with open_runtime("cpu") as runtime:
        train(run, data, loaded, runtime, lambda event: None, resume="resume" in sys.argv[4:])


if __name__ == "__main__":
    main()
