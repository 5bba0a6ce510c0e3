"""Files that are whole or not there."""

from pathlib import Path

import pytest

from datagen.store.files import replace_atomic, write_whole


def test_files_replace_what_was_there_with_the_rights_of_the_umask_and_leave_nothing(tmp_path: Path):
    plain, whole, durable = (tmp_path / "out" / name for name in ("plain", "whole", "durable"))
    write_whole(whole, b"old")
    write_whole(whole, b"new")
    replace_atomic(durable, b"new", tmp_path)
    plain.write_bytes(b"new")
    assert {path.read_bytes() for path in (whole, durable)} == {b"new"}
    assert len({path.stat().st_mode for path in (plain, whole, durable)}) == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["durable", "plain", "whole"]


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_beside(tmp_path: Path):
    (tmp_path / "taken" / "inner").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "taken", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
