"""What the content digest of chairs is of: two labs compare datasets without exchanging them."""

import json
from collections.abc import Mapping
from typing import Any

from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.queries import QueryFacts

SPEC_DIGITS, BOX_STEP = 4, 8
"""Specs are rounded to 1e-4 object units, boxes to 8 px of 512: below what another CPU family changes."""


def content(evidence: ChairEvidence) -> dict[str, Any]:
    """What the dataset says: splits, labels, kinds, specs, cameras and boxes, quantised; the same across machines."""
    queries = sorted((_content(query) for query in evidence.queries), key=str)
    split = evidence.tree.split if isinstance(evidence.tree.split, dict) else {}
    return {
        "recipe": (evidence.tree.run or {}).get("recipe_hash", ""),
        "split": {name: sorted(map(str, ids)) for name, ids in split.items() if isinstance(ids, list)},
        "queries": queries,
    }


def _content(query: QueryFacts) -> list[Any]:
    name, info = query.name, query.info or {}
    config = info.get("config")
    spec = config.get("spec") if isinstance(config, dict) else None
    box = info.get("2d_bbox")
    return [
        name.shape,
        name.label,
        query.kind,
        name.radius,
        name.azimuth_deg,
        name.elevation_deg,
        name.light,
        _quantised(spec),
        [round(v / BOX_STEP) for v in box] if isinstance(box, list) and _numbers(box) else None,
    ]


def _numbers(values: list[Any]) -> bool:
    return all(isinstance(v, int | float) for v in values)


def _quantised(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, SPEC_DIGITS) + 0.0
    if isinstance(value, Mapping):
        return {key: _quantised(v) for key, v in value.items() if key != "donor_digest"}
    if isinstance(value, list | tuple):
        return [_quantised(v) for v in value]
    return json.loads(json.dumps(value))
