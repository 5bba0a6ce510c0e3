"""Interrupted exports go on, to the byte; a full disk ends with 75 and leaves no half shard; failures leave nothing."""

import errno
import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from datagen.core.errors import EXIT_STOPPED_EARLY, BrokenFile, StoppedEarly, UsageError
from datagen.export import points
from datagen.export.files import put
from datagen.export.hub import Hub
from datagen.export.journal import Journal, Note
from datagen.export.registry import BUILT_IN
from datagen.export.run import export_dataset
from datagen.export.unfinished import Unfinished
from datagen.export.webdataset import WebDataset
from datagen.store.reader import DatasetReader
from tests.conftest import ROOT

SMALL = {"webdataset": WebDataset(shard_bytes=100_000), "hub": Hub(shard_bytes=20_000)}
"""So that a small dataset has several shards."""


def tree(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def small_shards(monkeypatch):
    exporters = tuple(SMALL.get(exporter.name, exporter) for exporter in BUILT_IN)
    for module in ("registry", "run"):
        monkeypatch.setattr(f"datagen.export.{module}.BUILT_IN", exporters)
    monkeypatch.setattr("datagen.export.parquet.GROUP_ROWS", 3)


@pytest.fixture
def reads(monkeypatch):
    """Counts what is read of a dataset; `reads[0]` may be set to the number of the read that fails, `reads[1]` how."""
    told = {"count": 0, "fails_at": None, "error": None}
    read = DatasetReader.read

    def counted(self, path):
        told["count"] += 1
        if told["count"] == told["fails_at"]:
            raise told["error"]
        return read(self, path)

    monkeypatch.setattr(DatasetReader, "read", counted)
    return told


@pytest.mark.parametrize("name", ["fake_dataset", "scene_dataset"])
@pytest.mark.parametrize("to", [exporter.name for exporter in BUILT_IN if exporter.name != "points"])
def test_an_interrupted_export_goes_on_to_the_same_bytes(small_shards, reads, request, tmp_path, to, name):
    root = request.getfixturevalue(name)
    try:
        whole = export_dataset(root, to, tmp_path / "whole")
    except UsageError as refused:
        pytest.skip(str(refused))
    all_reads, reads["count"] = reads["count"], 0
    reads |= {"fails_at": all_reads * 2 // 3, "error": KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        export_dataset(root, to, tmp_path / "out")
    (left,) = tmp_path.glob(".out.*.part")
    assert not (tmp_path / "out").exists() and not list(left.rglob("*.part"))
    reads |= {"fails_at": None, "count": 0}
    assert export_dataset(root, to, tmp_path / "out") == whole
    assert reads["count"] < all_reads * 0.9, "what was finished is not read again"
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "whole"]


def test_clouds_go_on_after_the_shapes_that_are_whole(monkeypatch, fake_dataset, tmp_path):
    sets = ["points=300", "templates=1"]
    whole = export_dataset(fake_dataset, "points", tmp_path / "whole", sets)
    written = []

    def failing(data, target):
        if len(written) == fails_at:
            raise KeyboardInterrupt
        written.append(target)
        put(data, target)

    monkeypatch.setattr(points, "put", failing)
    fails_at = 30
    with pytest.raises(KeyboardInterrupt):
        export_dataset(fake_dataset, "points", tmp_path / "out", sets)
    fails_at = None
    assert export_dataset(fake_dataset, "points", tmp_path / "out", sets) == whole
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    assert len(written) < 1.5 * len(list((tmp_path / "out").rglob("*.*"))), "what was finished is not written again"


@pytest.mark.parametrize("to", ["coco", "hub", "webdataset"])
def test_a_full_disk_ends_with_75_and_no_half_shard(small_shards, reads, fake_dataset, tmp_path, to):
    reads |= {"fails_at": 60, "error": OSError(errno.ENOSPC, "No space left on device")}
    with pytest.raises(StoppedEarly, match=r"\d+ pictures are kept; make room and run the same command again") as full:
        export_dataset(fake_dataset, to, tmp_path / "out")
    assert full.value.exit_code == EXIT_STOPPED_EARLY
    assert not (tmp_path / "out").exists()
    (left,) = tmp_path.glob(".out.*.part")
    assert not list(left.rglob("*.part")), "a shard that is not whole is removed"
    export_dataset(fake_dataset, to, tmp_path / "out")
    export_dataset(fake_dataset, to, tmp_path / "whole")
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a tmpfs")
@pytest.mark.parametrize("to, size", [("coco", "256k"), ("webdataset", "1m")])
def test_a_disk_that_is_full_and_a_kill_cost_nothing_but_time(fake_dataset, tmp_path, to, size):
    """The command on a tmpfs of a few MB: 75, then a kill, then with room the same bytes as elsewhere."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = [sys.executable, "-m", "datagen.cli.main", "export", fake_dataset, "--to", to, "--out", disk / "out"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], check=True)
    try:
        full = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert full.returncode == 75 and "pictures are kept; make room and run the same command again" in full.stderr
        assert not (disk / "out").exists() and not list(disk.rglob("*.part/**/*.part"))
        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        killed = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        while killed.poll() is None and not any(disk.glob(".out.*.part/tree/*")):
            time.sleep(0.01)
        killed.kill()
        killed.wait()
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        export_dataset(fake_dataset, to, tmp_path / "whole")
        assert tree(disk / "out") == tree(tmp_path / "whole")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_an_export_of_other_rows_begins_anew_and_failures_leave_nothing(reads, fake_dataset, scene_dataset, tmp_path):
    reads |= {"fails_at": 100, "error": KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        export_dataset(fake_dataset, "coco", tmp_path / "out")
    reads |= {"fails_at": 120, "error": BrokenFile("a mask")}
    with pytest.raises(BrokenFile):
        export_dataset(scene_dataset, "coco", tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_two_exports_to_one_place_are_refused(fake_dataset, tmp_path, reads):
    reads |= {"fails_at": 100, "error": KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        export_dataset(fake_dataset, "coco", tmp_path / "out")
    (left,) = tmp_path.glob(".out.*.part")
    with (left / "lock").open("r") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="another export writes"):
            export_dataset(fake_dataset, "coco", tmp_path / "out")
    assert export_dataset(fake_dataset, "coco", tmp_path / "out").pictures


def test_a_torn_line_of_the_journal_is_dropped(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.note(Note("a", "train", 1, (("broken", 7),), 1, "one"))
    journal.note(Note("b", "val", pictures=1), Note("c", "val", pictures=1))
    journal.close()
    path.write_bytes(path.read_bytes()[:-5])
    again = Journal(path)
    assert "a" in again and "b" not in again and "c" not in again and not again.takes("one") and again.takes("two")
    assert (again.counts.pictures, again.counts.exported().mask_px) == (1, 7)
    again.note(Note("b", "val", pictures=1))
    assert len(list(again.told())) == 2 and len(list(again.told("val"))) == 1


def test_another_format_for_the_same_folder_waits(fake_dataset, tmp_path):
    with Unfinished(tmp_path / "out", "0" * 16, True), pytest.raises(UsageError, match="another export writes"):
        export_dataset(fake_dataset, "coco", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir() if path.name != f".out.{'0' * 16}.part"] == []
    assert export_dataset(fake_dataset, "coco", tmp_path / "out").pictures


def test_rows_of_the_logs_in_place_of_a_torn_manifest_are_told(fake_dataset, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(fake_dataset, root)
    whole = export_dataset(root, "coco", tmp_path / "whole")
    path = root / "manifest.parquet"
    path.write_bytes(path.read_bytes()[:3000])
    found = export_dataset(root, "coco", tmp_path / "out")
    assert found == whole and not whole.notes
    (note,) = found.notes
    assert "manifest.parquet cannot be read" in note and "logs" in note
