"""A kind of dataset that the package does not know works through its commands, found by an entry point."""

import json
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datagen.cli.main import main
from datagen.kinds import registry
from datagen.store.manifest import read_manifest
from datagen.train.tasks import registry as tasks

RECIPE = "kind: pointclouds\nseed: 4\npoints: 128\n"


@pytest.fixture
def command(monkeypatch, tmp_path, plain_chairs, capsys):
    """Runs a command in this process; its exit code and what it said."""
    kind = EntryPoint("pointclouds", "tests.kinds.pointclouds:KIND", registry.GROUP)
    task = EntryPoint("clouds", "tests.kinds.pointclouds.task:TASK", tasks.GROUP)
    for registered, point in ((registry, kind), (tasks, task)):
        monkeypatch.setattr(registered, "entry_points", lambda group, point=point: [point])
    monkeypatch.setenv("COLUMNS", "200")
    registry.kinds.cache_clear()
    (tmp_path / "clouds.yaml").write_text(RECIPE)

    def run(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["datagen", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    yield run
    registry.kinds.cache_clear()
    tasks.find_task.cache_clear()


def build(command, shapes: Path, out: Path, *more: object) -> tuple[int, str]:
    recipe = out.parent / "clouds.yaml"
    options = ("--renderer", "fake", "--executor", "serial", *more)
    return command("build", "--shapes", shapes, "--recipe", recipe, "--out", out, *options)


def test_the_commands_work_on_a_third_kind(command, tmp_path, plain_chairs):
    out = tmp_path / "data"
    assert build(command, plain_chairs, out, "--dry-run")[1].count("clouds") == 1
    assert build(command, plain_chairs, out, "--shard", "0/2")[0] == 0
    assert build(command, plain_chairs, out)[0] == 0, "a second build goes on with the rest"
    assert build(command, plain_chairs, tmp_path / "whole")[0] == 0
    rows = read_manifest(out)
    assert len(rows) == 8 and sum(row["label"] for row in rows) == 4
    assert (out / "manifest.parquet").read_bytes() == (tmp_path / "whole" / "manifest.parquet").read_bytes()

    code, said = command("verify", out)
    assert code == 0 and "1 checks passed" in said and "clouds" in (out / "report.html").read_text()
    assert command("show", out, "--sheet", "3", "--out", tmp_path / "sheet.png")[0] == 0
    assert np.asarray(Image.open(tmp_path / "sheet.png")).min() == 0
    assert "8 of 8 jobs done" in command("status", out)[1]
    (out / rows[0]["query_path"]).write_bytes(b"x")
    assert command("verify", out)[0] == 4


def test_its_task_trains_and_evaluates(command, tmp_path, plain_chairs):
    data, run = tmp_path / "data", tmp_path / "run"
    build(command, plain_chairs, data)
    (tmp_path / "train.yaml").write_text("{optim: {lr: 0.01, epochs: 9, batch: 2}, log: {tensorboard: false}}")
    options = ("--data", data, "--recipe", tmp_path / "train.yaml", "--out", run, "--device", "cpu")
    code, said = command("train", *options)
    assert code == 0 and "best validation AUC" in said, said
    assert json.loads((run / "run.json").read_text())["recipe"]["task"] == "clouds", "the kind's first task"
    assert command("train", *options)[0] == 2 and command("train", *options, "--resume")[0] == 0
    code, said = command("evaluate", run, "--data", data, "--device", "cpu")
    report = json.loads((run / "evaluation-test.json").read_text())
    assert code == 0 and report["n"] == 2 and 0 <= report["auc"] <= 1, said
    assert "Training loss" in (run / "evaluation-test.html").read_text()
    code, said = command("predict", run, "--query", "q.png", "--reference", "r", "--device", "cpu")
    assert code == 2 and "is of task clouds, which judges no single photo" in said
    code, said = command("evaluate", run, "--data", data, "--sweep", "--device", "cpu")
    assert code == 2 and "nothing to sweep" in said


def test_a_task_of_another_kind_is_refused_with_what_would_do(command, tmp_path, plain_chairs, fake_dataset):
    data = tmp_path / "data"
    build(command, plain_chairs, data)
    code, said = command("train", "--data", data, "--recipe", "smoke")
    assert code == 2 and "from which task matching does not learn: clouds does, and matching learns from broken" in said
    options = ("--device", "cpu", "--set", "log.tensorboard=false", "--set", "optim.epochs=1")
    assert command("train", "--data", data, "--out", tmp_path / "run", *options)[0] == 0, "without a recipe: defaults"
    code, said = command("evaluate", tmp_path / "run", "--data", fake_dataset, "--device", "cpu")
    assert code == 2 and "task clouds does not learn: matching does, and clouds learns from pointclouds" in said
    code, said = command("train", "--data", data, "--set", "task=nosuch")
    assert code == 2 and "no training task nosuch; the tasks are clouds, detector, matching" in said


def test_what_is_missing_for_a_kind_is_said(command, tmp_path, plain_chairs):
    build(command, plain_chairs, tmp_path / "data", "--limit", "1")
    code, said = command("export", tmp_path / "data", "--to", "coco", "--out", tmp_path / "coco")
    assert code == 2 and "needs boxes and masks, which datasets of kind pointclouds do not hold" in said


def test_an_entry_point_that_is_no_kind_is_named(command, monkeypatch, tmp_path, plain_chairs):
    wrong = EntryPoint("odd", "pathlib:Path", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [wrong])
    registry.kinds.cache_clear()
    code, said = build(command, plain_chairs, tmp_path / "data")
    assert code == 2 and "the entry point odd of datagen.kinds" in said
