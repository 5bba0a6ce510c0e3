"""The commit protocol in its single-process form."""

import cProfile
import io
import json
import os
import pstats
import socket
import stat

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datagen.core.errors import OtherRecipe, StoppedEarly, UsageError
from datagen.core.row import Bundle, Job, Row
from datagen.store import log, manifest
from datagen.store.dataset import Dataset
from datagen.store.log import LogEntry, LogReader, any_torn, read_folder
from datagen.store.manifest import SCHEMA, manifest_bytes, read_manifest

RUN = {"recipe_hash": "a", "seed": 0}


def job(name="j1"):
    return Job(name, "normal", "chair", 0, "normal", 1, "train", 1)


def bundle(name="j1", data=b"picture"):
    path = f"images/{name}/render_1.png"
    row = Row(name, 0, "sample", "ok", "chair", 1, "train", "test", 0, sha256={path: ""}, query_path=path)
    return Bundle(job(name), {path: data}, (row,), {"render": 1.5})


def test_commit_then_compact(tmp_path):
    dataset = Dataset.open(tmp_path / "d", RUN)
    rows = dataset.commit(bundle())
    assert len(rows[0].sha256["images/j1/render_1.png"]) == 64
    dataset.compact()
    dataset.close()
    (row,) = read_manifest(tmp_path / "d")
    assert row["job_id"] == "j1" and row["sha256"] == dict(rows[0].sha256)
    assert [p.name for p in (tmp_path / "d" / "tmp").iterdir()] == ["claims"]
    assert Dataset.open(tmp_path / "d", RUN).is_done("j1")


def test_a_torn_last_line_is_not_a_commit(tmp_path):
    dataset = Dataset.open(tmp_path / "d", RUN)
    dataset.commit(bundle("j1"))
    dataset.commit(bundle("j2"))
    (log,) = (tmp_path / "d" / "log").glob("*.jsonl")
    log.write_bytes(log.read_bytes()[:-20])
    assert set(read_folder(tmp_path / "d" / "log")) == {"j1"}


def test_another_recipe_is_refused_and_nothing_written(tmp_path):
    Dataset.open(tmp_path / "d", RUN).close()
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "d").rglob("*")}
    with pytest.raises(OtherRecipe, match="seed"):
        Dataset.open(tmp_path / "d", {**RUN, "seed": 1})
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "d").rglob("*")} == before


@pytest.mark.parametrize("path", ["images/x", "render_3/x", "a.png/x"])
def test_paths_that_break_the_published_loader_are_refused(tmp_path, path):
    with pytest.raises(UsageError, match="published loader"):
        Dataset.open(tmp_path / path, RUN)
    assert not (tmp_path / path.split("/")[0]).exists()


def test_an_output_that_is_a_file(tmp_path):
    (tmp_path / "d").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        Dataset.open(tmp_path / "d", RUN)


def test_quarantine_is_tried_again_and_outranked(tmp_path):
    dataset = Dataset.open(tmp_path / "d", RUN)
    dataset.quarantine(job(), Row("j1", 0, "quarantine", "quarantined", "chair", 1, "train", "test", 0))
    dataset.refresh()
    assert not dataset.is_done("j1")
    dataset.commit(bundle())
    dataset.refresh()
    assert dataset.is_done("j1") and read_folder(tmp_path / "d" / "log")["j1"].rows[0].row_type == "sample"


def test_a_full_disk_stops_cleanly(tmp_path, monkeypatch):
    dataset = Dataset.open(tmp_path / "d", RUN)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoppedEarly, match="No space left"):
        dataset.commit(bundle())
    monkeypatch.undo()
    dataset.refresh()
    assert not dataset.is_done("j1")
    dataset.commit(bundle())
    dataset.refresh()
    assert dataset.is_done("j1")


def test_a_worker_reads_the_logs_only_where_files_are_in_the_way(tmp_path, monkeypatch):
    Dataset.open(tmp_path / "d", RUN)
    looked = []
    refresh = LogReader.refresh
    monkeypatch.setattr(LogReader, "refresh", lambda self: looked.append(1) or refresh(self))
    assert Dataset.join(tmp_path / "d", RUN).commit(bundle())
    assert not looked
    assert Dataset.join(tmp_path / "d", RUN).commit(bundle())
    assert looked and len(list((tmp_path / "d" / "log").glob("*.jsonl"))) == 1


