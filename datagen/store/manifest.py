"""manifest.parquet and cost.parquet: the logs, sorted, with fixed writer settings."""

import io
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.core.row import SCHEMA_VERSION, Row
from datagen.store.log import LogEntry

GROUP_ROWS = 65_536
"""Rows of a row group."""

_STRING = [
    "job_id",
    "row_type",
    "status",
    "shape_id",
    "split",
    "source",
    "sample_id",
    "stage",
    "reason",
    "detail",
    "kind",
    "part",
    "part_class",
    "method",
    "spec",
    "query_path",
    "annotation_path",
    "mask_new_path",
    "mask_old_path",
    "versions",
]
_INT = [
    "index",
    "public_id",
    "seed",
    "label",
    "part_id",
    "light_id",
    "texture_id",
    "visible_px",
    "changed_px",
    "repaired_part_id",
]
_FLOAT = ["severity", "iou", "azimuth_deg", "elevation_deg", "radius", "query_scale"]
_VECTOR = ["bbox_xywh_512", "K", "T_world_camera", "T_shape_source"]

_STRINGS = ["material_ids", "warnings"]

SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in _STRING),
        *(pa.field(name, pa.int64()) for name in _INT),
        *(pa.field(name, pa.float64()) for name in _FLOAT),
        *(pa.field(name, pa.list_(pa.float64())) for name in _VECTOR),
        *(pa.field(name, pa.list_(pa.string())) for name in _STRINGS),
        pa.field("sha256", pa.map_(pa.string(), pa.string())),
    ],
    metadata={"schema_version": str(SCHEMA_VERSION)},
)


_SHARED = {
    *("row_type", "status", "shape_id", "split", "source", "stage", "reason", "kind", "part", "part_class", "method"),
    *("spec", "versions", "K", "T_shape_source", "material_ids", "warnings"),
}
"""Columns in which many rows say the same: 180,000 copies of it would be a gigabyte."""


def _record(row: Row) -> dict[str, Any]:
    record = row.to_json()
    record["sha256"] = sorted(record["sha256"].items())
    for name in (*_VECTOR, *_STRINGS):
        record[name] = list(record[name])
    return record


WHERE_SAID = {
    **dict.fromkeys(("category", "anomalies", "pose", "jitter", "tray", "looks", "background"), pa.string()),
    **dict.fromkeys(("lens", "stress", "magnitude_unit"), pa.string()),
    **dict.fromkeys(("magnitude", "deviation_mm", "deviation_deg", "surface_mm"), pa.float64()),
    **dict.fromkeys(("tolerance_mm", "tolerance_deg", "tolerance_ratio"), pa.float64()),
}
"""Columns that are there where a row says something in them."""


def manifest_bytes(entries: Iterable[LogEntry]) -> bytes:
    """All rows sorted by (job_id, index)."""
    rows = sorted((row for entry in entries for row in entry.rows), key=lambda row: (row.job_id, row.index))
    schema = SCHEMA
    for name, kind in WHERE_SAID.items():
        if any(getattr(row, name) for row in rows):
            schema = schema.append(pa.field(name, kind))
    return _parquet(schema, map(_record, rows))


def cost_bytes(entries: Iterable[LogEntry]) -> bytes:
    """CPU-seconds by phase, one row a job; differs from run to run."""
    records = [{"job_id": entry.job_id, **entry.cost} for entry in sorted(entries, key=lambda e: e.job_id)]
    names = sorted({name for record in records for name in record} - {"job_id"})
    kinds = {name: pa.string() if name == "host" else pa.float64() for name in names}
    schema = pa.schema([pa.field("job_id", pa.string()), *(pa.field(n, kind) for n, kind in kinds.items())])
    return _parquet(schema, records)


def _parquet(schema: pa.Schema, records: Iterable[dict[str, Any]]) -> bytes:
    """Records in groups of GROUP_ROWS: one group at a time is in memory as a table. Without any, one empty group."""
    buffer, left = io.BytesIO(), iter(records)
    with pq.ParquetWriter(buffer, schema, compression="zstd", compression_level=3, version="2.6") as writer:
        group = list(islice(left, GROUP_ROWS))
        writer.write_table(pa.Table.from_pylist(group, schema=schema))
        while group := list(islice(left, GROUP_ROWS)):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
    return buffer.getvalue()


def iter_manifest(folder: Path, count: int = 100) -> Iterator[list[dict[str, Any]]]:
    """Rows of a dataset's manifest as dictionaries, `count` at a time. Raises OSError, pyarrow.ArrowException."""
    with pq.ParquetFile(folder / "manifest.parquet", pre_buffer=False, buffer_size=1 << 16) as file:
        for batch in file.iter_batches(count, use_threads=False):
            records = batch.to_pylist()
            for record in records:
                record["sha256"] = dict(record["sha256"] or [])
            yield records


def read_manifest(folder: Path) -> list[dict[str, Any]]:
    """Rows of a dataset's manifest as dictionaries. Equal values of one column may be one object: change none."""
    found: list[dict[str, Any]] = []
    known: dict[Any, Any] = {}
    for records in iter_manifest(folder):
        for record in records:
            for name in _SHARED & record.keys():
                value = record[name]
                record[name] = known.setdefault(tuple(value) if isinstance(value, list) else value, value)
        found += records
    return found
