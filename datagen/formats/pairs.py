"""pairs.parquet: pairs of a query picture and a reference bundle, and whether they show one object."""

import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.core.errors import BrokenFile
from datagen.store.parquet import read_parquet
from datagen.store.reader import DatasetReader

PAIRS = "pairs.parquet"
"""Where the table lies below a dataset's folder."""
Box = tuple[float, ...]


@dataclass(frozen=True)
class Pair:
    """A query against a reference. States are '' for the normal object, else the id of the anomalous one.

    Boxes are (x, y, w, h) on the 512 grid or (); paths are below the dataset's folder or ''.
    """

    group: str
    """The object and the anomaly whose pictures these are: the id of the anomalous object as a reference."""
    camera: int
    """Which camera, dress and light of the group: pairs of one number show the same twins."""
    split: str
    shape_id: str
    public_id: int
    kind: str
    """Kind of the group's anomaly."""
    query_path: str
    query_state: str
    reference: str
    """Id of the bundle, as in shapes/shape_<id>."""
    reference_state: str
    label: int
    """1 where the states differ."""
    relation: str
    """same; what differs, told of the query: the anomaly's kind, for a normal query its inverse; two (anomalies)."""
    bbox_xywh_512: Box
    """Where the query is to be marked, as annotations mark it."""
    bbox_reference_xywh_512: Box
    """Where the reference, seen by the query's camera, shows the part that differs."""
    mask_query_path: str
    mask_reference_path: str
    """The same as masks: of the part in the query, and in the reference seen by the query's camera."""
    reference_at_query: str
    """What the paths of the reference's textureless view at the query's camera begin with."""
    changed_px: int
    """Pixels of the query that show the group's anomaly."""
    views: int
    views_showing: int
    """Reference views, and how many of them show the anomalies that the pair is about in 60 pixels of 256 x 256."""
    nearest_view_deg: float
    """Azimuth between the query's camera and the nearest reference view."""
    balanced: bool
    """Whether the pair is of the subset in which every query and every reference has both labels equally often."""


_STRINGS = {"str": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
SCHEMA = pa.schema(
    [pa.field(f.name, pa.list_(pa.float64()) if f.type is Box else _STRINGS[f.type.__name__]) for f in fields(Pair)]  # type: ignore[union-attr]
)


def pairs_bytes(pairs: Iterable[Pair]) -> bytes:
    """The table, in the order given; the same bytes for the same pairs."""
    records = [asdict(pair) for pair in pairs]
    buffer = io.BytesIO()
    table = pa.Table.from_pylist(records, schema=SCHEMA)
    pq.write_table(table, buffer, compression="zstd", compression_level=3, version="2.6", row_group_size=65536)
    return buffer.getvalue()


def read_pairs(reader: DatasetReader) -> list[Pair]:
    """Every pair of a dataset, in the table's order.

    Raises BrokenFile naming the table where it is absent, cannot be read, or lacks a column.
    """
    try:
        table = read_parquet(reader.read(PAIRS))
    except (pa.ArrowException, OSError) as error:
        raise BrokenFile(f"{reader.root}/{PAIRS}: {error}; restore the file, or run the build again") from error
    if lacking := [name for name in SCHEMA.names if name not in table.column_names]:
        raise BrokenFile(
            f"{reader.root}/{PAIRS}: has no column {', '.join(lacking)}; restore the file, or run the build again"
        )
    return [Pair(**{name: _value(record[name]) for name in SCHEMA.names}) for record in table.to_pylist()]


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
