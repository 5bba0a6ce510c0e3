"""Builds that are killed and resumed: small pictures, many jobs, the fake renderer."""

import atexit
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

from datagen.store.log import read_folder
from datagen.store.manifest import read_manifest
from tests.helpers.box_chairs import SMALL_PICTURES, write_plain_chairs
from tests.helpers.forked_commands import fork

TREES = ("images", "annotations", "shapes", "split.json", "shapes.json", "run.json", "README.md", "manifest.parquet")
SLOTS = "anomaly.slots={position: 7, rotation: 5, broken: 1, missing: 6}"
SETS = [*SMALL_PICTURES, SLOTS, "normal.views={1: 1}"]


@lru_cache(maxsize=1)
def chairs() -> Path:
    """A collection of 24 chairs of boxes, the same for all builds of this process; a job takes milliseconds."""
    folder = Path(tempfile.mkdtemp(prefix="datagen-chairs-")) / "boxes"
    atexit.register(shutil.rmtree, folder.parent, ignore_errors=True)
    return write_plain_chairs(folder, 24)


def arguments(out, *options, limit=24, executor="serial", sets=SETS, renderer="fake", shapes=None):
    line = ["build", "--shapes", str(shapes or chairs()), "--renderer", renderer]
    line += ["--out", str(out), "--executor", executor, *options]
    line += ["--limit", str(limit)] if limit else []
    for assignment in sets:
        line += ["--set", assignment]
    return line


def command(out, *options, **kinds):
    return [sys.executable, "-m", "datagen.cli.main", *arguments(out, *options, **kinds)]


def start(out, *options, environment=None, **kinds):
    """A build in a session of its own: forked, or started afresh where it starts processes itself."""
    if kinds.get("executor", "serial") == "serial" and kinds.get("renderer", "fake") == "fake":
        return fork(arguments(out, *options, **kinds), environment)
    return start_afresh(out, *options, environment=environment, **kinds)


def start_afresh(out, *options, environment=None, **kinds):
    """The same as a command of its own, as a user starts it."""
    env = {**os.environ, **(environment or {})}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        command(out, *options, **kinds), env=env, stdout=quiet, stderr=quiet, start_new_session=True
    )


def run(out, *options, **kinds):
    return start(out, *options, **kinds).wait(timeout=600)


def run_afresh(out, *options, **kinds):
    """What other builds are compared with: its string hashes have a seed that no forked build has."""
    return start_afresh(out, *options, **kinds).wait(timeout=600)


def contents(folder: Path) -> dict[str, bytes]:
    files = [p for name in TREES for p in [folder / name, *(folder / name).rglob("*")] if p.is_file()]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def assert_same(folder: Path, reference: dict[str, bytes]) -> None:
    """Nothing torn, lost, doubled or left over."""
    found = contents(folder)
    assert sorted(found) == sorted(reference)
    assert [name for name in found if found[name] != reference[name]] == []
    rows = read_manifest(folder)
    keys = [(row["job_id"], row["index"]) for row in rows]
    assert len(set(keys)) == len(keys)


def quarantined(folder: Path) -> list[str]:
    """Why jobs were given up."""
    return [f"{e.rows[0].shape_id}: {e.rows[0].detail}" for e in read_folder(folder / "log").values() if e.quarantined]


def in_a_job(folder: Path, pid: int) -> bool:
    """Whether the dead process held a claim: it died inside a job or its commit."""
    claims = folder / "tmp" / "claims"
    owners = [_owner(path) for path in claims.iterdir()] if claims.is_dir() else []
    return any(owner.split(".")[-2] == str(pid) for owner in owners if owner.count(".") >= 2)


def _owner(claim: Path) -> str:
    """The writer a claim names; "" if a running build has just dropped it."""
    try:
        return claim.read_text()
    except OSError:
        return ""


def kill_at_random(out: Path, kills: int, seed: int, executor="serial", limit=24) -> tuple[int, int]:
    """Start builds and kill each with SIGKILL at a random time; (kills, kills inside a job)."""
    rng = random.Random(seed)
    done = inside = 0
    for _ in range(kills):
        before = _committed(out)
        process = start(out, executor=executor, limit=limit)
        if not _wait_for_work(out, process, before, rng):
            process.wait(timeout=600)
            break
        # By progress, not by time: a fast machine would be done before it is killed often enough.
        wanted = _committed(out) + rng.randrange(9)
        while _committed(out) < wanted and process.poll() is None:
            time.sleep(0.002)
        time.sleep(rng.uniform(0.0, 0.03))
        if process.poll() is not None:
            break
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
        done += 1
        inside += in_a_job(out, process.pid)
    return done, inside


def _committed(out: Path) -> int:
    return len(read_folder(out / "log")) if (out / "log").is_dir() else 0


def _wait_for_work(out: Path, process: subprocess.Popen, before: int, rng: random.Random) -> bool:
    """Wait until a job is claimed or committed; False if the build ended first. One kill in twenty comes early."""
    early = rng.random() < 0.05
    deadline = time.monotonic() + (rng.uniform(0.2, 1.0) if early else 60)
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return False
        if in_a_job(out, process.pid) or ((out / "log").is_dir() and len(read_folder(out / "log")) > before):
            return True
        time.sleep(0.05)
    return process.poll() is None
