"""What `datagen status` says, from logs alone."""

import os
import shutil
import time
from types import SimpleNamespace

import pytest

from datagen.pipeline.status import status
from datagen.store.launch import NAME
from tests.conftest import run_build
from tests.helpers.box_chairs import SMALL_PICTURES

SMALL = (*SMALL_PICTURES, "anomaly.slots_per_shape=2", "normal.views={2: 1}")


@pytest.fixture(scope="module")
def third(tmp_path_factory, plain_chairs):
    """A shard of three of a small build."""
    out = tmp_path_factory.mktemp("status") / "data"
    run_build(out, 4, sets=SMALL, collection=plain_chairs, shard=(0, 3))
    return out


def begun(out, ago_s):
    then = time.time() - ago_s
    os.utime(out / NAME, (then, then))


def test_counts_are_those_of_the_logs(third):
    said = status(third)
    assert 0 < said["jobs_done"] < said["jobs_planned"] == said["jobs_done"] + said["jobs_left"]
    assert said["images"] > 0 and said["quarantined"] == {}


def test_the_rate_counts_from_the_start_of_the_build(third, monkeypatch):
    """Not from the first job's end: of jobs that take ten minutes, the first would seem to have come at once."""
    now = time.time()
    monkeypatch.setattr("datagen.pipeline.status.time", SimpleNamespace(time=lambda: now))
    os.utime(third / NAME, (now - 600, now - 600))
    said = status(third)
    assert said["jobs_per_hour"] == pytest.approx(6 * said["jobs_done"])
    assert said["seconds_left"] == round(600 * said["jobs_left"] / said["jobs_done"])


def test_nothing_done_since_the_start_leaves_the_time_unknown(third):
    begun(third, -3600.0)
    assert status(third)["seconds_left"] is None


def test_a_mended_shape_leaves_quarantine_without_a_trace(tmp_path, plain_chairs):
    """Its jobs have other ids then: the old ones, which the plan no longer has, must not count for ever."""
    chairs = tmp_path / "chairs"
    for source in sorted(p for p in plain_chairs.iterdir() if p.is_dir())[:2]:
        shutil.copytree(source, chairs / source.name)
    obj = sorted(chairs.glob("*/objs/*.obj"))[0]
    whole = obj.read_bytes()
    obj.write_bytes(b"v nan 0 0\n" + whole)
    sets = (*SMALL_PICTURES, "anomaly.slots_per_shape=1", "normal.views={1: 1}")
    first = run_build(tmp_path / "a", None, sets=sets, collection=str(chairs))
    assert first.quarantined and status(tmp_path / "a")["quarantined"]
    obj.write_bytes(whole)
    for _ in range(2):
        assert not run_build(tmp_path / "a", None, sets=sets, collection=str(chairs)).quarantined
    figures = status(tmp_path / "a")
    assert not figures["quarantined"] and figures["jobs_done"] == figures["jobs_planned"]
    run_build(tmp_path / "b", None, sets=sets, collection=str(chairs))
    assert (tmp_path / "a" / "manifest.parquet").read_bytes() == (tmp_path / "b" / "manifest.parquet").read_bytes()


def test_jobs_beyond_a_smaller_limit_stay_in_quarantine(tmp_path, plain_chairs):
    chairs = tmp_path / "chairs"
    for source in sorted(p for p in plain_chairs.iterdir() if p.is_dir())[:2]:
        shutil.copytree(source, chairs / source.name)
    for obj in chairs.glob("*/objs/*.obj"):
        obj.write_bytes(b"v nan 0 0\n")
    sets = (*SMALL_PICTURES, "anomaly.slots_per_shape=1", "normal.views={1: 1}")
    both = run_build(tmp_path / "a", None, sets=sets, collection=str(chairs))
    assert len(both.quarantined) == 2
    assert len(run_build(tmp_path / "a", 1, sets=sets, collection=str(chairs)).quarantined) == 2
