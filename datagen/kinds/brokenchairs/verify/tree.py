"""A dataset of chairs as it lies on disk: its queries and reference bundles by their names."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property

from datagen.formats.brokenchairs import QueryName, parse_query
from datagen.verify.tree import Record, Tree

ENDINGS = ("_depth.npy", ".png", ".npy", ".json")
"""What the files of one reference view end with."""


@dataclass(frozen=True, eq=False)
class ChairTree(Tree):
    """What names and split.json say; nothing of it is believed yet."""

    @cached_property
    def queries(self) -> tuple[QueryName, ...]:
        """Every file below images/, sorted by path: the loader takes them all."""
        return tuple(
            parse_query(name)
            for name in self.files.sizes
            if name.startswith("images/") and not name.rsplit("/", 1)[-1].startswith(".")
        )

    @cached_property
    def row_of(self) -> Mapping[str, Record]:
        """Query path -> manifest row of the sample."""
        return {row["query_path"]: row for row in self.rows if row["row_type"] == "sample"}

    @cached_property
    def split_of(self) -> Mapping[str, str]:
        """Shape id as a string -> split, as the published loader tests it; {} without a readable split.json."""
        if not isinstance(self.split, dict):
            return {}
        return {str(i): name for name, ids in self.split.items() if isinstance(ids, list) for i in ids}

    @cached_property
    def bundles(self) -> Mapping[str, tuple[str, ...]]:
        """Shape id -> stems (path without suffix) of its reference views, sorted."""
        found: dict[str, set[str]] = {}
        for name in self.files.sizes:
            parts = name.split("/")
            if len(parts) == 4 and parts[0] == "shapes" and parts[2] == "mv_images":
                # Names hold dots (radius 3.0): only a known ending is taken off.
                stem = next((parts[3].removesuffix(e) for e in ENDINGS if parts[3].endswith(e)), parts[3])
                found.setdefault(parts[1].removeprefix("shape_"), set()).add("/".join([*parts[:3], stem]))
        return {shape: tuple(sorted(stems)) for shape, stems in sorted(found.items())}


def chair_tree(tree: Tree) -> ChairTree:
    """The same folder, read as one of chairs."""
    return ChairTree(**{field.name: getattr(tree, field.name) for field in fields(Tree)})
