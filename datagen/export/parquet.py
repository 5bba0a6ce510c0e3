"""Parquet shards of one table with pictures in it, split by split, in memory that does not grow with the table."""

import contextlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.export.hub_card import Column, features
from datagen.export.journal import Journal, Note

GROUP_ROWS, GROUP_BYTES = 100, 32 << 20
"""A row group ends with the row that reaches either; readers of single rows fetch whole groups."""
TYPES = {
    "image": pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    "label": pa.int64(),
    "box": pa.list_(pa.float64()),
    "string": pa.string(),
    "int64": pa.int64(),
}


def picture(data: bytes, path: str) -> dict[str, Any]:
    """A value of type `image`."""
    return {"bytes": data, "path": path}


def hub_split(split: str) -> str:
    """A split's name in word characters alone: seen_test."""
    return re.sub(r"\W", "_", split)


class Shards:
    """<folder>/<split>-<k>-of-<n>.parquet; a context manager that names the files when all are written.

    What a row stands for is noted in the journal once its shard is whole.
    """

    def __init__(self, folder: Path, columns: Sequence[Column], most_bytes: int, journal: Journal) -> None:
        self._folder, self._most, self._journal = folder, most_bytes, journal
        told = json.dumps({"info": {"features": features(columns)}})
        self._schema = _schema(columns).with_metadata({"huggingface": told})
        self._open: dict[str, _Split] = {}

    def __enter__(self) -> "Shards":
        self._folder.mkdir(parents=True, exist_ok=True)
        # Splits whose rows an interrupted export wrote all.
        for whole in (*self._folder.glob("*-0.whole"), *self._folder.glob("*-00000-of-*.parquet")):
            self._split(whole.name.partition("-")[0])
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        for split in self._open.values():
            split.finish() if failed is None else split.drop()

    def add(self, split: str, row: dict[str, Any], note: Note) -> None:
        """One row. Raises OSError."""
        self._split(hub_split(split)).add(row, note)

    def _split(self, name: str) -> "_Split":
        if name not in self._open:
            self._open[name] = _Split(self._folder, name, self._schema, self._most, self._journal)
        return self._open[name]

    @property
    def splits(self) -> tuple[str, ...]:
        """Those that hold rows, sorted."""
        return tuple(sorted(self._open))


class _Split:
    """The shards of one split: `<split>.part` while it grows, `<split>-<k>.whole` until their number is known."""

    def __init__(self, folder: Path, name: str, schema: pa.Schema, most: int, journal: Journal) -> None:
        self._folder, self._name, self._schema, self._most, self._journal = folder, name, schema, most, journal
        self._rows: list[dict[str, Any]] = []
        self._new_notes: list[Note] = []
        self._notes: list[Note] = []
        self._waiting = self._written = 0
        self._writer: pq.ParquetWriter | None = None
        self._word = f"shard {folder.name} {name}"
        self._number = journal.first_free(self._word)

    @property
    def _part(self) -> Path:
        return self._folder / f"{self._name}.part"

    def add(self, row: dict[str, Any], note: Note) -> None:
        self._rows.append(row)
        self._new_notes.append(note)
        self._waiting += sum(len(value["bytes"]) for value in row.values() if isinstance(value, dict))
        if len(self._rows) >= GROUP_ROWS or self._waiting >= GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._written + self._waiting > self._most:
            self._close()
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._part, self._schema, compression="zstd", version="2.6", use_dictionary=False
            )
        self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._written += self._waiting
        self._notes += self._new_notes
        self._rows, self._new_notes, self._waiting = [], [], 0

    def _close(self) -> None:
        """The shard is whole, then its rows are noted."""
        if self._writer is None:
            return
        self._writer.close()
        self._part.rename(self._whole(self._number))
        self._journal.note(*self._notes, Note(f"{self._word} {self._number}"))
        self._number, self._writer, self._written, self._notes = self._number + 1, None, 0, []

    def _whole(self, number: int) -> Path:
        return self._folder / f"{self._name}-{number}.whole"

    def finish(self) -> None:
        """Write what waits, then name the shards by their number. Raises OSError."""
        if self._rows:
            self._flush()
        self._close()
        for k in range(self._number):
            named = self._folder / f"{self._name}-{k:05d}-of-{self._number:05d}.parquet"
            if self._whole(k).exists():
                self._whole(k).rename(named)

    def drop(self) -> None:
        """Leave whole shards alone."""
        with contextlib.suppress(OSError, pa.ArrowException):
            if self._writer is not None:
                self._writer.close()
        self._part.unlink(missing_ok=True)


def _schema(columns: Sequence[Column]) -> pa.Schema:
    return pa.schema([(name, _type(kind)) for name, kind in columns])


def _type(kind: str | list[Any]) -> pa.DataType:
    return pa.list_(pa.struct(list(_schema(kind)))) if isinstance(kind, list) else TYPES[kind]
