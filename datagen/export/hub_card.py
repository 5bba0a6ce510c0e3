"""README.md of a dataset on Hugging Face: licence, files and columns as YAML, then the dataset's own card."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

Column = tuple[str, str | list[Any]]
"""Name and type: a word of Arrow, `image`, `label`, or a list of columns, which stands for a list of records."""
LABELS = ("normal", "anomalous")
KNOWN = {"Apache-2.0": "apache-2.0", "MIT": "mit", "CC0": "cc0-1.0", "CC BY 4.0": "cc-by-4.0", "CC-BY-4.0": "cc-by-4.0"}
"""Licences that Hugging Face has a word for."""
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def readme(card: str, tables: Mapping[str, tuple[Sequence[Column], Sequence[tuple[str, str]]]], pictures: int) -> bytes:
    """The file. `tables`: name -> columns, and (split, pattern of its files); the first is what is loaded unasked."""
    first = next(iter(tables))
    head = {
        "license": licence(card),
        "task_categories": ["image-classification", "image-segmentation"],
        "tags": ["anomaly-detection", "synthetic"],
        "size_categories": [next((word for most, word in SIZES if pictures < most), "1M<n<10M")],
        "configs": [
            {
                "config_name": name,
                **({"default": True} if name == first else {}),
                "data_files": [{"split": split, "path": pattern} for split, pattern in files],
            }
            for name, (_, files) in tables.items()
        ],
        "dataset_info": [
            {"config_name": name, "features": [_in_yaml(column) for column in columns]}
            for name, (columns, _) in tables.items()
        ],
    }
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=1000)}---\n\n{card}".encode()


def licence(card: str) -> str:
    """The word for the one licence that a card gives to shapes and materials; `other` where there is none."""
    told = [match.strip() for match in re.findall(r"^Source: .*?Licence: (.+?)\.?(?: `|$)", card, flags=re.MULTILINE)]
    table = re.search(r"^\| source \| licence \|\n\|[-| ]+\|\n((?:\|.*\n)*)", card, flags=re.MULTILINE)
    rows = table.group(1).splitlines() if table else []
    told += [row.strip("| ").rpartition("|")[2].strip() for row in rows]
    words = {KNOWN.get(name, "other") for name in told}
    return words.pop() if len(words) == 1 else "other"


def features(columns: Sequence[Column]) -> dict[str, Any]:
    """Columns as `datasets` writes them into a parquet file's schema."""
    return {name: _in_json(kind) for name, kind in columns}


def _in_json(kind: str | list[Any]) -> Any:
    if isinstance(kind, list):
        return [features(kind)]
    if kind == "image":
        return {"_type": "Image"}
    if kind == "label":
        return {"names": list(LABELS), "_type": "ClassLabel"}
    if kind == "box":
        return [{"dtype": "float64", "_type": "Value"}]
    return {"dtype": kind, "_type": "Value"}


def _in_yaml(column: Column) -> dict[str, Any]:
    name, kind = column
    if isinstance(kind, list):
        return {"name": name, "list": [_in_yaml(inner) for inner in kind]}
    if kind == "label":
        return {"name": name, "dtype": {"class_label": {"names": {str(k): word for k, word in enumerate(LABELS)}}}}
    if kind == "box":
        return {"name": name, "list": "float64"}
    return {"name": name, "dtype": kind}
