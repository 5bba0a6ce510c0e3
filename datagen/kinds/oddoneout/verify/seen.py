"""What is kept of a scene's views while they are read, to be compared between them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import ndimage

from datagen.formats.oddoneout import bbox_2d, view_name
from datagen.kinds.oddoneout.verify.compared import LEAST_PX, best_shift, bounds_of, edge_strength
from datagen.kinds.oddoneout.verify.shown import Shown


class SeenViews:
    """What is compared between the views of a scene: pictures, outlines, and scene2d's boxes by a view's name."""

    def __init__(self, boxes: Mapping[str, Any], regions: int, sampled: bool) -> None:
        self.boxes, self.regions, self.sampled = boxes, regions, sampled
        self.strengths: list[np.ndarray | None] = []
        self.outlines: list[np.ndarray] = []
        self.colors: list[np.ndarray] = []
        self.shifts: list[tuple[float, float, float]] = []
        self.coarse: list[Shown | None] = []
        self.shown: list[tuple[np.ndarray, list[list[int]]]] = []
        """Pictures (H, W, 3) of the views of scene.jpg, with the boxes of their anomalous objects."""

    def add(self, picture: np.ndarray | None, things: np.ndarray) -> None:
        """The picture (H, W, 3) of a view, and its objects' masks (N, H, W)."""
        inside = [mask & ~ndimage.binary_erosion(mask, iterations=1) for mask in things]
        self.outlines.append(np.logical_or.reduce(inside) if inside else np.zeros((1, 1), bool))
        self.strengths.append(None if picture is None else edge_strength(picture.astype(np.int16)))

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
        strength = self.strengths
        found = np.full((len(strength), len(strength)), np.nan)
        for v, picture in enumerate(strength):
            for w, outline in enumerate(self.outlines):
                if picture is not None and picture.shape == outline.shape and outline.any():
                    found[v, w] = picture[outline].mean()
        return found

    def add_bounds(self, parts: np.ndarray | None) -> None:
        """Where the part labels (H, W) of the last view change, which its picture has to follow."""
        strength = self.strengths[-1]
        if parts is None or strength is None or parts.shape != strength.shape:
            self.shifts.append((float("nan"),) * 3)
        else:
            self.shifts.append(best_shift(strength, bounds_of(parts)))

    def keep_coarse(
        self, things: np.ndarray, depth: np.ndarray | None, parts: np.ndarray | None, changed: np.ndarray | None
    ) -> None:
        """A view's masks (N, H, W), depth, part labels and changed pixels, by every fifth pixel."""
        shown = Shown.of(things, depth, parts, changed) if self.sampled else None
        self.coarse.append(None if shown is None else shown.coarse())

    def other_boxes(self) -> bool:
        """Whether scene2d names views that are not there."""
        return not self.boxes.keys() <= {view_name(v) for v in range(len(self.outlines))}

    def boxes_differ(self, v: int, odd: np.ndarray) -> bool:
        """Whether scene2d says other boxes of a view than the masks (N, H, W) of its anomalous objects have."""
        wanted = [box for box in map(bbox_2d, odd) if box is not None]
        return bool(self.boxes.get(view_name(v), []) != wanted)
