"""Kaputt's tables of queries and references (anomalib): the one form in which a live reader knows conditional pairs."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.core.errors import BrokenFile, UsageError
from datagen.export.counts import Counts, Exported
from datagen.export.files import place, put, write_card
from datagen.export.journal import note_of
from datagen.export.protocol import Options
from datagen.formats.encode import png_bytes
from datagen.formats.instances import Picture, Record, flat_name
from datagen.formats.pictures import decoded
from datagen.store.reader import DatasetReader

SPLITS = ("train", "validation", "test")
"""The published splits. The reader wants a table of each, also where it is empty."""
OWN = {"train": "train", "val": "validation"}
"""Split of the dataset -> published split; whatever else is held out is `test`."""
QUERY = pa.schema(
    [
        ("capture_id", pa.string()),
        ("item_identifier", pa.string()),
        ("item_material", pa.string()),
        ("defect", pa.bool_()),
        ("defect_types", pa.string()),
        ("query_image", pa.string()),
        ("query_mask", pa.string()),
        ("sample_id", pa.string()),
    ]
)
"""`query_mask` is null without a defect. `sample_id` is the manifest's and not the published table's."""
REFERENCE = pa.schema([("capture_id", pa.string()), ("item_identifier", pa.string()), ("reference_image", pa.string())])
GROUP_ROWS = 10_000
Table = list[dict[str, Any]]


class Kaputt:
    """The exporter. `item_identifier` is what a query and its references share.

    A query is held against every reference view of its item; of a partial dataset those without are left out.
    There are no crops: read with `image_type="image"`.
    """

    name = "kaputt"
    about = "Kaputt's parquet tables (anomalib): queries with masks, and the reference views that each is held against."
    needs = frozenset({"masks"})

    def write(self, reader: DatasetReader, rows: Sequence[Record], out: Path, options: Options) -> Exported:
        """Tables, pictures and masks. Raises UsageError for a kind without reference views, BrokenFile, OSError."""
        journal = options.journal
        items: dict[str, set[str]] = {split: set() for split in SPLITS}
        for told in journal.told():
            items[told["split"]] |= {view["item_identifier"] for view in told["views"]}
        for picture in options.pictures(reader, rows):
            if not picture.references:
                continue
            split, item = OWN.get(picture.split, "test"), picture.shape_id
            query = _query(reader, picture, out, split, item, options.dataset)
            marks = [(picture.kind, int(picture.mask.sum()))] if picture.instances else []
            views = [] if item in items[split] else _references(reader, picture, out, split, len(items[split]))
            items[split].add(item)
            journal.note(note_of(picture, split, marks, {"split": split, "query": query, "views": views}))
        if not journal.counts.pictures:
            raise UsageError(
                f"no picture of {reader.root} has reference views (dataset of kind {options.kind}), and exporter "
                "kaputt is about pairs of query and reference; choose another --to"
            )
        (out / "datasets").mkdir(exist_ok=True)
        for split in SPLITS:
            queries = (told["query"] for told in journal.told(split))
            views_of = (view for told in journal.told(split) for view in told["views"])
            _write(queries, QUERY, out / "datasets" / f"query-{split}.parquet")
            _write(views_of, REFERENCE, out / "datasets" / f"reference-{split}.parquet")
        write_card(reader, out)
        return journal.counts.exported()

    def read_back(self, out: Path) -> Exported:
        """Counts of an export as its tables state them; every mask is decoded. Raises BrokenFile."""
        counts = Counts()
        for split in SPLITS:
            path = out / "datasets" / f"query-{split}.parquet"
            try:
                for query in pq.read_table(path).to_pylist():
                    _there(out / "query-image" / query["query_image"])
                    marks = []
                    if query["query_mask"] is not None:
                        path = out / "query-mask" / query["query_mask"]
                        marks = [(query["defect_types"], int((decoded(path.read_bytes(), "L") > 127).sum()))]
                    counts.add(split, int(query["defect"]), marks)
                path = out / "datasets" / f"reference-{split}.parquet"
                for view in pq.read_table(path).to_pylist():
                    _there(out / "reference-image" / view["reference_image"])
            except (OSError, ValueError, SyntaxError, LookupError, pa.ArrowException) as error:
                raise BrokenFile(f"{path}: {error}; export the dataset again") from error
        return counts.exported()


def _query(reader: DatasetReader, picture: Picture, out: Path, split: str, item: str, dataset: str) -> dict[str, Any]:
    name, mask = f"data/{split}/query-data/image/{picture.name}.png", None
    place(reader, picture.path, out / "query-image" / name)
    if picture.instances:
        mask = f"data/{split}/query-data/mask/{picture.name}.png"
        put(png_bytes(picture.mask), out / "query-mask" / mask)
    return {
        "capture_id": picture.name,
        "item_identifier": item,
        "item_material": flat_name(picture.category or dataset),
        "defect": bool(picture.label),
        "defect_types": picture.kind if picture.instances else "",
        "query_image": name,
        "query_mask": mask,
        "sample_id": picture.sample_id,
    }


def _references(reader: DatasetReader, picture: Picture, out: Path, split: str, number: int) -> Table:
    """The views of an item, by azimuth; items are numbered in the order of their first query."""
    found = []
    for k, path in enumerate(picture.references):
        capture = f"{number:06d}-{k:02d}"
        name = f"data/{split}/reference-data/image/{capture}.png"
        place(reader, path, out / "reference-image" / name)
        found.append({"capture_id": capture, "item_identifier": picture.shape_id, "reference_image": name})
    return found


def _write(rows: Iterable[dict[str, Any]], schema: pa.Schema, path: Path) -> None:
    """A table, a row group at a time."""
    left = iter(rows)
    with pq.ParquetWriter(path, schema, compression="zstd", version="2.6") as writer:
        while tables := list(_tables(islice(left, GROUP_ROWS), schema)):
            writer.write_table(pa.concat_tables(tables).combine_chunks())


def _tables(rows: Iterable[dict[str, Any]], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows in small tables, which take a tenth of the memory."""
    left = iter(rows)
    while some := list(islice(left, 500)):
        yield pa.Table.from_pylist(some, schema=schema)


def _there(path: Path) -> None:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there")
