"""Semantic path -> salient part class, by the table in data/part_classes.yaml."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml

from datagen.core.shape import PART_CLASSES, REMAINDER_PATH


class ClassTable(NamedTuple):
    """`labels`: full path -> class. `names`: raw last name -> class, where no label path settles it."""

    labels: dict[str, str]
    names: dict[str, str]


@cache
def class_table() -> ClassTable:
    """The table as shipped. Raises ValueError when it names a class that is not one of PART_CLASSES."""
    text = files("datagen.shapes").joinpath("data/part_classes.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    table = ClassTable(dict(data["labels"]), dict(data["names"]))
    unknown = {*table.labels.values(), *table.names.values()} - set(PART_CLASSES)
    if unknown:
        raise ValueError(f"part_classes.yaml names unknown classes {sorted(unknown)}")
    return table


def part_class(path: str) -> str:
    """The class of a semantic path such as `chair/chair_base/regular_leg_base/leg`; 'Other' if unknown.

    A known label wins; else the longest known prefix, unless the raw last name says more (a
    `seat_connector` under a leg base is no leg). Everything under a footrest is Footrest.
    """
    if path == REMAINDER_PATH:
        return "Other"
    table = class_table()
    words = [word for word in path.strip("/").lower().replace(" ", "_").split("/") if word]
    if words and words[0] != "chair":
        words = ["chair", *words]
    if "/".join(words) in table.labels:
        return table.labels["/".join(words)]
    prefix = next((p for p in _prefixes(words) if p in table.labels and p != "chair"), None)
    by_prefix = table.labels[prefix] if prefix else None
    if by_prefix == "Footrest":
        return by_prefix
    by_name = table.names.get(words[-1]) if words else None
    return by_name or by_prefix or "Other"


def _prefixes(words: list[str]) -> list[str]:
    return ["/".join(words[:count]) for count in range(len(words) - 1, 0, -1)]
