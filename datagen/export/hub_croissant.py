"""croissant.json: what a dataset's files and columns are, as machines that search for data read it (Croissant 1.0)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from datagen import __version__
from datagen.core.errors import UsageError
from datagen.export.hub_card import Column, licence_page, statements
from datagen.formats.encode import json_bytes
from datagen.store.parquet import read_parquet
from datagen.store.reader import DatasetReader

CROISSANT = "croissant.json"
TYPES = {"image": "sc:ImageObject", "label": "sc:Integer", "int64": "sc:Integer", "string": "sc:Text"}
"""Columns of other types are not told: records of records have no form that readers agree on."""
PREFIX = {"cr": "http://mlcommons.org/croissant/", "dct": "http://purl.org/dc/terms/", "sc": "https://schema.org/"}
WORDS = (
    *("citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet", "format"),
    *("includes", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex", "repeated"),
    *("replace", "samplingRate", "separator", "source", "subField", "transform"),
)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **PREFIX,
    **{word: f"cr:{word}" for word in WORDS},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "isLiveDataset": "cr:isLiveDataset",
    "rai": "http://mlcommons.org/croissant/RAI/",
}
SPLIT = "^([^-]+)-"
"""What a shard's name begins with."""


COST = "cost.parquet"


def published_on(reader: DatasetReader, given: str) -> str:
    """The day `given`, else the one on which the dataset's last job ended (UTC); '' where the dataset does not say.

    Raises UsageError for what is no day.
    """
    if given:
        try:
            return date.fromisoformat(given).isoformat()
        except ValueError as error:
            raise UsageError(f"--set date={given}: write a day as 2026-11-29") from error
    try:
        ended = pc.max(read_parquet(reader.read(COST))["t"]).as_py() if reader.has(COST) else None
    except (LookupError, pa.ArrowException):
        return ""
    return datetime.fromtimestamp(ended, UTC).date().isoformat() if ended else ""


def croissant(dataset: str, card: str, tables: Mapping[str, tuple[Sequence[Column], str]], day: str) -> bytes:
    """The file. `tables`: name -> columns, and the folder of its parquet files; `day` is told unless it is ''."""
    about = next((line for line in card.splitlines() if line and not line.startswith(("#", "*", "|", "-"))), dataset)
    told = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": dataset,
        "description": about,
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "license": licence_page(card) or "; ".join(statements(card)) or "not stated: see README.md",
        "citeAs": f"{dataset}, a dataset made by datagen {__version__}",
        "creator": {"@type": "sc:Organization", "name": f"datagen {__version__}"},
        **({"datePublished": day} if day else {}),
        "version": "1.0.0",
        "distribution": [_files(name, folder) for name, (_, folder) in tables.items()],
        "recordSet": [_records(name, columns) for name, (columns, _) in tables.items()],
    }
    return json_bytes(told, indent=1)


def _files(name: str, folder: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{name}-files",
        "name": f"{name}-files",
        "includes": f"{folder}/*.parquet",
        "encodingFormat": "application/x-parquet",
    }


def _records(name: str, columns: Sequence[Column]) -> dict[str, Any]:
    split = _field(name, "split", "sc:Text", {"fileProperty": "filename"}, {"regex": SPLIT})
    fields = [split]
    for column, kind in columns:
        if isinstance(kind, str) and kind in TYPES:
            fields.append(
                _field(name, column, TYPES[kind], {"column": column}, {"jsonPath": "bytes"} if kind == "image" else {})
            )
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": fields}


def _field(table: str, name: str, kind: str, extract: Mapping[str, str], change: Mapping[str, str]) -> dict[str, Any]:
    source: dict[str, Any] = {"fileSet": {"@id": f"{table}-files"}, "extract": extract}
    if change:
        source["transform"] = change
    return {
        "@type": "cr:Field",
        "@id": f"{table}/{name}",
        "name": f"{table}/{name}",
        "dataType": kind,
        "source": source,
    }
