"""A folder that can be pushed to Hugging Face as it is: parquet shards with pictures in them, and the card."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.core.errors import BrokenFile
from datagen.export.files import SOURCE_CARD
from datagen.export.hub_card import Column, readme
from datagen.export.parquet import Shards, hub_split, picture
from datagen.export.protocol import Exported, Options
from datagen.formats.encode import json_bytes, png_bytes
from datagen.formats.instances import Picture, Record
from datagen.formats.pictures import decoded
from datagen.store.reader import DatasetReader

SHARD_BYTES = 500_000_000
"""A shard ends before its pictures outgrow this."""
SAMPLES: tuple[Column, ...] = (
    ("image", "image"),
    ("mask", "image"),
    ("label", "label"),
    ("kind", "string"),
    ("category", "string"),
    ("shape_id", "string"),
    ("sample_id", "string"),
    ("source_path", "string"),
    ("objects", [("kind", "string"), ("bbox", "box"), ("area", "int64"), ("attributes", "string")]),
)
"""`mask` is null without an anomaly; `bbox` is x, y, w, h with an exclusive end; `attributes` are JSON."""
REFERENCES: tuple[Column, ...] = (
    ("image", "image"),
    ("shape_id", "string"),
    ("view", "int64"),
    ("source_path", "string"),
)
"""The views that samples of the same `shape_id` are held against, once a shape."""


class Hub:
    """The exporter. data/<split>-*.parquet, references/<split>-*.parquet for kinds with references, README.md."""

    name = "hub"
    about = "Hugging Face: parquet shards of pictures, masks and labels, and a card with its YAML; ready to be pushed."
    needs = frozenset({"masks", "boxes"})

    def __init__(self, shard_bytes: int = SHARD_BYTES) -> None:
        self.shard_bytes = shard_bytes

    def write(self, reader: DatasetReader, rows: Sequence[Record], out: Path, options: Options) -> Exported:
        """Shards, samples in the order of their names, and the card. Raises BrokenFile, OSError."""
        counts, seen = _Counts(), set()
        tables = {}
        with ExitStack() as stack:
            samples = stack.enter_context(Shards(out / "data", SAMPLES, self.shard_bytes))
            references = None
            for shown in options.pictures(reader, rows):
                row = _sample(reader, shown)
                samples.add(shown.split, row)
                counts.add(shown.split, row)
                if not shown.references or (shown.split, shown.shape_id) in seen:
                    continue
                seen.add((shown.split, shown.shape_id))
                if references is None:
                    references = stack.enter_context(Shards(out / "references", REFERENCES, self.shard_bytes))
                for k, path in enumerate(shown.references):
                    view = picture(reader.read(path), path.rsplit("/", 1)[1])
                    told = {"image": view, "shape_id": shown.shape_id, "view": k, "source_path": path}
                    references.add(shown.split, told)
            tables["samples"] = (SAMPLES, _files("data", samples))
            if references is not None:
                tables["references"] = (REFERENCES, _files("references", references))
        card = reader.read(SOURCE_CARD).decode() if reader.has(SOURCE_CARD) else f"# {options.dataset}\n"
        (out / "README.md").write_bytes(readme(card, tables, counts.pictures))
        return counts.exported()

    def read_back(self, out: Path) -> Exported:
        """Counts of an export as its shards state them; every mask is decoded. Raises BrokenFile."""
        counts = _Counts()
        for path in sorted((out / "data").glob("*.parquet")):
            try:
                for row in _rows(path):
                    if row["mask"] is not None and not (decoded(row["mask"]["bytes"], "L") > 127).any():
                        raise ValueError(f"the mask of {row['sample_id']} marks no pixel")
                    counts.add(path.name.partition("-")[0], row)
            except (OSError, ValueError, SyntaxError, LookupError, TypeError, pa.ArrowException) as error:
                raise BrokenFile(f"{path}: {error}; export the dataset again") from error
        return counts.exported()


def _sample(reader: DatasetReader, shown: Picture) -> dict[str, Any]:
    return {
        "image": picture(reader.read(shown.path), f"{shown.name}.png"),
        "mask": picture(png_bytes(shown.mask), f"{shown.name}_mask.png") if shown.instances else None,
        "label": shown.label,
        "kind": shown.kind,
        "category": shown.category,
        "shape_id": shown.shape_id,
        "sample_id": shown.sample_id,
        "source_path": shown.path,
        "objects": [
            {
                "kind": found.kind,
                "bbox": list(found.box_xywh),
                "area": found.area,
                "attributes": json_bytes(dict(found.attributes)).decode().strip(),
            }
            for found in shown.instances
        ],
    }


def _files(folder: str, shards: Shards) -> list[tuple[str, str]]:
    return [(split, f"{folder}/{split}-*.parquet") for split in shards.splits]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a shard, a row group at a time."""
    with pq.ParquetFile(path) as shard:
        for k in range(shard.num_row_groups):
            yield from shard.read_row_group(k).to_pylist()


class _Counts:
    """Sums over rows, which are not kept."""

    def __init__(self) -> None:
        self.pictures = self._anomalous = self._mask_px = 0
        self._splits: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()

    def add(self, split: str, row: dict[str, Any]) -> None:
        self.pictures += 1
        self._anomalous += row["label"]
        self._mask_px += sum(found["area"] for found in row["objects"])
        self._splits[hub_split(split)] += 1
        self._kinds.update(found["kind"] for found in row["objects"])

    def exported(self) -> Exported:
        return Exported(
            pictures=self.pictures,
            anomalous=self._anomalous,
            instances=self._kinds.total(),
            mask_px=self._mask_px,
            by_split=dict(sorted(self._splits.items())),
            by_kind=dict(sorted(self._kinds.items())),
        )
