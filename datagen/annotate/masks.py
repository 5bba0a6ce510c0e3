"""Masks, boxes and changed pixels of an anomalous view against the normal shape in it (DATA.md, Annotations)."""

from dataclasses import dataclass

import numpy as np

from datagen.core.scene import GeometryFrame

DEPTH_TOLERANCE = 0.008
"""Depth differences below this (query units, a third of a percent of the distance) are repair noise."""
BOX_GRID = 512


@dataclass(frozen=True, eq=False)
class Annotation:
    """What one anomalous view shows: masks (H, W) bool, box on the 512 grid, IoU, changed pixels (H, W)."""

    mask_new: np.ndarray | None
    mask_old: np.ndarray
    changed: np.ndarray
    bbox_xywh_512: tuple[float, float, float, float]
    iou: float


def changed_pixels(normal: GeometryFrame, anomalous: GeometryFrame, part_id: int) -> np.ndarray:
    """Pixels (H, W) where depth differs, or where one frame shows the changed part and the other does not.

    Coincident faces of two other parts may answer with either id; they did not change.
    """
    depth = np.abs(normal.depth - anomalous.depth) > DEPTH_TOLERANCE
    ids = (normal.part_id == part_id) != (anomalous.part_id == part_id)
    return depth | ids


def tight_box(mask: np.ndarray) -> tuple[float, float, float, float]:
    """(x, y, w, h) of a mask on the 512 grid, x + w exclusive. Raises ValueError on an empty mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        raise ValueError("an empty mask has no box")
    scale = BOX_GRID / mask.shape[1]
    x, y = columns[0] * scale, rows[0] * scale
    return (float(x), float(y), float((columns[-1] + 1) * scale - x), float((rows[-1] + 1) * scale - y))


def annotate_view(
    normal: GeometryFrame, anomalous: GeometryFrame, part_id: int, kind: str, union_box: bool = False
) -> Annotation | None:
    """Masks, box and IoU of a view; None when the mask that the box is drawn from is empty."""
    mask_old = normal.part_id == part_id
    mask_new = anomalous.part_id == part_id
    changed = changed_pixels(normal, anomalous, part_id)
    if kind == "missing":
        if not mask_old.any():
            return None
        return Annotation(None, mask_old, changed, tight_box(mask_old), 0.0)
    if not mask_new.any():
        return None
    union = mask_old | mask_new
    boxed = union if kind == "broken" and union_box else mask_new
    iou = float((mask_old & mask_new).sum() / union.sum())
    return Annotation(mask_new, mask_old, changed, tight_box(boxed), iou)
