"""What the pictures of a scene say of each other: outlines and edges, the table's boxes, depth in two forms, strays."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from datagen.formats.oddoneout import BACKGROUND_DEPTH, bbox_2d, strip_bytes, view_name
from datagen.store.reader import DatasetReader

FOREGROUND = 127
"""Published segmentations are 0-1 and 205-207."""
EDGES = 30
"""Strong edges from which a picture's sharpness is told."""
LEAST_PX = 30
"""Pixels from which the mean colour of what a view shows is told."""


class SeenViews:
    """What is compared between the views of a scene: pictures, outlines, and scene2d's boxes by a view's name."""

    def __init__(self, boxes: Mapping[str, Any], regions: int) -> None:
        self.boxes, self.regions = boxes, regions
        self.pictures: list[np.ndarray | None] = []
        self.outlines: list[np.ndarray] = []
        self.colors: list[np.ndarray] = []
        self.shown: list[tuple[np.ndarray, list[list[int]]]] = []
        """Pictures (H, W, 3) of the views of scene.jpg, with the boxes of their anomalous objects."""

    def add(self, picture: np.ndarray | None, things: np.ndarray) -> None:
        """The grey picture of a view, and its objects' masks (N, H, W)."""
        inside = [mask & ~ndimage.binary_erosion(mask, iterations=1) for mask in things]
        self.outlines.append(np.logical_or.reduce(inside) if inside else np.zeros((1, 1), bool))
        self.pictures.append(picture)

    def add_colors(self, picture: np.ndarray | None, regions: np.ndarray) -> None:
        """Mean colours of a picture (H, W, 4) by region (H, W): 0 the floor, above it a part or object, -1 the sky."""
        sums = np.full((self.regions + 1, 3), np.nan)
        if picture is not None and picture.shape[:2] == regions.shape:
            seen = (regions >= 0) & (regions <= self.regions)
            of = regions[seen]
            count = np.bincount(of, minlength=self.regions + 1)
            for channel in range(3):
                total = np.bincount(of, weights=picture[..., channel][seen], minlength=self.regions + 1)
                sums[:, channel] = np.where(count >= LEAST_PX, total / np.maximum(count, 1), np.nan)
        self.colors.append(sums)

    def keep_for_strip(self, picture: np.ndarray, odd: np.ndarray) -> None:
        """One of the views of scene.jpg (H, W, 4), with the masks (N, H, W) of its anomalous objects."""
        boxes = [box for box in map(bbox_2d, odd) if box is not None]
        self.shown.append((np.ascontiguousarray(picture[..., :3]), boxes))

    def color_table(self) -> np.ndarray:
        """As of `SceneFacts`."""
        return np.stack(self.colors) if self.colors else np.zeros((0, 1, 3))

    def edges(self) -> np.ndarray:
        """As of `SceneFacts`; NaN where a picture or an outline is missing or of another size."""
        strength = [None if p is None else edge_strength(p.astype(float)) for p in self.pictures]
        found = np.full((len(strength), len(strength)), np.nan)
        for v, picture in enumerate(strength):
            for w, outline in enumerate(self.outlines):
                if picture is not None and picture.shape == outline.shape and outline.any():
                    found[v, w] = picture[outline].mean()
        return found

    def boxes_differ(self, v: int, odd: np.ndarray) -> bool:
        """Whether scene2d says other boxes of a view than the masks (N, H, W) of its anomalous objects have."""
        told = self.boxes.get(view_name(v))
        if told is None and not self.boxes:
            return False
        wanted = [box for box in map(bbox_2d, odd) if box is not None]
        return told != wanted


def grey_of(picture: np.ndarray) -> np.ndarray:
    """Grey (H, W) uint8 of a picture (H, W, 4), its alpha dropped."""
    grey: np.ndarray = np.asarray(Image.fromarray(np.ascontiguousarray(picture[..., :3])).convert("L"))
    return grey


def edge_strength(grey: np.ndarray) -> np.ndarray:
    """Largest step of grey to a neighbour, (H, W)."""
    found = np.zeros(grey.shape)
    for axis in (0, 1):
        step = np.abs(np.diff(grey, axis=axis))
        low, high = [slice(None)] * 2, [slice(None)] * 2
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        found[tuple(low)] = np.maximum(found[tuple(low)], step)
        found[tuple(high)] = np.maximum(found[tuple(high)], step)
    return found


def strays(files: DatasetReader, folder: str, views: int) -> tuple[str, ...]:
    names = {view_name(v) for v in range(views)}
    inside = [path for part in ("RGB", "masks") for path in files.list(f"{folder}/{part}")]
    return tuple(path.removeprefix(f"{folder}/") for path in inside if path.rsplit("/", 1)[1] not in names)


def strip_differs(strip: np.ndarray | None, seen: SeenViews) -> float:
    """As of `SceneFacts`, for scene.jpg (H, W, 3)."""
    if strip is None or not seen.shown:
        return float("nan")
    if len({picture.shape for picture, _ in seen.shown}) > 1:
        return 255.0
    with Image.open(io.BytesIO(strip_bytes(seen.shown))) as image:
        wanted = np.asarray(image.convert("RGB")).astype(np.int16)
    return float(np.abs(strip - wanted).mean()) if strip.shape == wanted.shape else 255.0


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
    return (camera - T[:3, 3]) @ T[:3, :3]
