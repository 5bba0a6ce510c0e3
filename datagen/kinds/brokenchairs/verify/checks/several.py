"""Objects with several anomalies: is each of them there, on a part of its own, and do the published fields hold all?"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from datagen.annotate.masks import hull, tight_box
from datagen.core.anomaly import ALSO
from datagen.kinds.brokenchairs.verify import needs
from datagen.kinds.brokenchairs.verify.checks.boxes import BOX_TOLERANCE, box_of
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.needs import ANOMALIES
from datagen.kinds.brokenchairs.verify.queries import QueryFacts
from datagen.verify.check import ERROR, CheckList, Finding
from datagen.verify.damage import DAMAGE
from datagen.verify.pictures import open_picture

CHECKS = CheckList[ChairEvidence]()
check = CHECKS.check


@check(
    ERROR,
    "A list that is not what the picture shows mislabels every instance of it.",
    of=ANOMALIES,
    needs=(needs.masks,),
)
def several_anomalies(evidence: ChairEvidence) -> Iterator[Finding]:
    """Each of several anomalies has a part, masks and a box of its own; the published fields hold their union."""
    for query in evidence.anomalies:
        if not query.anomalies and not _further(query):
            continue
        for fault in _faults(evidence, query):
            yield Finding(query.path, fault)


def _further(query: QueryFacts) -> list[Mapping[str, Any]]:
    """The further specs of a row or annotation."""
    config = (query.info or {}).get("config")
    spec = config.get("spec") if isinstance(config, dict) else None
    found = spec.get(ALSO) if isinstance(spec, dict) else None
    return found if isinstance(found, list) else []


def _faults(evidence: ChairEvidence, query: QueryFacts) -> Iterator[str]:
    listed = query.anomalies
    if len(listed) != len(_further(query)) + 1:
        yield f"lists {len(listed)} anomalies, its spec has {len(_further(query)) + 1}"
        return
    parts = [entry.get("part_id") for entry in listed]
    if len(set(parts)) < len(parts):
        yield f"two of its anomalies are on one part ({parts})"
    if query.row is not None and json.loads(query.row.get("anomalies") or "[]") != list(listed):
        yield "the annotation's list is not the row's"
    unions: dict[str, np.ndarray] = {}
    boxes: list[list[float]] = []
    for entry in listed:
        masks, fault = _masks(evidence, entry)
        if fault:
            yield fault
            return
        for side, mask in masks.items():
            unions[side] = unions.get(side, np.zeros_like(mask)) | mask
        shown = masks.get("mask_new", masks.get("mask_old"))
        if shown is None or not _near(entry.get("2d_bbox"), _boxes(masks)):
            yield f"the box {entry.get('2d_bbox')} of its {entry.get('kind')} is not that of its mask"
            return
        boxes.append(list(entry["2d_bbox"]))
    whole = box_of(query)
    if whole is not None and not _near(list(whole), [hull(boxes)]):
        yield f"2d_bbox {list(whole)} does not hold the boxes of its {len(listed)} anomalies"
    for side, facts in (("mask_new", query.mask_new), ("mask_old", query.mask_old)):
        have = 0 if facts is None else facts.area
        if abs(int(unions[side].sum() if side in unions else 0) - have) > 0:
            yield f"{side} is not the union of those of its anomalies"


def _masks(evidence: ChairEvidence, entry: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], str]:
    """The masks of one anomaly that are there, and what is wrong with them."""
    found = {}
    for side in ("mask_new", "mask_old"):
        path = str(entry.get(side) or "")
        if not path:
            if side == "mask_old" or entry.get("kind") != "missing":
                return {}, f"its {entry.get('kind')} has no {side}"
            continue
        try:
            found[side] = np.asarray(open_picture(evidence.tree.files.read(path)).convert("L")) > 127
        except DAMAGE:
            return {}, f"{path.rsplit('/', 1)[-1]} cannot be read"
        if not found[side].any():
            return {}, f"{path.rsplit('/', 1)[-1]} is empty"
    return found, ""


def _boxes(masks: Mapping[str, np.ndarray]) -> list[tuple[float, float, float, float]]:
    """The boxes that an anomaly may have: about the new mask, the old one where it is gone, or both."""
    both = np.logical_or.reduce(list(masks.values()))
    return [tight_box(masks.get("mask_new", masks["mask_old"])), tight_box(both)]


def _near(box: Any, wanted: list[tuple[float, float, float, float]]) -> bool:
    try:
        given = np.array(box, dtype=float)
    except (TypeError, ValueError):
        return False
    return given.shape == (4,) and any(np.abs(given - np.array(one)).max() <= BOX_TOLERANCE for one in wanted)
