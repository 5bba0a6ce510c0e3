"""Boxes, masks and IoU by the table of the design's semantics, and the traps of the published loader."""

from collections.abc import Iterator

import numpy as np

from datagen.anomalies.registry import operators
from datagen.kinds.brokenchairs.behind import is_on_white
from datagen.kinds.brokenchairs.verify import needs
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.needs import ANOMALIES
from datagen.kinds.brokenchairs.verify.queries import QueryFacts
from datagen.verify.check import ERROR, WARNING, CheckList, Finding

CHECKS = CheckList[ChairEvidence]()
check = CHECKS.check


BOX_TOLERANCE = 2.0
"""On the 512 grid: one pixel of a 256-px mask."""
EDGE = 32.0
"""Centres this near the frame of the 512 grid are lost in the published crop."""


def box_of(query: QueryFacts) -> tuple[float, float, float, float] | None:
    """2d_bbox as four finite numbers, or None."""
    value = (query.info or {}).get("2d_bbox")
    try:
        box = np.array(value, dtype=float)
    except (TypeError, ValueError):
        return None
    if box.shape != (4,) or not np.isfinite(box).all():
        return None
    return (float(box[0]), float(box[1]), float(box[2]), float(box[3]))


@check(ERROR, "The published loader drops a sample whose box leaves the 512 grid or is empty.", of=ANOMALIES)
def boxes_valid(evidence: ChairEvidence) -> Iterator[Finding]:
    """Four numbers, inside [0, 512] on all sides, with a width and a height."""
    for query in evidence.anomalies:
        if query.info is None:
            continue
        box = box_of(query)
        if box is None:
            yield Finding(query.path, f"2d_bbox is {query.info.get('2d_bbox')!r}")
            continue
        x, y, w, h = box
        if x < 0 or y < 0 or w <= 0 or h <= 0 or x + w > 512 or y + h > 512:
            yield Finding(query.path, f"box {list(box)} is empty or leaves the 512 grid")


@check(ERROR, "The box a detector learns is the box of the mask.", of=ANOMALIES, needs=(needs.masks,))
def boxes_fit_masks(evidence: ChairEvidence) -> Iterator[Finding]:
    """2d_bbox is tight about mask_new (mask_old for a missing part; both for whole objects and the recipe's union)."""
    recipe = evidence.recipe
    union = {name for name, operator in operators().items() if not operator.on_part}
    union |= {"broken"} if recipe and recipe.anomaly.broken.box_is_union else set()
    for query in evidence.anomalies:
        if query.anomalies:  # several_anomalies looks at each
            continue
        box, wanted = box_of(query), _mask_box(query, query.kind in union)
        if box is None or wanted is None or query.kind not in operators():
            continue
        edges, want = _edges(box), _edges(wanted)
        if np.abs(edges - want).max() > BOX_TOLERANCE:
            yield Finding(query.path, f"box {list(box)} is not the mask's {list(wanted)}{_guess(edges, want)}")


def _mask_box(query: QueryFacts, union: bool) -> tuple[float, float, float, float] | None:
    new = query.mask_new.box if query.mask_new else None
    old = query.mask_old.box if query.mask_old else None
    if union and new and old:
        low = np.minimum(_edges(new)[:2], _edges(old)[:2])
        high = np.maximum(_edges(new)[2:], _edges(old)[2:])
        return (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
    return old if query.is_gone else new


def _edges(box: tuple[float, float, float, float]) -> np.ndarray:
    x, y, w, h = box
    return np.array([x, y, x + w, y + h])


def _guess(edges: np.ndarray, want: np.ndarray) -> str:
    if np.abs(2 * edges - want).max() <= 2 * BOX_TOLERANCE:
        return " (it is on the 256 grid)"
    if np.abs(edges[[1, 0, 3, 2]] - want).max() <= BOX_TOLERANCE:
        return " (x and y are swapped)"
    return ""


@check(WARNING, "A box at the frame is cropped away by the published augmentation.", of=ANOMALIES)
def boxes_off_edge(evidence: ChairEvidence) -> Iterator[Finding]:
    """Centres of boxes keep 16 px (of 256) from the frame."""
    for query in evidence.anomalies:
        box = box_of(query)
        if box is None:
            continue
        centre = np.array([box[0] + box[2] / 2, box[1] + box[3] / 2])
        if (centre < EDGE).any() or (centre > 512 - EDGE).any():
            yield Finding(query.path, f"box centre {centre.tolist()} on the 512 grid")


@check(ERROR, "A mask that is no mask trains a segmenter on noise.", of=ANOMALIES, needs=(needs.masks,))
def masks_valid(evidence: ChairEvidence) -> Iterator[Finding]:
    """Masks hold 0 and 255 alone, have the picture's size, and are not empty."""
    for query in evidence.anomalies:
        for key, mask in (("mask_new", query.mask_new), ("mask_old", query.mask_old)):
            if mask is None:
                continue
            if not mask.binary:
                yield Finding(query.path, f"{key} holds other values than 0 and 255")
            if query.picture and (mask.width, mask.height) != (query.picture.width, query.picture.height):
                yield Finding(query.path, f"{key} is {mask.width} x {mask.height}, the picture is not")
            if mask.area == 0:
                yield Finding(query.path, f"{key} is empty")


@check(ERROR, "IoU tells how far a part moved; curricula and figures use it.", of=ANOMALIES, needs=(needs.masks,))
def iou_agrees(evidence: ChairEvidence) -> Iterator[Finding]:
    """`IoU` is the one of the two masks, 0 for a missing part."""
    for query in evidence.anomalies:
        value = (query.info or {}).get("IoU")
        if query.info is None or value is None:
            continue
        wanted = 0.0 if query.is_gone else query.mask_iou
        if wanted is None:
            continue
        if not isinstance(value, int | float) or abs(float(value) - wanted) > 0.02:
            yield Finding(query.path, f"IoU is {value!r}, the masks' is {wanted:.4f}")


@check(WARNING, "A mask beside the object belongs to another picture.", of=ANOMALIES, needs=(needs.masks,))
def masks_on_object(evidence: ChairEvidence) -> Iterator[Finding]:
    """At least half of mask_new lies on pixels that are not white."""
    for query in evidence.anomalies:
        mask = query.mask_new
        if mask is not None and mask.area and mask.on_object < 0.5 and is_on_white(evidence.recipe):
            yield Finding(query.path, f"{1 - mask.on_object:.0%} of mask_new is white ground in the picture")
