"""Reading a parquet file without leaving a thread behind."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def read_parquet(source: Path | bytes) -> pa.Table:
    """The whole table, read on the calling thread. Raises OSError, pyarrow.ArrowException.

    `pyarrow.parquet.read_table` reads on threads of its own, and one that still lets go of a Python buffer while the
    interpreter ends aborts the process (apache/arrow issue 34314): a clear error then ends with signal 6.
    """
    where = pa.BufferReader(source) if isinstance(source, bytes) else source
    with pq.ParquetFile(where, pre_buffer=False) as file:
        return file.read(use_threads=False)
