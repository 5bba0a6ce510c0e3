"""Reading parquet on the calling thread: a thread left behind may abort the process at its end."""

import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datagen.store.parquet import read_parquet
from tests.conftest import ROOT

TABLE = pa.table({"name": ["a", "b"], "value": [1.5, None]})

COUNT = """
import os, sys
from pathlib import Path
import datagen.store.manifest
from datagen.store.parquet import read_parquet
path = Path(sys.argv[1])
before = len(os.listdir("/proc/self/task"))
read_parquet(path)
read_parquet(path.read_bytes())
print(len(os.listdir("/proc/self/task")) - before)
"""


def test_a_file_and_its_bytes_are_the_table(tmp_path):
    pq.write_table(TABLE, tmp_path / "x.parquet")
    assert read_parquet(tmp_path / "x.parquet") == TABLE
    assert read_parquet((tmp_path / "x.parquet").read_bytes()) == TABLE


def test_reading_leaves_no_thread(tmp_path):
    """pyarrow's own read_table leaves two; one of them ended `datagen train`'s clear error with signal 6."""
    pq.write_table(TABLE, tmp_path / "x.parquet")
    command = [sys.executable, "-c", COUNT, tmp_path / "x.parquet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "0"


@pytest.mark.parametrize("content", [b"", b"PAR1 cut short"])
def test_damage_is_an_arrow_or_os_error(tmp_path, content):
    (tmp_path / "x.parquet").write_bytes(content)
    for source in (tmp_path / "x.parquet", content):
        with pytest.raises((pa.ArrowException, OSError)):
            read_parquet(source)
