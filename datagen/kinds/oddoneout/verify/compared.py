"""What the pictures of a scene say of each other: outlines and edges, depth in two forms, masks."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from datagen.formats.oddoneout import BACKGROUND_DEPTH, strip_bytes

FOREGROUND = 127
"""Published segmentations are 0-1 and 205-207."""
EDGES = 30
"""Strong edges from which a picture's sharpness is told."""
REACH, TRIED_PX = 4, 600
"""Pixels by which a picture is looked for beside its outlines, and pixels of an outline that are tried (or twice as
many)."""
LEAST_PX = 30
"""Pixels from which the mean colour of what a view shows is told."""


def grey_of(picture: np.ndarray) -> np.ndarray:
    """Grey (H, W) uint8 of a picture (H, W, 4), its alpha dropped."""
    grey: np.ndarray = np.asarray(Image.fromarray(np.ascontiguousarray(picture[..., :3])).convert("L"))
    return grey


def edge_strength(picture: np.ndarray) -> np.ndarray:
    """Largest step of any colour (H, W, C) to a neighbour, (H, W): a grey plate on brown wood may be as bright."""
    found = np.zeros(picture.shape[:2])
    for axis in (0, 1):
        step = np.abs(np.diff(picture, axis=axis)).max(axis=-1)
        low, high = [slice(None)] * 2, [slice(None)] * 2
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        found[tuple(low)] = np.maximum(found[tuple(low)], step)
        found[tuple(high)] = np.maximum(found[tuple(high)], step)
    return found


def strip_differs(strip: np.ndarray | None, shown: Sequence[tuple[np.ndarray, list[list[int]]]]) -> float:
    """As of `SceneFacts`, for scene.jpg (H, W, 3), against the pictures (H, W, 3) and boxes of the views it shows."""
    if strip is None or not shown:
        return float("nan")
    if len({picture.shape for picture, _ in shown}) > 1:
        return 255.0
    with Image.open(io.BytesIO(strip_bytes(shown))) as image:
        wanted = np.asarray(image.convert("RGB")).astype(np.int16)
    return float(np.abs(strip - wanted).mean()) if strip.shape == wanted.shape else 255.0


def bounds_of(labels: np.ndarray) -> np.ndarray:
    """Pixels (H, W) beside which labels (H, W) change."""
    found = np.zeros(labels.shape, dtype=bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    found[:, 1:] |= across
    found[:, :-1] |= across
    found[1:] |= down
    found[:-1] |= down
    return found


def best_shift(strength: np.ndarray, outline: np.ndarray) -> tuple[float, float, float]:
    """Columns and rows by which edges (H, W) fit an outline (H, W) best, and how many times better than unshifted.

    NaN where there is no outline.
    """
    if not outline.any():
        return (float("nan"),) * 3
    rows, columns = np.nonzero(outline)
    every = max(1, len(rows) // TRIED_PX)
    rows, columns = rows[::every], columns[::every]
    wide = np.pad(strength, REACH, mode="edge")
    steps = range(2 * REACH + 1)
    found = np.array([[wide[rows + y, columns + x].mean() for x in steps] for y in steps])
    y, x = np.unravel_index(int(found.argmax()), found.shape)
    return float(x - REACH), float(y - REACH), float(found[y, x] / max(found[REACH, REACH], 1e-9))


def scaled_differs(scaled: np.ndarray, depth: np.ndarray) -> int:
    """Pixels of a 16-bit depth picture that are not z-depth (H, W) between its nearest and farthest, sky 65535."""
    if scaled.shape != depth.shape:
        return scaled.size
    seen = depth < BACKGROUND_DEPTH / 2
    wanted = np.full(depth.shape, 65535.0)
    if seen.any():
        low, high = depth[seen].min(), depth[seen].max()
        wanted[seen] = 65535 * (depth[seen] - low) / max(high - low, 1e-12)
    return int((np.abs(wanted - scaled) > 2).sum())


def elsewhere(changed: np.ndarray | None, shown: np.ndarray) -> int:
    if changed is None or changed.shape != shown.shape:
        return 0
    return int(((changed > FOREGROUND) & ~shown).sum())


def parts_differ(parts: np.ndarray, things: np.ndarray, records: list[dict[str, Any]]) -> int:
    """Pixels (H, W) of part labels that no object's table has, or another object's than the one seen there."""
    if parts.shape != things.shape[1:]:
        return parts.size
    owner = np.zeros(65536, dtype=np.int64)
    for k, record in enumerate(records):
        for label in (record.get("part_labels") or {}).values():
            if not 0 < label < 65536 or owner[label]:
                return parts.size
            owner[label] = k + 1
    seen = np.where(things.any(axis=0), things.argmax(axis=0) + 1, 0) if len(things) else np.zeros(parts.shape, int)
    return int(((owner[parts] != seen) | ((parts > 0) & (owner[parts] == 0))).sum())


def mask_differs(image: np.ndarray | None, wanted: np.ndarray) -> int:
    """Pixels in which a mask image (H, W) is not the mask wanted; -1 where there is no image."""
    if image is None:
        return -1
    return int(((image > FOREGROUND) != wanted).sum()) if image.shape == wanted.shape else image.size


def back_projected(depth: np.ndarray, K: np.ndarray, T: np.ndarray) -> np.ndarray:
    """World points (H, W, 3) of z-depth (H, W) through pixel centres i + 0.5, OpenCV extrinsic T (4, 4)."""
    rows, columns = np.mgrid[: depth.shape[0], : depth.shape[1]] + 0.5
    camera = np.stack([(columns - K[0, 2]) / K[0, 0] * depth, (rows - K[1, 2]) / K[1, 1] * depth, depth], axis=-1)
    with np.errstate(invalid="ignore", over="ignore"):  # a sky that is infinite or no number is told elsewhere
        world: np.ndarray = (camera - T[:3, 3]) @ T[:3, :3]
    return world