def test_logs_of_writers_that_ended_are_not_looked_at_again(tmp_path, monkeypatch):
    line = b'{"job_id": "%s", "rows": [], "cost": {}}\n'
    ended = tmp_path / f"{socket.gethostname()}.999999999.aa.jsonl"
    elsewhere = tmp_path / "another-host.999999999.bb.jsonl"
    for path in (ended, elsewhere):
        path.write_bytes(line % b"j1")
    reader = LogReader(tmp_path).refresh().refresh()
    for path in (ended, elsewhere):
        path.write_bytes(line % b"j1" + line % path.name[:7].encode())
    assert set(reader.refresh().entries) == {"j1", "another"}


def test_a_glance_costs_the_same_after_any_number_of_writers(tmp_path):
    costs = []
    for count in (20, 400):
        folder = tmp_path / str(count)
        folder.mkdir()
        for k in range(count):
            for host in (socket.gethostname(), "another-host"):
                (folder / f"{host}.999999999.{k:04d}.jsonl").touch()
        os.utime(folder, (1e9, 1e9))
        reader = LogReader(folder).refresh().refresh()
        profile = cProfile.Profile()
        profile.runcall(reader.glance)
        costs.append(pstats.Stats(profile).total_calls)
    assert costs[0] == costs[1]


def test_a_glance_sees_new_logs_and_in_time_those_of_other_hosts(tmp_path, monkeypatch):
    line = b'{"job_id": "%s", "rows": [], "cost": {}}\n'
    here, elsewhere = tmp_path / f"{socket.gethostname()}.1.aa.jsonl", tmp_path / "another-host.1.bb.jsonl"
    elsewhere.write_bytes(line % b"j1")
    os.utime(tmp_path, (1e9, 1e9))
    reader = LogReader(tmp_path).refresh()
    here.write_bytes(line % b"j2")
    elsewhere.write_bytes(line % b"j1" + line % b"j3")
    reader.glance()
    assert set(reader.entries) == {"j1", "j2"}
    monkeypatch.setattr(log, "ELSEWHERE_S", 0.0)
    reader.glance()
    assert set(reader.entries) == {"j1", "j2", "j3"}


@pytest.mark.parametrize(("data", "torn"), [(b"", False), (b"{}\n", False), (b'{}\n{"job', True), (b"{", True)])
def test_a_torn_log_is_told_by_its_end(tmp_path, data, torn):
    (tmp_path / "host.1.aa.jsonl").write_bytes(data)
    assert any_torn(tmp_path) is torn


def test_run_record_is_json(tmp_path):
    Dataset.open(tmp_path / "d", RUN).close()
    assert json.loads((tmp_path / "d" / "run.json").read_text()) == RUN
    assert stat.S_ISREG((tmp_path / "d" / "run.json").stat().st_mode)


def test_a_manifest_of_several_groups_is_written_as_one_table(monkeypatch):
    entries = [LogEntry(name, bundle(name).rows, {"render": 1.5}) for name in ("j3", "j1", "j2")]
    monkeypatch.setattr(manifest, "GROUP_ROWS", 2)
    groups = pq.ParquetFile(io.BytesIO(manifest_bytes(entries)))
    assert [groups.metadata.row_group(k).num_rows for k in range(groups.num_row_groups)] == [2, 1]
    table = groups.read()
    assert table.column("job_id").to_pylist() == ["j1", "j2", "j3"] and table.schema.equals(SCHEMA)
    rows = sorted((row for entry in entries for row in entry.rows), key=lambda row: row.job_id)
    table = pa.Table.from_pylist([manifest._record(row) for row in rows], schema=SCHEMA)
    whole = io.BytesIO()
    pq.write_table(table, whole, compression="zstd", compression_level=3, version="2.6", row_group_size=2)
    assert manifest_bytes(entries) == whole.getvalue()
