"""Query augmentation by kornia: mirror, crop and resize, with the box (paper, section 5); brightness and contrast."""

import math

import numpy as np
import torch
from torch import Tensor

MAX_DRAWS = 10
BRIGHTNESS_CONTRAST = 0.2
"""Limit of both changes: of the contrast's factor about 1, of the brightness's offset as a share of the full range."""


def draw_crop(rng: np.random.Generator, size: int, share: float, box: tuple[float, ...] | None) -> tuple[int, int, int]:
    """Top, left and side of a square crop in pixels.

    A crop that cuts the box away (its centre falls outside) is drawn again, up to 10 times; then it is
    centred, which keeps every box whose centre is not in the outer margin.
    """
    side = round(share * size)
    room = size - side
    for _ in range(MAX_DRAWS):
        top, left = (int(v) for v in rng.integers(0, room + 1, 2))
        if box is None or (left < box[0] * size < left + side and top < box[1] * size < top + side):
            return top, left, side
    return room // 2, room // 2, side


def cropped_box(box: tuple[float, ...], top: int, left: int, side: int, size: int) -> tuple[float, ...]:
    """The part of a box (cx, cy, w, h in 0..1) inside a crop, as fractions of the crop."""
    cx, cy, w, h = (v * size for v in box)
    x0, x1 = (min(max(v - left, 0.0), side) / side for v in (cx - w / 2, cx + w / 2))
    y0, y1 = (min(max(v - top, 0.0), side) / side for v in (cy - h / 2, cy + h / 2))
    return (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0


def brighter(picture: Tensor, contrast: float, brightness: float) -> Tensor:
    """A picture in [-1, 1] with its values v in [0, 1] replaced by v * contrast + brightness, clipped.

    The factor acts about black, not about the mean, as in the published trainer.
    """
    return (((picture + 1) / 2 * contrast + brightness).clamp(0, 1)) * 2 - 1


def augment(
    picture_3SS: Tensor,
    box: tuple[float, ...],
    anomalous: bool,
    rng: np.random.Generator,
    flip: bool,
    share: float,
    brightness_contrast: float = 0.0,
) -> tuple[Tensor, tuple[float, ...]]:
    """A mirrored, cropped and, with probability `brightness_contrast`, recoloured picture (3, S, S) in [-1, 1], and
    its box. The draws depend on `rng` alone; what is switched off draws nothing.
    """
    from kornia.geometry.transform import crop_by_indices, hflip

    size = picture_3SS.shape[-1]
    if flip and rng.random() < 0.5:
        picture_3SS = hflip(picture_3SS)
        box = (1 - box[0], *box[1:]) if anomalous else box
    # Before the crop is resized, which must not see values that are clipped.
    if brightness_contrast > 0 and rng.random() < brightness_contrast:
        factor, offset = rng.uniform(-BRIGHTNESS_CONTRAST, BRIGHTNESS_CONTRAST, 2)
        picture_3SS = brighter(picture_3SS, 1 + factor, offset)
    if not math.isclose(share, 1.0):
        top, left, side = draw_crop(rng, size, share, box if anomalous else None)
        x1, y1 = left + side, top + side
        corners = torch.tensor([[[left, top], [x1 - 1, top], [x1 - 1, y1 - 1], [left, y1 - 1]]])
        picture_3SS = crop_by_indices(picture_3SS[None], corners, size=(size, size), align_corners=False)[0]
        box = cropped_box(box, top, left, side, size) if anomalous else box
    return picture_3SS, box
