"""Folders, names and addresses of the user's surroundings that once crashed a command or lost a file."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from datagen.core.errors import MissingDependency, OtherRecipe, StoppedEarly, UsageError
from datagen.pipeline import ray_start
from datagen.shapes.collections import open_collection
from datagen.store.dataset import Dataset
from tests.conftest import ROOT
from tests.helpers.forked_commands import run_forked
from tests.shapes.helpers import SEAT_BOX

RUN = {"seed": 1}
TASKS = ("--tasks", "2")
BUILD = (
    "build",
    "--shapes",
    "partnet/chair",
    "--recipe",
    "recipes/quickstart.yaml",
    "--limit",
    "1",
    "--renderer",
    "fake",
)


def datagen(*words, **environment):
    command = [sys.executable, "-m", "datagen.cli.main", *words]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, timeout=300, env={**os.environ, "COLUMNS": "400", **environment}
    )
    return done.returncode, done.stderr.decode(errors="replace"), done.stdout.decode(errors="replace")


@pytest.mark.parametrize("name", ["README.md", "shapes.json", "split.json", "images/mine.png", "log/notes.txt"])
def test_somebody_elses_folder_is_refused_and_left_as_it_is(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=name.split("/")[0]):
        Dataset.open(tmp_path, RUN)
    assert sorted(tmp_path.rglob("*")) == before and (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize("text", ["[1, 2]", "null", '{"wandb": 1}', "\xff\xfe", ""])
def test_a_run_json_of_another_program_is_another_run(tmp_path, text):
    (tmp_path / "run.json").write_text(text, encoding="latin-1")
    with pytest.raises(OtherRecipe, match="damaged or of another program"):
        Dataset.open(tmp_path, RUN)
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_other_files_and_empty_folders_stay_beside_a_dataset(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "images").mkdir()
    Dataset.open(tmp_path, RUN).close()
    Dataset.open(tmp_path, RUN).close()
    assert (tmp_path / "notes.txt").read_text() == "mine" and (tmp_path / "run.json").is_file()


def test_brackets_in_a_path_are_no_markup(tmp_path):
    out = tmp_path / "set [v1] [/]"
    code, told, _ = datagen(*BUILD, "--executor", "serial", "--out", str(out))
    assert code == 0 and f"building into {out}" in told and f"dataset: {out}" in told, told
    code, _, answer = datagen(
        "slurm", "--shapes", "partnet/chair", "--out", str(out), "--to", str(tmp_path / "a [b]"), *TASKS
    )
    assert code == 0 and f"'{tmp_path}/a [b]/array-0.sh'" in answer, answer


def test_names_that_are_not_utf8_are_refused_by_name(tmp_path):
    folder = tmp_path / os.fsdecode(b"ch\xff1")
    folder.mkdir()
    (folder / "m.obj").write_text(SEAT_BOX)
    for textured in (False, True):
        with pytest.raises(UsageError, match=r"ch\\udcff1: the name is not UTF-8"):
            open_collection(str(tmp_path), textured=textured)
    with pytest.raises(UsageError, match="not UTF-8"):
        Dataset.open(tmp_path / os.fsdecode(b"o\xff"), RUN)


def test_an_address_where_no_cluster_answers_is_exit_5(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    code, told, _ = datagen(*BUILD, "--out", str(tmp_path / "out"), RAY_ADDRESS=address)
    assert code == 5 and told.splitlines()[-1].startswith(f"MissingDependency: RAY_ADDRESS={address}"), told
    with pytest.raises(MissingDependency, match="no host:port"):
        ray_start.check_address("head")


def test_a_port_of_somebody_else_is_no_cluster(monkeypatch):
    monkeypatch.setattr(ray_start, "CONNECT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].sendall(b"220 mail ready\r\n"), daemon=True).start()
        with pytest.raises(MissingDependency, match="no Ray cluster"):
            ray_start.check_address(f"127.0.0.1:{server.getsockname()[1]}")


def test_a_long_temporary_folder_is_not_used_for_sockets(tmp_path, monkeypatch):
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    folder = ray_start._session_folder()
    assert len(os.fsencode(folder)) < 45 and not folder.startswith(str(long))
    Path(folder).rmdir()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(MissingDependency, match="set TMPDIR"):
        ray_start._session_folder()


def test_a_machine_too_busy_for_ray_is_exit_75_in_one_line(monkeypatch):
    """Ray's own words where its processes are late; it is started once more, and nothing of it is left behind."""
    folders, pauses, late = [], [], []

    def times_out(**options):
        folders.append(Path(options["_temp_dir"]))
        late.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", options["_temp_dir"]]))
        while not Path(f"/proc/{late[-1].pid}/cmdline").read_bytes():
            pass  # the kernel tells a new process's words a moment after its start
        raise Exception("The current node timed out during startup.\n This could happen because ...")

    monkeypatch.setattr(ray_start.ray, "init", times_out)
    monkeypatch.setattr(ray_start.time, "sleep", pauses.append)
    with pytest.raises(StoppedEarly) as told:
        ray_start.start_here(1)
    message = str(told.value)
    assert told.value.exit_code == 75 and "\n" not in message
    assert "in 2 tries" in message and "timed out during startup" in message and "run the same command again" in message
    assert len(folders) == 2 and not any(folder.exists() for folder in folders)
    assert sum(pauses) == ray_start.PAUSE_S
    assert [process.wait(10) for process in late] == [-signal.SIGKILL] * 2


def test_a_second_start_of_ray_is_enough(monkeypatch):
    answers = [Exception("timed out"), None]

    def late_once(**options):
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    monkeypatch.setattr(ray_start.ray, "init", late_once)
    monkeypatch.setattr(ray_start.time, "sleep", lambda _: None)
    folder = Path(ray_start.start_here(1))
    assert not answers and folder.is_dir()
    folder.rmdir()


def test_a_smaller_limit_says_that_the_figures_are_of_the_whole_folder(tmp_path, plain_chairs):
    line = ["build", "--shapes", plain_chairs, "--renderer", "fake", "--executor", "serial", "--out", tmp_path / "data"]
    line += ["--set", "query.size_px=64", "--set", "reference.views=2", "--set", "anomaly.slots_per_shape=1"]
    assert "figures of the whole folder" not in run_forked([*line, "--limit", "2"]).stderr
    assert "figures of the whole folder, which holds more than --limit 1" in run_forked([*line, "--limit", "1"]).stderr


def test_an_output_inside_the_collection_is_refused(tmp_path):
    (tmp_path / "chairs").mkdir()
    (tmp_path / "chairs" / "seat.obj").write_text(SEAT_BOX)
    line = ["build", "--shapes", tmp_path / "chairs", "--renderer", "fake", "--executor", "serial"]
    said = run_forked([*line, "--out", tmp_path / "chairs" / "out"])
    assert (
        said.returncode == 2 and "lies in the collection" in said.stderr and not (tmp_path / "chairs" / "out").exists()
    )
    said = run_forked([*line, "--out", tmp_path / "data", "--skip", "nosuch"])
    assert said.returncode == 2 and "--skip nosuch" in said.stderr
    said = run_forked([*line, "--out", tmp_path / ("x" * 300)])
    assert said.returncode == 2 and "choose a shorter path" in said.stderr


def test_what_a_terminal_acts_on_is_written_out(tmp_path):
    said = run_forked(["verify", tmp_path / "two\nlines\x1b[31m"])
    assert said.returncode == 2 and r"two\nlines\x1b[31m" in said.stderr and len(said.stderr.splitlines()) == 1
