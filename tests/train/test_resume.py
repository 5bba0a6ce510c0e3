"""A trainer killed at random places and resumed draws the loss curve of an uninterrupted one."""

import os
import random
import signal
import subprocess
import sys

import pytest

from datagen.train.checkpoint import newest_checkpoint, read_checkpoint
from datagen.train.log import read_log
from tests.conftest import ROOT
from tests.helpers.forked_commands import TRAIN, run_forked
from tests.train.conftest import tiny

STEPS = 9


def start(run, data, recipe, *options, kill=None):
    """Train in a process of its own, forked from one that has torch."""
    environment = {"DATAGEN_TEST_KILL": kill} if kill else {}
    return run_forked([run, data, recipe, *options], environment, target="tests.train.worker:main", modules=TRAIN)


def start_afresh(run, data, recipe):
    """The same in a process that shares nothing with the others: what they are compared with."""
    command = [sys.executable, "-m", "tests.train.worker", str(run), str(data), str(recipe)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def reference(tmp_path_factory, dataset):
    folder = tmp_path_factory.mktemp("resume")
    recipe = folder / "recipe.json"
    settings = tiny(
        optim={"max_steps": STEPS, "epochs": 9, "ema": 0.9, "warmup_steps": 3},
        log={"checkpoint_steps": 2},
        data={"pack": True},
    )
    recipe.write_text(settings.model_dump_json())
    run = folder / "whole"
    run.mkdir()
    done = start_afresh(run, dataset, recipe)
    assert done.returncode == 0, done.stderr
    return recipe, run


# Three kills while a step runs, two while a checkpoint is half written; all five in make soak, three in make test.
PLACES = [f"step:{n}" for n in random.Random(20240521).sample(range(3, STEPS + 1), 3)] + ["write:2", "write:4"]
KILLS = [pytest.param(place, marks=[pytest.mark.soak] if place in PLACES[1:3] else []) for place in PLACES]


@pytest.mark.parametrize("kill", KILLS)
def test_killed_and_resumed_equals_uninterrupted(kill, reference, dataset, tmp_path):
    recipe, whole = reference
    killed = start(tmp_path, dataset, recipe, kill=kill)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    last = newest_checkpoint(tmp_path)
    assert last is not None and 0 < read_checkpoint(last).progress.step < STEPS
    done = start(tmp_path, dataset, recipe, "resume")
    assert done.returncode == 0, done.stderr
    ours, theirs = read_log(tmp_path / "train.csv"), read_log(whole / "train.csv")
    assert [row["step"] for row in ours] == list(range(STEPS))
    for mine, other in zip(ours, theirs, strict=True):
        for name, value in other.items():
            assert abs(mine[name] - value) <= 1e-6, (name, mine["step"])
    assert read_log(tmp_path / "val.csv") == read_log(whole / "val.csv")
    final = [read_checkpoint(newest_checkpoint(run)) for run in (tmp_path, whole)]
    assert final[0].progress == final[1].progress
    for name, tensor in final[0].tensors.items():
        assert (tensor.float() - final[1].tensors[name].float()).abs().max() <= 1e-6, name
    assert not list((tmp_path / "checkpoints").glob(".*"))
