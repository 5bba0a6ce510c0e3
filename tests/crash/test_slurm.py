"""A real Slurm on this one machine: an array with deaths, `--missing`, requeue on USR1, merge."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from datagen.store.log import LogReader
from tests.crash.harness import SETS, assert_same, chairs, contents, run

TOOLS = ("slurmctld", "slurmd", "munged", "sbatch", "squeue", "scontrol", "scancel")
ABSENT = [tool for tool in TOOLS if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.skipif(bool(ABSENT), reason=f"no Slurm here ({', '.join(ABSENT)}); .ci/run installs it on Debian"),
    pytest.mark.skipif(os.geteuid() != 0, reason="Slurm's daemons are started as root"),
]
LIMIT = 4
TASKS = 16
LATER_POINTS = ("after-fsync", "mid-rename")

CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
SchedulerParameters=sched_interval=2
KillWait=5
MinJobAge=3600
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPort={port}
SlurmdPort={port1}
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=2000 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """munged, slurmctld and slurmd in a folder of their own; ended by their process handles."""
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    folder.chmod(0o755)
    for parent in folder.parents[:2]:
        parent.chmod(0o755)
    munge = ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket"]
    munge += [f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log", f"--seed-file={folder}/munge.seed"]
    host = socket.gethostname().split(".")[0]
    values = {"host": host, "folder": folder, "port": free_port(), "port1": free_port(), "cpus": os.cpu_count()}
    (folder / "slurm.conf").write_text(CONF.format(**values))
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf"), "PATH": bin_path()}
    daemons = [subprocess.Popen(munge, env=environment)]
    time.sleep(1)
    daemons += [subprocess.Popen([name, "-D"], env=environment) for name in ("slurmctld", "slurmd")]
    try:
        wait_for(lambda: "idle" in said(["sinfo", "-h", "-o", "%t"], environment), 60, "the node to be idle")
        yield environment
    finally:
        subprocess.run(["scancel", "--user", "root"], env=environment, capture_output=True)
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.wait(timeout=30)


def bin_path() -> str:
    return f"{Path(sys.executable).parent}:/usr/sbin:{os.environ['PATH']}"


def said(command, environment) -> str:
    return subprocess.run(command, env=environment, capture_output=True, text=True).stdout


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.3)


def scripts(tmp_path, out, environment, *options):
    """The array script that the command writes, cut to this small machine."""
    line = [sys.executable, "-m", "datagen.cli.main", "slurm", "--shapes", str(chairs()), "--out", str(out)]
    line += ["--tasks", str(TASKS), "--to", str(tmp_path / "jobs"), "--cpus", "1", "--mem", "100M", *options]
    for extra in ("--renderer fake", "--executor serial", f"--limit {LIMIT}", *(f"--set '{s}'" for s in SETS)):
        line += ["--extra", extra]
    subprocess.run(line, check=True, env=environment, capture_output=True)
    return tmp_path / "jobs" / "array-0.sh"


def submit(script, tasks, environment, cwd) -> str:
    command = ["sbatch", "--parsable", f"--array={tasks}", str(script)]
    result = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=True)
    return result.stdout.strip()


def drained(job, environment) -> bool:
    return not said(["squeue", "-h", "-j", job], environment).strip()


def missing(out, environment) -> str:
    line = [sys.executable, "-m", "datagen.cli.main", "build", "--shapes", str(chairs()), "--out", str(out)]
    line += ["--limit", str(LIMIT), "--shard", f"0/{TASKS}", "--missing"]
    for assignment in SETS:
        line += ["--set", assignment]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("point", ["before-log", *(pytest.param(p, marks=pytest.mark.soak) for p in LATER_POINTS)])
def test_an_array_with_deaths_ends_in_the_whole(tmp_path, cluster, point):
    """Of 16 shards two never start and five die; --missing lists those that have work left; then all is there."""
    whole, out = tmp_path / "whole", tmp_path / "data"
    assert run(whole, limit=LIMIT) == 0
    script = scripts(tmp_path, out, cluster)
    dying = script.with_name("dying.sh")
    crash = f"export DATAGEN_CRASH={point}:1\nDATAGEN=$"
    dying.write_text(script.read_text().replace("DATAGEN=$", crash, 1))
    wait_done(submit(script, "0-8", cluster, tmp_path), cluster)
    wait_done(submit(dying, "9-13", cluster, tmp_path), cluster)  # 14 and 15 never start
    with_jobs = {int(job[:16], 16) % TASKS for job in LogReader(whole / "log").refresh().entries}
    left = sorted(shard for shard in with_jobs if shard >= 9)
    listed = missing(out, cluster)
    assert expand(listed) == left
    wait_done(submit(script, listed, cluster, tmp_path), cluster)
    assert missing(out, cluster) == ""
    assert_same(out, contents(whole))


def wait_done(job, environment):
    wait_for(lambda: drained(job, environment), 300, f"job {job} to end")


def expand(text) -> list[int]:
    spans = [span.split("-") for span in text.split(",") if span]
    return [k for span in spans for k in range(int(span[0]), int(span[-1]) + 1)]


def test_a_warned_task_requeues_itself_and_goes_on(tmp_path, cluster):
    whole, out = tmp_path / "whole", tmp_path / "data"
    assert run(whole, limit=LIMIT) == 0
    script = scripts(tmp_path, out, cluster)
    script.write_text(script.read_text().replace(f"N={TASKS}", "N=1"))
    job = submit(script, "0", cluster, tmp_path)
    wait_for(lambda: (out / "log").is_dir() and LogReader(out / "log").refresh().entries, 120, "a first job")
    subprocess.run(["scancel", "--signal=USR1", "--batch", f"{job}_0"], env=cluster, check=True)
    wait_for(lambda: "Restarts=1" in said(["scontrol", "show", "job", f"{job}_0"], cluster), 90, "the requeue")
    done = len(LogReader(out / "log").refresh().entries)
    assert 0 < done < len(LogReader(whole / "log").refresh().entries)
    # Slurm holds a requeued job back for a minute or two; a start before slurmd has let go of it fails.
    time.sleep(15)
    subprocess.run(["scontrol", "update", f"jobid={job}_0", "starttime=now"], env=cluster, capture_output=True)
    wait_for(
        lambda: drained(job, cluster) or "COMPLETED" in said(["scontrol", "show", "job", job], cluster), 400, "the end"
    )
    assert_same(out, contents(whole))


def test_node_local_scratch_is_merged(tmp_path, cluster):
    whole, out = tmp_path / "whole", tmp_path / "data"
    assert run(whole, limit=2) == 0
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    script = scripts(tmp_path, out, cluster, "--scratch", str(scratch))
    script.write_text(script.read_text().replace(f"N={TASKS}", "N=3").replace(f"--limit {LIMIT}", "--limit 2"))
    wait_done(submit(script, "0-2", cluster, tmp_path), cluster)
    assert_same(out, contents(whole))
    assert not list(scratch.iterdir())
