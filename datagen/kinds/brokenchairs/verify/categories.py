"""A dataset of several categories, or of one that is not chairs, category by category."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datagen.formats.brokenchairs import in_order
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.funnel import Funnel, funnels
from datagen.recipe.categories import DEFAULT


@dataclass(frozen=True)
class CategoryFigures:
    """What one category has. `classes`: (kind, part class) -> what became of the proposals."""

    name: str
    shapes: int
    images: int
    anomalous: int
    splits: tuple[str, ...]
    kinds: Mapping[str, Funnel]
    classes: Mapping[tuple[str, str], Funnel]

    def to_json(self) -> dict[str, Any]:
        """Plain figures: acceptance by kind, and by kind and part class."""
        by_class: dict[str, dict[str, Any]] = {}
        for (kind, part_class), funnel in sorted(self.classes.items()):
            by_class.setdefault(kind, {})[part_class] = funnel.to_json()
        return {
            "shapes": self.shapes,
            "images": self.images,
            "anomalous": self.anomalous,
            "splits": list(self.splits),
            "by_kind": {kind: self.kinds[kind].to_json() for kind in in_order(self.kinds) if kind in self.kinds},
            "by_class": by_class,
        }


def by_category(evidence: ChairEvidence) -> tuple[CategoryFigures, ...]:
    """The figures of every category, sorted by name; () in a dataset of chairs alone."""
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for row in evidence.tree.rows:
        rows.setdefault(str(row.get("category") or DEFAULT), []).append(row)
    if set(rows) <= {DEFAULT}:
        return ()
    found = []
    for name, members in sorted(rows.items()):
        samples = [row for row in members if row["row_type"] == "sample"]
        kinds, classes = funnels(members)
        splits = tuple(sorted({row["split"] for row in members}))
        shapes, anomalous = len({row["public_id"] for row in members}), sum(row["label"] for row in samples)
        found.append(CategoryFigures(name, shapes, len(samples), anomalous, splits, kinds, classes))
    return tuple(found)
