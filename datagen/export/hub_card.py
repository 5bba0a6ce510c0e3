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
PAGES = {
    "apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "mit": "https://opensource.org/license/mit",
    "cc0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "cc-by-4.0": "https://creativecommons.org/licenses/by/4.0/",
}
CLOSED = re.compile("terms of use|registered users|non-?commercial|no redistribution|unknown", re.IGNORECASE)
"""What licences say that do not let anybody publish."""
LICENCE = "LICENSE.md"
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


Tables = Mapping[str, tuple[Sequence[Column], Sequence[tuple[str, str]]]]
"""Name -> columns, and (split, pattern of its files)."""


def readme(card: str, tables: Tables, pictures: int, named: bool) -> bytes:
    """The file; the first table is what is loaded unasked. `named`: a licence that is `other` is in LICENCE."""
    first = next(iter(tables))
    head = {
        "license": licence(card),
        **({"license_name": "see-license-md", "license_link": LICENCE} if named else {}),
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


def statements(card: str) -> tuple[str, ...]:
    """Every licence that a card gives to shapes and materials, in its words, each once."""
    told = [match.strip() for match in re.findall(r"^Source: .*?Licence: (.+?)\.?(?: `|$)", card, flags=re.MULTILINE)]
    table = re.search(r"^\| source \| licence \|\n\|[-| ]+\|\n((?:\|.*\n)*)", card, flags=re.MULTILINE)
    rows = table.group(1).splitlines() if table else []
    told += [row.strip("| ").rpartition("|")[2].strip() for row in rows]
    return tuple(dict.fromkeys(told))


def licence(card: str) -> str:
    """The word for the one licence that a card gives to shapes and materials; `other` where there is none."""
    words = {KNOWN.get(name, "other") for name in statements(card)}
    return words.pop() if len(words) == 1 else "other"


def licence_page(card: str) -> str:
    """The address of the text of that one licence; '' where there is none."""
    return PAGES.get(licence(card), "")


def why_closed(card: str) -> str:
    """The licence of a card that does not let the data be published, in its words; '' where all of them do."""
    told = statements(card)
    return next((text for text in told if CLOSED.search(text)), "" if told else "its card names no licence")


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
