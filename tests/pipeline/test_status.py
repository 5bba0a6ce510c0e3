"""What `datagen status` says, from logs alone."""

import os
import time

import pytest

from datagen.pipeline.status import status
from datagen.store.launch import NAME
from tests.conftest import run_build

SMALL = ("anomaly.slots_per_shape=2", "normal.views={2: 1}", "reference.views=4")


@pytest.fixture(scope="module")
def third(tmp_path_factory):
    """A shard of three of a small build."""
    out = tmp_path_factory.mktemp("status") / "data"
    run_build(out, 4, sets=SMALL, shard=(0, 3))
    return out


def begun(out, ago_s):
    then = time.time() - ago_s
    os.utime(out / NAME, (then, then))


def test_counts_are_those_of_the_logs(third):
    said = status(third)
    assert 0 < said["jobs_done"] < said["jobs_planned"] == said["jobs_done"] + said["jobs_left"]
    assert said["images"] > 0 and said["quarantined"] == {}


def test_the_rate_counts_from_the_start_of_the_build(third):
    """Not from the first job's end: of jobs that take ten minutes, the first would seem to have come at once."""
    begun(third, 600.0)
    said = status(third)
    assert said["jobs_per_hour"] == pytest.approx(6 * said["jobs_done"], rel=0.02)
    assert said["seconds_left"] == pytest.approx(600 * said["jobs_left"] / said["jobs_done"], rel=0.02)


def test_nothing_done_since_the_start_leaves_the_time_unknown(third):
    begun(third, -3600.0)
    assert status(third)["seconds_left"] is None
