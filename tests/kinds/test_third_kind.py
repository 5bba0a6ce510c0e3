"""A kind of dataset that the package does not know works through its commands, found by an entry point."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datagen.cli.main import main
from datagen.kinds import registry
from datagen.store.manifest import read_manifest

RECIPE = "kind: pointclouds\nseed: 4\npoints: 128\n"


@pytest.fixture
def command(monkeypatch, tmp_path, plain_chairs, capsys):
    """Runs a command in this process; its exit code and what it said."""
    point = EntryPoint("pointclouds", "tests.kinds.pointclouds:KIND", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == registry.GROUP else [])
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


def test_what_is_missing_for_a_kind_is_said(command, tmp_path, plain_chairs):
    build(command, plain_chairs, tmp_path / "data", "--limit", "1")
    code, said = command("train", "--data", tmp_path / "data", "--recipe", "recipes/train/smoke.yaml")
    assert code == 2 and "kind pointclouds, which has no training task yet" in said
    code, said = command("export", tmp_path / "data", "--to", "coco", "--out", tmp_path / "coco")
    assert code == 2 and "needs boxes and masks, which datasets of kind pointclouds do not hold" in said


def test_an_entry_point_that_is_no_kind_is_named(command, monkeypatch, tmp_path, plain_chairs):
    wrong = EntryPoint("odd", "pathlib:Path", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [wrong])
    registry.kinds.cache_clear()
    code, said = build(command, plain_chairs, tmp_path / "data")
    assert code == 2 and "the entry point odd of datagen.kinds" in said
