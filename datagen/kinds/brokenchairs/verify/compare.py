"""Masks and outlines of files against those of replayed geometry."""

import numpy as np

from datagen.core.scene import GeometryFrame


def grown(mask: np.ndarray) -> np.ndarray:
    """A mask (H, W) and the pixels beside it."""
    grown = mask.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            grown |= np.roll(mask, step, axis)
    return grown


def iou(file: np.ndarray | None, replayed: np.ndarray | None) -> float | None:
    """Intersection over union of two masks; 0 for other sizes, None without one of them."""
    if file is None or replayed is None:
        return None
    if file.shape != replayed.shape:
        return 0.0
    union = int((file | replayed).sum())
    return float((file & replayed).sum() / union) if union else 1.0


def inside(mask: np.ndarray | None, frame: GeometryFrame) -> float | None:
    """Share of a mask within the silhouette; None without a mask or with an empty one."""
    if mask is None or not mask.any() or mask.shape != frame.silhouette.shape:
        return None
    return float(frame.silhouette[mask].mean())
