"""Which pairs of query and reference a dataset with counterfactual references holds: a function of its rows."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from datagen.formats.brokenchairs import COUNTERFACTUAL, TWIN, at_query_path, parse_query
from datagen.formats.pairs import Pair
from datagen.recipe.models import Recipe
from datagen.scenes.cameras import reference_azimuths

Record = Mapping[str, Any]
SHOWN_PX = 60
"""Pixels, of 256 x 256, that a reference view has to show of a change."""
INVERSE = {"missing": "extra", "broken": "whole"}
"""What a normal query has that an anomalous reference has not; other kinds are their own inverse."""


@dataclass(frozen=True)
class AnomalousReference:
    """The bundle of an anomalous shape: its id, its job, what it shows and in how many pixels of each view."""

    name: str
    row: Record
    changed: tuple[int, ...]

    def is_told_from(self, other: "AnomalousReference") -> bool:
        """Whether two anomalies of a shape are surely two: twice one kind at one part may be nearly the same."""
        return (self.row["kind"], self.row["part_id"]) != (other.row["kind"], other.row["part_id"])


def list_pairs(rows: Iterable[Record], recipe: Recipe) -> list[Pair]:
    """Every decidable pair, sorted by shape, group, camera and states.

    Of each anomalous picture and its twin: both against the normal and against the anomalous reference, where a
    reference view shows the change; and the anomalous picture against the shape's other anomalous references.
    """
    table = _Table(rows)
    found = [pair for name in table.references for pair in _of_group(name, table, recipe)]
    return sorted(found, key=lambda p: (p.public_id, p.group, p.camera, p.query_state, p.reference))


class _Table:
    """The rows that pairs are made of."""

    def __init__(self, rows: Iterable[Record]) -> None:
        self.references: dict[str, AnomalousReference] = {}
        self.of_shape: dict[int, list[AnomalousReference]] = defaultdict(list)
        self.pictures: dict[str, list[Record]] = defaultdict(list)
        self.twins: dict[str, Record] = {}
        self.normal: set[int] = set()
        for row in rows:
            if row["row_type"] == "reference":
                self._take_reference(row)
            elif row["row_type"] == "sample" and row["reason"] == TWIN:
                self.twins[row["detail"]] = row
            elif row["row_type"] == "sample" and row["label"]:
                self.pictures[row["job_id"]].append(row)

    def _take_reference(self, row: Record) -> None:
        if row["reason"] != COUNTERFACTUAL:
            self.normal.add(row["public_id"])
            return
        # The row names its files, and so the bundle; without any there is nothing to pair.
        name = next((path.split("/")[1].removeprefix("shape_") for path in row["sha256"]), "")
        if not name:
            return
        reference = AnomalousReference(name, row, tuple(json.loads(row["detail"])))
        self.references[name] = reference
        self.of_shape[row["public_id"]].append(reference)


def _of_group(name: str, table: _Table, recipe: Recipe) -> Iterator[Pair]:
    reference = table.references[name]
    public_id = reference.row["public_id"]
    if public_id not in table.normal or max(reference.changed) < SHOWN_PX:
        return
    others = [other for other in table.of_shape[public_id] if other is not reference and other.is_told_from(reference)]
    pictures = sorted(table.pictures[reference.row["job_id"]], key=lambda row: int(row["index"]))
    for camera, row in enumerate(pictures):
        twin = table.twins.get(row["sample_id"])
        if twin is not None:
            yield from _cells(camera, row, twin, reference, recipe)
            yield from (_two(camera, row, reference, other, recipe) for other in others)


def _cells(camera: int, row: Record, twin: Record, reference: AnomalousReference, recipe: Recipe) -> Iterator[Pair]:
    """The four pairs of a picture and its twin: both labels for either query and either reference."""
    common = {**_common(camera, row, reference, recipe), "balanced": True}
    stems = _at_query(row, recipe)
    normal, anomalous = str(row["public_id"]), reference.name
    new = {"mask": row["mask_new_path"], "box": tuple(row["bbox_xywh_512"])}
    old = {"mask": row["mask_old_path"], "box": tuple(twin["bbox_xywh_512"])}
    gone = not new["mask"]
    for query, state in ((twin, ""), (row, anomalous)):
        for name, other in ((normal, ""), (anomalous, anomalous)):
            label = int(state != other)
            here, there = (new, old) if state else (old, new)
            relation = str(row["kind"] if state else INVERSE.get(row["kind"], row["kind"]))
            yield Pair(
                **common,
                query_path=query["query_path"],
                query_state=state,
                reference=name,
                reference_state=other,
                label=label,
                relation=relation if label else "same",
                bbox_xywh_512=here["box"] if label else (),
                bbox_reference_xywh_512=there["box"] if label and not (gone and not state) else (),
                mask_query_path=here["mask"] if label else "",
                mask_reference_path=there["mask"] if label else "",
                reference_at_query=stems["new" if other else "old"],
            )


def _two(camera: int, row: Record, reference: AnomalousReference, other: AnomalousReference, recipe: Recipe) -> Pair:
    """An anomalous picture against another anomaly of its shape: what differs is at two places, and is not marked."""
    showing = sum(max(a, b) >= SHOWN_PX for a, b in zip(reference.changed, other.changed, strict=True))
    return Pair(
        **{**_common(camera, row, reference, recipe), "views_showing": showing},
        query_path=row["query_path"],
        query_state=reference.name,
        reference=other.name,
        reference_state=other.name,
        label=1,
        relation="two",
        bbox_xywh_512=(),
        bbox_reference_xywh_512=(),
        mask_query_path="",
        mask_reference_path="",
        reference_at_query="",
        balanced=False,
    )


def _common(camera: int, row: Record, reference: AnomalousReference, recipe: Recipe) -> dict[str, Any]:
    return {
        "group": reference.name,
        "camera": camera,
        **{key: row[key] for key in ("split", "shape_id", "public_id", "kind", "changed_px")},
        "views": len(reference.changed),
        "views_showing": sum(count >= SHOWN_PX for count in reference.changed),
        "nearest_view_deg": nearest_view_deg(row["azimuth_deg"], recipe),
    }


def _at_query(row: Record, recipe: Recipe) -> dict[str, str]:
    """Beginnings of the paths of the normal (old) and anomalous (new) reference at a picture's camera."""
    if not recipe.reference.at_query:
        return {"old": "", "new": ""}
    name = parse_query(row["query_path"])
    return {side: at_query_path(name.folder, side, name.tail, "") for side in ("old", "new")}


def nearest_view_deg(azimuth_deg: float, recipe: Recipe) -> float:
    """Azimuth between a query and the nearest reference view, in degrees; references turn the other way."""
    gaps = ((azimuth_deg + view + 180) % 360 - 180 for view in reference_azimuths(recipe.reference))
    return round(min(abs(gap) for gap in gaps), 6)
