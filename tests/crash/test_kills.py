"""Kill anything at any time, run the same command again: the dataset of an uninterrupted run."""

import contextlib
import itertools
import os
import signal
import subprocess
import time

import numpy as np
import pytest

from datagen.store.log import LogReader
from tests.crash.harness import (
    SETS,
    arguments,
    assert_same,
    command,
    contents,
    kill_at_random,
    run,
    run_afresh,
    start,
)
from tests.helpers.forked_commands import run_forked

POINTS = ("before-files", "after-fsync", "mid-rename", "before-log", "after-log", "before-compact", "mid-parquet")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted build of over 500 jobs."""
    out = tmp_path_factory.mktemp("whole") / "data"
    assert run_afresh(out) == 0
    assert len(LogReader(out / "log").refresh().entries) >= 450
    return contents(out)


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """The same for ten chairs, over 200 jobs: what `make test` has time for."""
    out = tmp_path_factory.mktemp("half") / "data"
    assert run_afresh(out, limit=10) == 0
    return contents(out)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The same for two chairs, over 40 jobs."""
    out = tmp_path_factory.mktemp("small") / "data"
    assert run_afresh(out, limit=2) == 0
    return contents(out)


@pytest.fixture(scope="module")
def middle(tmp_path_factory):
    """The same for four chairs."""
    out = tmp_path_factory.mktemp("middle") / "data"
    assert run_afresh(out, limit=4) == 0
    return contents(out)


def kills(out, count, seed, whole, limit=24):
    done, inside = kill_at_random(out, count, seed, limit=limit)
    assert run(out, limit=limit) == 0
    assert_same(out, whole)
    print(f"seed {seed}: {done} kills, {inside} inside a job or a commit")
    assert done >= 0.6 * count and inside >= 0.8 * done


def test_the_driver_killed_at_random(tmp_path, half):
    kills(tmp_path / "data", 20, 1, half, limit=10)


@pytest.mark.soak
def test_the_driver_killed_a_hundred_times(tmp_path, whole):
    for round_ in range(5):
        kills(tmp_path / f"data{round_}", 20, 100 + round_, whole)


@pytest.mark.parametrize("point", POINTS)
def test_named_crash_points(tmp_path, small, point):
    crash_at(tmp_path / "data", small, point, 1)


@pytest.mark.soak
@pytest.mark.parametrize(("point", "count"), list(itertools.product(POINTS, (2, 3, 5, 8))))
def test_named_crash_points_later(tmp_path, small, point, count):
    crash_at(tmp_path / "data", small, point, count)


def crash_at(out, small, point, count):
    code = start(out, limit=2, environment={"DATAGEN_CRASH": f"{point}:{count}"}).wait(timeout=300)
    assert code in (-signal.SIGKILL, 0)
    if count == 1:
        assert code == -signal.SIGKILL
    janitor = start(out, limit=2, environment={"DATAGEN_CRASH": "janitor:1"}).wait(timeout=300)
    assert janitor in (-signal.SIGKILL, 0)
    assert run(out, limit=2) == 0
    assert_same(out, small)


@pytest.mark.cycles
def test_a_real_cycles_build_killed_three_times(tmp_path):
    """Blender's own process goes with its driver; what it had rendered is rendered again, byte for byte."""
    sets = ["query.size_px=64", "render.samples=1", "render.denoiser=none", "reference.views=2", "normal.views={3: 1}"]
    sets += ["anomaly.min_changed_px=20", "quality.ground_share=0.3", "quality.ground_floor=0"]
    kinds = {"limit": 1, "sets": sets, "renderer": "cycles"}
    assert run(tmp_path / "whole", **kinds) == 0
    for _ in range(3):
        process = start(tmp_path / "data", **kinds)
        before = len(LogReader(tmp_path / "data" / "log").refresh().entries)
        while process.poll() is None and len(LogReader(tmp_path / "data" / "log").refresh().entries) <= before:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert run(tmp_path / "data", **kinds) == 0
    assert_same(tmp_path / "data", contents(tmp_path / "whole"))


