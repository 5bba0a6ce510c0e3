"""Telling an object from the plain ground that a photo shows round it and through it."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from datagen.core.errors import UsageError

PLAIN_TOLERANCE = 28.0
"""How far a plain background may stray from its colour, in 8-bit levels (Euclidean over RGB)."""
MAX_STRAYING = 0.2
TOUCHING = 0.03
SMALLEST_HOLE = 2e-4
"""Holes below this share of the picture stay as they are."""
SPECK = 0.002
"""What is smaller than this share of the largest piece is dust."""


@dataclass(frozen=True, eq=False)
class GroundCut:
    """Opacity (H, W) in 0..255 of the object, and what a user should know of it."""

    mask: np.ndarray
    notes: tuple[str, ...] = ()


def border_of(values: np.ndarray) -> np.ndarray:
    """The values (H, W, ...) along the picture's edge."""
    return np.concatenate([values[0], values[-1], values[1:-1, 0], values[1:-1, -1]])


def plain_background(rgb: np.ndarray) -> GroundCut:
    """The object in front of a plain ground, or one that changes evenly across the picture.

    Ground is what the border's colour reaches from the border, and enclosed areas of just that colour (seen between
    slats). Raises UsageError when the border is of many colours.
    """
    colors = rgb.astype(np.float64)
    off = np.linalg.norm(colors - _ground(colors), axis=-1)
    straying = float((border_of(off) > PLAIN_TOLERANCE).mean())
    if straying > MAX_STRAYING:
        raise UsageError("the query's background is not plain; cut the object out and save it with an alpha channel")
    labels, _ = ndimage.label(off <= PLAIN_TOLERANCE)
    outside = np.isin(labels, np.setdiff1d(border_of(labels), [0]))
    holes = _holes(off, outside)
    solid = ndimage.binary_opening(~outside, iterations=1) & ~holes
    pieces, count = ndimage.label(solid, structure=np.ones((3, 3)))
    areas = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    notes = []
    if count:
        solid &= ~np.isin(pieces, 1 + np.flatnonzero(areas < SPECK * areas.max()))
    if straying > TOUCHING:
        notes.append("the object reaches the edge, or the background is not plain; look at the prepared picture")
    return GroundCut(255.0 * solid, tuple(notes))


def _ground(colors: np.ndarray) -> np.ndarray:
    """The ground's colour, (3,) or per pixel (H, W, 3) where it changes evenly from side to side."""
    border = border_of(colors)
    flat = np.median(border, axis=0)
    height, width = colors.shape[:2]
    y, x = np.mgrid[:height, :width] / max(height, width)
    terms = np.stack([np.ones_like(x), x, y], axis=-1)
    rows = border_of(terms)
    straying = np.linalg.norm(border - flat, axis=1) > PLAIN_TOLERANCE / 2
    if straying.mean() < TOUCHING or min(height, width) < 3:
        return flat
    kept = np.ones(len(rows), dtype=bool)
    slope = np.zeros((3, 3))
    for _ in range(4):
        slope = np.linalg.lstsq(rows[kept], border[kept], rcond=None)[0]
        off = np.linalg.norm(border - rows @ slope, axis=1)
        kept = off <= max(PLAIN_TOLERANCE, float(np.median(off)) * 2)
    better = (off > PLAIN_TOLERANCE).mean() < (np.linalg.norm(border - flat, axis=1) > PLAIN_TOLERANCE).mean()
    return terms @ slope if better else flat


def _holes(off: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Enclosed areas (H, W) that have the ground's colour as exactly as the ground itself."""
    noise = float(np.percentile(border_of(off), 80))
    exact = (off <= np.clip(2.5 * noise, 6.0, PLAIN_TOLERANCE)) & ~outside
    labels, count = ndimage.label(exact)
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    large = np.flatnonzero(areas >= max(SMALLEST_HOLE * off.size, 9))
    return np.isin(labels, large[large > 0])
