"""A folder that can be pushed to Hugging Face as it is: parquet shards with pictures in them, and the card."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.core.errors import BrokenFile, UsageError
from datagen.export.counts import Counts, Exported
from datagen.export.files import SOURCE_CARD
from datagen.export.hub_card import LICENCE, Column, licence, readme, statements, why_closed
from datagen.export.hub_croissant import CROISSANT, croissant, published_on
from datagen.export.journal import Journal, Note, note_of
from datagen.export.parquet import Shards, hub_split, picture
from datagen.export.protocol import Options
from datagen.export.settings import Setting
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
    settings: ClassVar = {
        "push": Setting(False, "a folder to be pushed: checked licences, .gitattributes, LICENSE.md"),
        "date": Setting("", "the day of publication in croissant.json; empty for the one on which the build ended"),
    }

    def __init__(self, shard_bytes: int = SHARD_BYTES) -> None:
        self.shard_bytes = shard_bytes

    def write(self, reader: DatasetReader, rows: Sequence[Record], out: Path, options: Options) -> Exported:
        """Shards, samples in the order of their names, and the card. Raises UsageError, BrokenFile, OSError."""
        journal, day = options.journal, published_on(reader, options.settings["date"])
        card = reader.read(SOURCE_CARD).decode() if reader.has(SOURCE_CARD) else f"# {options.dataset}\n"
        if options.settings["push"] and (refused := why_closed(card)):
            raise UsageError(
                f"{reader.root} is not to be published ({refused}); without --set push=true it is exported for yourself"
            )
        seen = {(told["split"], told["shape"]) for told in journal.told() if "references" in told}
        with Shards(out / "data", SAMPLES, self.shard_bytes, journal) as samples:
            for shown in options.pictures(reader, rows):
                told: dict[str, Any] = {}
                if shown.references and (shown.split, shown.shape_id) not in seen:
                    seen.add((shown.split, shown.shape_id))
                    told = {"split": shown.split, "shape": shown.shape_id, "references": list(shown.references)}
                note = note_of(shown, hub_split(shown.split), told=told)
                samples.add(shown.split, _sample(reader, shown), note)
        tables = {"samples": (SAMPLES, _files("data", samples))}
        if seen:
            with Shards(out / "references", REFERENCES, self.shard_bytes, journal) as references:
                for told in journal.told():
                    if "references" in told:
                        _add_references(reader, told, references, journal)
            tables["references"] = (REFERENCES, _files("references", references))
        named = options.settings["push"] and licence(card) == "other"
        (out / "README.md").write_bytes(readme(card, tables, journal.counts.pictures, named))
        folders = {name: (columns, files[0][1].partition("/")[0]) for name, (columns, files) in tables.items()}
        (out / CROISSANT).write_bytes(croissant(options.dataset, card, folders, day))
        if options.settings["push"]:
            (out / ".gitattributes").write_text("*.parquet filter=lfs diff=lfs merge=lfs -text\n")
        if named:
            (out / LICENCE).write_text("".join(f"- {told}\n" for told in statements(card)))
        return journal.counts.exported()

    def read_back(self, out: Path) -> Exported:
        """Counts of an export as its shards state them; every mask is decoded. Raises BrokenFile."""
        counts = Counts()
        for path in sorted((out / "data").glob("*.parquet")):
            try:
                for row in _rows(path):
                    if row["mask"] is not None and not (decoded(row["mask"]["bytes"], "L") > 127).any():
                        raise ValueError(f"the mask of {row['sample_id']} marks no pixel")
                    marks = ((found["kind"], found["area"]) for found in row["objects"])
                    counts.add(path.name.partition("-")[0], row["label"], marks)
            except (OSError, ValueError, SyntaxError, LookupError, TypeError, pa.ArrowException) as error:
                raise BrokenFile(f"{path}: {error}; export the dataset again") from error
        return counts.exported()


def _sample(reader: DatasetReader, shown: Picture) -> dict[str, Any]:
    told = shown.to_json()
    objects = [{**found, "attributes": json_bytes(found["attributes"]).decode().strip()} for found in told["instances"]]
    return {
        "image": picture(reader.read(shown.path), f"{shown.name}.png"),
        "mask": picture(png_bytes(shown.mask), f"{shown.name}_mask.png") if shown.instances else None,
        **{name: told[name] for name in ("label", "kind", "category", "shape_id", "sample_id", "source_path")},
        "objects": objects,
    }


def _add_references(reader: DatasetReader, told: Mapping[str, Any], shards: Shards, journal: Journal) -> None:
    """The views of one shape, unless they are in a whole shard."""
    for k, path in enumerate(told["references"]):
        key = f"reference {told['split']} {path}"
        if key not in journal:
            view = picture(reader.read(path), path.rsplit("/", 1)[1])
            row = {"image": view, "shape_id": told["shape"], "view": k, "source_path": path}
            shards.add(told["split"], row, Note(key))


def _files(folder: str, shards: Shards) -> list[tuple[str, str]]:
    return [(split, f"{folder}/{split}-*.parquet") for split in shards.splits]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a shard, a row group at a time."""
    with pq.ParquetFile(path) as shard:
        for k in range(shard.num_row_groups):
            yield from shard.read_row_group(k).to_pylist()