def test_a_stopped_build_ends_with_75_and_goes_on(tmp_path, small):
    for number in (signal.SIGUSR1, signal.SIGTERM):
        out = tmp_path / f"data{int(number)}"
        process = start(out, limit=2)
        while not (out / "log").is_dir() or not LogReader(out / "log").refresh().entries:
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(timeout=60) == 75
        assert run(out, limit=2) == 0
        assert_same(out, small)


@pytest.mark.parametrize("limit", [10_000, 60_000, -1])
def test_a_file_too_large_for_the_disk_stops_with_75(tmp_path, small, limit):
    """-1: one byte less than the largest file has."""
    file_limited(tmp_path / "data", small, limit % max(len(data) for data in small.values()))


@pytest.mark.soak
@pytest.mark.parametrize("share", np.linspace(0.02, 0.98, 13))
def test_a_disk_that_fills_up_at_any_offset(tmp_path, small, share):
    file_limited(tmp_path / "data", small, int(share * max(len(data) for data in small.values())))


def file_limited(out, small, limit):
    """RLIMIT_FSIZE stands for a disk that fills up at some offset of some file."""
    result = run_forked(arguments(out, limit=2), largest_file=limit)
    assert result.returncode == 75, result.stderr
    assert "Traceback" not in result.stderr
    assert run(out, limit=2) == 0
    assert_same(out, small)


@pytest.mark.soak
@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a tmpfs")
@pytest.mark.parametrize("done", [1, 3, 8, 12])
def test_a_full_file_system_stops_with_75(tmp_path, middle, done):
    """A tmpfs that somebody else fills up once some jobs are done; it is emptied, and the build goes on."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", str(tmp_path)], check=True)
    out = tmp_path / "data"
    try:
        process = subprocess.Popen(command(out, limit=4), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        while not (out / "log").is_dir() or len(LogReader(out / "log").refresh().entries) < done:
            assert process.poll() is None, "the build was over before the disk was full"
            time.sleep(0.01)
        with (tmp_path / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(4096))
        said = process.communicate(timeout=300)[1]
        assert process.returncode == 75, said
        assert "Traceback" not in said
        (tmp_path / "filler").unlink()
        assert run(out, limit=4) == 0
        assert_same(out, middle)
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@pytest.mark.parametrize("builders", [2, 4])
def test_builders_side_by_side(tmp_path, middle, builders):
    side_by_side(tmp_path / "data", middle, builders, limit=4)


@pytest.mark.soak
@pytest.mark.parametrize(("builders", "round_"), list(itertools.product((2, 4, 8), range(5))))
def test_builders_side_by_side_again(tmp_path, whole, builders, round_):
    side_by_side(tmp_path / "data", whole, builders)


def side_by_side(out, whole, builders, limit=24):
    processes = [start(out, limit=limit) for _ in range(builders)]
    assert [process.wait(timeout=900) for process in processes] == [0] * builders
    assert_same(out, whole)
    lines = sum(len(path.read_bytes().splitlines()) for path in (out / "log").glob("*.jsonl"))
    jobs = len(LogReader(out / "log").refresh().entries)
    assert lines <= 1.1 * jobs  # wasted work


def test_another_recipe_writes_nothing(tmp_path, small):
    refused(tmp_path / "data", [[*SETS, "seed=9"]], ["--seed", "3"])


@pytest.mark.soak
def test_no_other_recipe_writes_anything(tmp_path, small):
    changes = ["seed=1", "reference.views=3", "query.size_px=65", "normal.views={2: 1}", "anomaly.views={2: 1}"]
    changes += ["anomaly.min_changed_px=21", "render.samples=3", "split.train=1"]
    refused(tmp_path / "data", [[*SETS, change] for change in changes], ["--seed", "4"], ["--recipe", "quickstart"])


def refused(out, others, *options):
    """Recipes (as --set values) and command lines that end with 6 on a folder of SETS and change nothing in it."""
    assert run(out, limit=2) == 0
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    for sets in others:
        assert run(out, limit=2, sets=sets) == 6, sets
    for option in options:
        assert run(out, *option, limit=2) == 6, option
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_shards_in_any_number_are_the_whole(tmp_path, small):
    out = tmp_path / "data"
    for shard in ("3/5", "0/2", "1/5", "1/2"):
        assert run(out, "--shard", shard, limit=2) == 0
    assert_same(out, small)
