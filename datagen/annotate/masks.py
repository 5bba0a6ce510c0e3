"""Masks, boxes and changed pixels of an anomalous view against the normal shape in it (DATA.md, Annotations)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from datagen.core.anomaly import AnomalousShape
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
    each: tuple["Annotation", ...] = ()
    """Where an object has several anomalies: those by themselves, `changed` within their own masks."""


def changed_pixels(normal: GeometryFrame, anomalous: GeometryFrame, part_ids: Sequence[int]) -> np.ndarray:
    """Pixels (H, W) where depth differs, or where one frame shows a changed part and the other does not.

    Coincident faces of two other parts may answer with either id; they did not change.
    """
    depth = np.abs(normal.depth - anomalous.depth) > DEPTH_TOLERANCE
    ids = np.isin(normal.part_id, part_ids) != np.isin(anomalous.part_id, part_ids)
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
    normal: GeometryFrame, anomalous: GeometryFrame, made: AnomalousShape, union_box: bool = False
) -> Annotation | None:
    """Masks, box and IoU of a view; None when the mask that the box is drawn from is empty.

    The masks show the part before and after. An anomaly of the whole object has no part: there they show the
    surface that would look otherwise, as the normal and as the anomalous object has it, and the box holds both.
    Of a local one they show the spot: pixels of its faces count as changed however little their depth differs.
    """
    changed = changed_pixels(normal, anomalous, made.part_ids)
    if made.each:
        return _annotate_each(normal, anomalous, made, union_box, changed)
    if made.local:
        mask_new = _faces_seen(anomalous, made)
        mask_old = (mask_new | changed) & (normal.part_id == made.spec.part_id)
        changed = changed | mask_new
    elif made.spec.part_id == 0:
        mask_old, mask_new = changed & normal.silhouette, changed & anomalous.silhouette
    else:
        mask_old, mask_new = normal.part_id == made.spec.part_id, anomalous.part_id == made.spec.part_id
    if made.spec.part_id in made.gone:
        if not mask_old.any():
            return None
        return Annotation(None, mask_old, changed, tight_box(mask_old), 0.0)
    if not mask_new.any():
        return None
    union = mask_old | mask_new
    both = made.spec.part_id == 0 or (made.spec.kind == "broken" and union_box)
    boxed = union if both else mask_new
    iou = float((mask_old & mask_new).sum() / union.sum())
    return Annotation(mask_new, mask_old, changed, tight_box(boxed), iou)


def _faces_seen(frame: GeometryFrame, made: AnomalousShape) -> np.ndarray:
    """Pixels (H, W) that show a changed face of the anomaly's part."""
    seen = frame.part_id == made.spec.part_id
    faces = made.changed[made.spec.part_id]
    return np.asarray(seen & faces[np.where(seen, frame.face, 0)])


def _annotate_each(
    normal: GeometryFrame, anomalous: GeometryFrame, made: AnomalousShape, union_box: bool, changed: np.ndarray
) -> Annotation | None:
    """Each anomaly by itself, and their union: masks of all, a box about their boxes. None where one is not seen."""
    found = []
    for one in made.each:
        note = annotate_view(normal, anomalous, one, union_box)
        if note is None:
            return None
        own = note.mask_old if note.mask_new is None else note.mask_old | note.mask_new
        found.append(replace(note, changed=note.changed & own))
    mask_old = np.logical_or.reduce([note.mask_old for note in found])
    new = [note.mask_new for note in found if note.mask_new is not None]
    mask_new = np.logical_or.reduce(new) if new else None
    iou = 0.0 if mask_new is None else float((mask_old & mask_new).sum() / (mask_old | mask_new).sum())
    return Annotation(mask_new, mask_old, changed, hull([note.bbox_xywh_512 for note in found]), iou, tuple(found))


def hull(boxes: Sequence[Sequence[float]]) -> tuple[float, float, float, float]:
    """The least box (x, y, w, h) that holds some."""
    edges = np.array([(x, y, x + w, y + h) for x, y, w, h in boxes], dtype=float)
    (x, y), (right, bottom) = edges[:, :2].min(axis=0).tolist(), edges[:, 2:].max(axis=0).tolist()
    return (x, y, right - x, bottom - y)
