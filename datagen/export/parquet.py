"""Parquet shards of one table with pictures in it, split by split, in memory that does not grow with the table."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.export.hub_card import Column, features

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
    """<folder>/<split>-<k>-of-<n>.parquet; a context manager that names the files when all are written."""

    def __init__(self, folder: Path, columns: Sequence[Column], most_bytes: int) -> None:
        self._folder, self._most = folder, most_bytes
        told = json.dumps({"info": {"features": features(columns)}})
        self._schema = _schema(columns).with_metadata({"huggingface": told})
        self._open: dict[str, _Split] = {}

    def __enter__(self) -> "Shards":
        self._folder.mkdir(parents=True)
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        for split in self._open.values():
            split.close(named=failed is None)

    def add(self, split: str, row: dict[str, Any]) -> None:
        """One row. Raises OSError."""
        name = hub_split(split)
        if name not in self._open:
            self._open[name] = _Split(self._folder, name, self._schema, self._most)
        self._open[name].add(row)

    @property
    def splits(self) -> tuple[str, ...]:
        """Those that rows were added to, sorted."""
        return tuple(sorted(self._open))


class _Split:
    """The shards of one split."""

    def __init__(self, folder: Path, name: str, schema: pa.Schema, most: int) -> None:
        self._folder, self._name, self._schema, self._most = folder, name, schema, most
        self._rows: list[dict[str, Any]] = []
        self._waiting = self._written = 0
        self._parts: list[Path] = []
        self._writer: pq.ParquetWriter | None = None

    def add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        self._waiting += sum(len(value["bytes"]) for value in row.values() if isinstance(value, dict))
        if len(self._rows) >= GROUP_ROWS or self._waiting >= GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._writer is not None and self._written + self._waiting > self._most:
            self._writer.close()
            self._writer, self._written = None, 0
        if self._writer is None:
            self._parts.append(self._folder / f"{self._name}-{len(self._parts)}.part")
            self._writer = pq.ParquetWriter(
                self._parts[-1], self._schema, compression="zstd", version="2.6", use_dictionary=False
            )
        self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._written += self._waiting
        self._rows, self._waiting = [], 0

    def close(self, named: bool) -> None:
        if named and self._rows:
            self._flush()
        if self._writer is not None:
            self._writer.close()
        if named:
            for k, part in enumerate(self._parts):
                part.rename(self._folder / f"{self._name}-{k:05d}-of-{len(self._parts):05d}.parquet")


def _schema(columns: Sequence[Column]) -> pa.Schema:
    return pa.schema([(name, _type(kind)) for name, kind in columns])


def _type(kind: str | list[Any]) -> pa.DataType:
    return pa.list_(pa.struct(list(_schema(kind)))) if isinstance(kind, list) else TYPES[kind]
