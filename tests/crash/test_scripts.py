"""The job scripts of `datagen slurm` under plain bash: what a cluster without this test's Slurm would run."""

import os
import shutil
import subprocess
import sys

import pytest

from datagen.cli.cluster import run_slurm
from datagen.cli.options import SlurmOptions
from datagen.core.errors import RecipeError
from tests.conftest import ROOT
from tests.crash.harness import SETS, assert_same, chairs, contents, run, run_afresh

CHAIRS = ROOT / "assets" / "partnet" / "chair"


def script(tmp_path, out, scratch=""):
    """The array's script for one task, written as the command does."""
    extra = ("--renderer fake --executor serial --limit 2", *(f"--set '{value}'" for value in SETS))
    to, limits = tmp_path / "scripts", {"time": "01:00:00", "cpus": 1, "mem": "4G"}
    run_slurm(
        SlurmOptions(str(chairs()), out, 1, "brokenchairs", to, scratch=str(scratch), extra=list(extra), **limits)
    )
    return tmp_path / "scripts" / "array-0.sh"


def task(path, tmp_path, **environment):
    """Run it as SLURM would; `requeued` is there if it asked for that."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    stub = tmp_path / "bin" / "scontrol"
    stub.write_text(f"#!/bin/sh\ntouch {tmp_path}/requeued\n")
    stub.chmod(0o755)
    program = f"{sys.executable} -m datagen.cli.main"
    names = {"SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_JOB_ID": "7", "SLURM_JOB_ID": "8", "DATAGEN": program}
    env = {**os.environ, **names, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", **environment}
    return subprocess.run(["bash", str(path)], env=env, capture_output=True, text=True, cwd=tmp_path, timeout=300)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "data"
    assert run_afresh(out, limit=2) == 0
    return out


def test_a_task_on_scratch_leaves_out_what_is_done_and_merges_the_rest(tmp_path, whole):
    out, scratch = tmp_path / "data", tmp_path / "scratch"
    assert run(out, "--shard", "0/3", limit=2) == 0
    begun = len(list((out / "log").glob("*.jsonl")))
    result = task(script(tmp_path, out, scratch), tmp_path)
    assert result.returncode == 0, result.stderr
    assert begun and "0 were there already" in result.stderr, "what OUT held was not built again"
    assert_same(out, contents(whole))
    assert not list(scratch.iterdir()) and not (tmp_path / "requeued").exists()


def test_a_merge_that_fails_is_the_tasks_failure_and_loses_nothing(tmp_path, whole):
    out, scratch = tmp_path / "data", tmp_path / "scratch"
    path = script(tmp_path, out, scratch)
    # The folder becomes another run's while the task is building.
    path.write_text(path.read_text().replace("if $DATAGEN merge", f"cp -r {tmp_path}/other/. {out}\nif $DATAGEN merge"))
    shutil.copytree(whole, tmp_path / "other")
    run_json = tmp_path / "other" / "run.json"
    run_json.write_text(run_json.read_text().replace('"seed":0', '"seed":9'))
    out.mkdir()
    result = task(path, tmp_path)
    assert result.returncode == 6, result.stderr
    kept = scratch / "datagen-8"
    assert f"kept in {kept}" in result.stderr and "does not belong to" in result.stderr
    assert_same(kept, contents(whole))


def test_scripts_name_what_the_nodes_find_and_the_follow_up_command_is_whole(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    shapes, to, extra = "assets/partnet/chair", tmp_path / "scripts", ["--limit 2"]
    run_slurm(SlurmOptions(shapes, tmp_path / "out", 4, "quickstart", to, extra=extra))
    said = " ".join(capsys.readouterr().out.split())
    assert f"--shapes {CHAIRS}" in (tmp_path / "scripts" / "array-0.sh").read_text()
    assert f"datagen build --shapes {CHAIRS} --recipe quickstart --out {tmp_path / 'out'} --limit 2 --shard 0/4" in said
    with pytest.raises(RecipeError, match="nosuch"):
        run_slurm(SlurmOptions("x", tmp_path, 4, "nosuch", tmp_path / "none"))
    assert not (tmp_path / "none").exists()
