"""Ray: the same bytes as the serial run for any number of workers, and through the death of any process."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import ray
from ray.cloudpickle import register_pickle_by_value, unregister_pickle_by_value

from datagen.core.errors import StoppedEarly
from datagen.kinds.registry import load_recipe, make_plan
from datagen.pipeline import ray_start
from datagen.pipeline.build import build
from datagen.pipeline.run_ray import RayExecutor, _Driver
from datagen.pipeline.worker import Site
from datagen.recipe.loader import find_recipe
from datagen.shapes.collections import open_collection
from datagen.store.log import LogReader
from tests.crash.harness import assert_same, contents, quarantined, run, run_afresh, start

LIMIT = 3
VICTIMS = ("_prepare", "_RenderActor", "raylet", "driver")


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """The folder of a serial build."""
    out = tmp_path_factory.mktemp("whole") / "data"
    assert run_afresh(out, limit=LIMIT) == 0
    return out


@pytest.fixture(scope="module")
def whole(serial):
    """Its files."""
    return contents(serial)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_any_number_of_workers_writes_the_same_bytes(tmp_path, whole, workers):
    out = tmp_path / "data"
    assert run(out, "--workers", workers, executor="ray", limit=LIMIT) == 0, quarantined(out)
    assert_same(out, whole)


class Marked(Site):
    """A site that leaves a mark for every time it is unpacked."""

    def __setstate__(self, state):
        self.__dict__.update(state)
        with (self.out.parent / f"unpacked-{os.getpid()}").open("a") as marks:
            marks.write("x")


def test_a_process_unpacks_the_plan_once_however_many_jobs_it_does(tmp_path):
    register_pickle_by_value(sys.modules[__name__])
    source = open_collection("partnet/chair", None, False)
    plan = make_plan(load_recipe(find_recipe(None), ["query.size_px=32", "reference.views=2"]), source, 2)
    try:
        summary = build(Marked(plan, tmp_path / "data", "fake"), RayExecutor(1))
    finally:
        unregister_pickle_by_value(sys.modules[__name__])
    marks = [len(path.read_text()) for path in tmp_path.glob("unpacked-*")]
    assert summary.shapes == 2 and sum(1 for _ in plan.jobs()) > 6
    assert marks and max(marks) == 1, marks


def test_sigterm_ends_the_jobs_under_way_and_says_run_again(tmp_path, whole):
    out = tmp_path / "data"
    driver = start(out, executor="ray", limit=LIMIT)
    while not ((out / "log").is_dir() and LogReader(out / "log").refresh().entries):
        assert driver.poll() is None
        time.sleep(0.05)
    driver.send_signal(signal.SIGTERM)
    assert driver.wait(timeout=120) == 75
    assert run(out, limit=LIMIT) == 0
    assert_same(out, whole)


def test_a_build_whose_ray_is_gone_stops_instead_of_waiting(monkeypatch):
    """Most often Ray ends the driver with its raylet; a driver that is left would wait for a node for ever."""
    driver = object.__new__(_Driver)
    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": False}, {"Alive": True}])
    driver._refuse_without_nodes()
    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": False}])
    with pytest.raises(StoppedEarly, match=r"raylet.*run the same command again"):
        driver._refuse_without_nodes()


def test_a_private_instance_leaves_no_folder_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(ray_start, "SOCKET_PATH_BYTES", 500)  # nothing is opened in it
    (tmp_path / "dg-ray-999999999-killed").mkdir()
    (tmp_path / f"dg-ray-{os.getpid()}-running").mkdir()
    mine = ray_start._session_folder()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([f"dg-ray-{os.getpid()}-running", Path(mine).name])


def victim_of(driver: subprocess.Popen, kind: str) -> int | None:
    if kind == "driver":
        return driver.pid
    pids = [pid for pid, line in descendants(driver.pid).items() if kind in line and pid != driver.pid]
    return random.Random(len(pids)).choice(pids) if pids else None


def descendants(root: int) -> dict[int, str]:
    """pid -> command line of everything below a process, whatever its session."""
    parents, lines = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
                parents[int(folder.name)] = int(stat.rsplit(")", 1)[1].split()[1])
                lines[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
    found, frontier = {}, [root]
    while frontier:
        parent = frontier.pop()
        for pid, above in parents.items():
            if above == parent:
                found[pid] = lines.get(pid, "")
                frontier.append(pid)
    return found


def chaos(out: Path, whole: dict[str, bytes], kind: str, delay: float) -> None:
    process = start(out, "--workers", "2", executor="ray", limit=LIMIT)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if (out / "log").is_dir() and len(LogReader(out / "log").refresh().entries) >= 5:
            break
        time.sleep(0.1)
    time.sleep(delay)
    # A worker bears the name of its task only while it does one.
    while (victim := victim_of(process, kind)) is None and process.poll() is None:
        time.sleep(0.01)
    family = list(descendants(process.pid))
    assert victim is not None, f"no process of kind {kind} is running"
    os.kill(victim, signal.SIGKILL)
    try:
        process.wait(timeout=180)  # no hang: the build ends by itself, whatever died
    finally:
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    # How a build ended is nothing to the next one: by turns it is another of Ray or a serial one.
    options = ("--workers", "2") if kind in ("_prepare", "driver") else ()
    assert run(out, *options, executor="ray" if options else "serial", limit=LIMIT) == 0
    assert_same(out, whole)


@pytest.mark.parametrize("kind", VICTIMS)
def test_a_process_dies(tmp_path, whole, kind):
    chaos(tmp_path / "data", whole, kind, 0.3)


@pytest.mark.soak
@pytest.mark.parametrize("round_", range(6))
def test_processes_die_at_random(tmp_path, whole, round_):
    rng = random.Random(round_)
    chaos(tmp_path / "data", whole, rng.choice(VICTIMS), rng.uniform(0, 2))


@pytest.mark.parametrize(("how", "reason"), [("die", "WorkerDied"), ("hoard", "MemoryError"), ("hang", "WorkerDied")])
def test_a_job_that_ruins_its_worker_is_quarantined_and_the_rest_goes_on(tmp_path, serial, whole, how, reason):
    """One job dies, hangs or swells at each try: it becomes a row, and exit code 3 says so."""
    out = tmp_path / "data"
    victim = min(LogReader(serial / "log").refresh().entries)
    options = ["--workers", "2", "--job-minutes", "0.2", "--job-gib", "2"]
    environment = {"DATAGEN_CRASH_JOB": f"{victim}:{how}"}
    code = start(out, *options, executor="ray", limit=LIMIT, environment=environment).wait(timeout=300)
    assert code == 3
    entries = LogReader(out / "log").refresh().entries
    assert [job for job, entry in entries.items() if entry.quarantined] == [victim]
    assert entries[victim].rows[0].reason == reason
    if how != "die":  # the resumed build is the same for all three
        return
    assert run(out, limit=LIMIT) == 0
    assert_same(out, whole)
