"""Rows that stay on the disk are those of the manifest and of the logs, in one order."""

import shutil

import pytest

from datagen.core.row import Row
from datagen.store import rows as rows_module
from datagen.store.log import entry_line, read_folder
from datagen.store.manifest import read_manifest
from datagen.store.rows import Chosen, StoredRows, committed_rows
from datagen.verify.tree import open_tree


@pytest.fixture
def copy(fake_dataset, tmp_path):
    root = tmp_path / "set"
    root.mkdir()
    shutil.copytree(fake_dataset / "log", root / "log")
    shutil.copy(fake_dataset / "manifest.parquet", root)
    return root


def test_rows_of_a_manifest_are_its_rows(copy):
    found = committed_rows(copy)
    assert list(found.rows) == read_manifest(copy) and not found.problem
    assert found.rows[-1] == read_manifest(copy)[-1] and list(found.rows[3:7:2]) == read_manifest(copy)[3:7:2]
    with pytest.raises(IndexError):
        found.rows[len(found.rows)]


def test_a_manifest_in_another_order_is_sorted(copy, monkeypatch):
    told = read_manifest(copy)
    monkeypatch.setattr(rows_module, "iter_manifest", lambda root: iter([told[40:], told[:40]]))
    assert list(committed_rows(copy).rows) == told


@pytest.mark.parametrize("damage", ["gone", "torn", "a folder", "older"])
def test_rows_of_the_logs_stand_in_for_a_manifest(copy, damage):
    path = copy / "manifest.parquet"
    told, data = read_manifest(copy), path.read_bytes()
    path.unlink()
    if damage == "torn":
        path.write_bytes(data[:3000])
    elif damage == "a folder":
        path.mkdir()
    elif damage == "older":
        path.write_bytes(data)
        row = Row("zzz", 0, "rejection", "rejected", "1017", 1017, "train", "s", 0)
        (copy / "log" / "later.1.jsonl").write_bytes(entry_line("zzz", (row,), {}))
    found = [dict(row) for row in committed_rows(copy).rows]
    assert [(row["job_id"], row["index"]) for row in found[: len(told)]] == [(r["job_id"], r["index"]) for r in told]
    assert [row["sha256"] for row in found[: len(told)]] == [row["sha256"] for row in told]
    assert len(found) == len(told) + (damage == "older")


def test_a_quarantined_job_gives_way_and_one_that_is_superseded_goes(copy, tmp_path):
    (copy / "manifest.parquet").unlink()
    job_id, entry = next(iter(read_folder(copy / "log").items()))
    stuck = Row("stuck", 0, "quarantine", "quarantined", "1017", 1017, "train", "s", 0)
    again = Row("again", 0, "quarantine", "quarantined", "1017", 1017, "train", "s", 0)
    lines = [
        entry_line("stuck", (stuck,), {"t": 1.0}),
        entry_line("again", (again,), {"t": 1.0}),
        entry_line("again", (), {"t": 2.0, "superseded": True}),
        entry_line(job_id, entry.rows[:1], {"t": 9.0}),
    ]
    (copy / "log" / "zz.1.jsonl").write_bytes(b"".join(lines))
    found = [row["job_id"] for row in committed_rows(copy).rows]
    assert found.count("stuck") == 1 and "again" not in found and found.count(job_id) == len(entry.rows)


def test_nothing_to_read_is_told(tmp_path):
    assert committed_rows(tmp_path).problem == "it has no manifest.parquet"
    (tmp_path / "manifest.parquet").write_bytes(b"PAR1")
    found = committed_rows(tmp_path)
    assert not found.rows and found.problem


def test_chosen_rows_are_read_from_those_they_are_of():
    rows = StoredRows()
    rows.extend({"k": k} for k in range(10))
    chosen = Chosen(rows, (7, 3, 5))
    assert [row["k"] for row in chosen] == [7, 3, 5] and [row["k"] for row in chosen[1:]] == [3, 5]
    assert rows[-1] == {"k": 9} and len(rows) == 10 and len(chosen) == 3


def test_verify_and_export_read_the_same_rows(fake_dataset):
    assert list(committed_rows(fake_dataset).rows) == list(
        open_tree(fake_dataset, ["images", "annotations", "shapes"]).rows
    )
