"""Pictures for people: data URLs, contact sheets, captions, and samples with their masks and box marked."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import binary_dilation

RED, GREEN, BLUE = (214, 30, 40), (60, 200, 40), (30, 120, 210)
CAPTION = 22
"""Rows of a caption."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture (H, W, 3) uint8 for people, None where there is nothing to show, and what it shows in words."""

    picture: np.ndarray | None
    words: str


def decoded(data: bytes, mode: str = "RGB") -> np.ndarray:
    """The pixels of an image file, (H, W, 3) or for mode L (H, W), uint8."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert(mode))


def data_url(image: Image.Image, kind: str = "PNG", **options: Any) -> str:
    """A picture as a data: URL, written as `kind` with the options of Pillow's writer."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def contact_sheet(tiles: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Tiles (h, w, 3) uint8 of one size in rows, on white."""
    rows = -(-len(tiles) // columns)
    height, width = tiles[0].shape[:2]
    sheet = np.full((rows * height, columns * width, 3), 255, np.uint8)
    for k, tile in enumerate(tiles):
        y, x = divmod(k, columns)
        sheet[y * height : (y + 1) * height, x * width : (x + 1) * width] = tile
    return sheet


def caption(text: str, width: int) -> np.ndarray:
    """A line of words, (CAPTION, width, 3) uint8."""
    band = Image.new("RGB", (width, CAPTION), (255, 255, 255))
    ImageDraw.Draw(band).text((8, 4), text, fill=(60, 60, 60))
    return np.asarray(band)


def tinted(picture: np.ndarray, mask: np.ndarray, color: tuple[int, int, int], share: float) -> np.ndarray:
    """The picture (H, W, 3) uint8 with `share` of a colour in a mask (H, W)."""
    shown = picture.astype(float)
    shown[mask] = (1 - share) * shown[mask] + share * np.array(color)
    return shown.astype(np.uint8)


def marked(picture: np.ndarray, new: np.ndarray | None, old: np.ndarray | None, box: Box | None) -> np.ndarray:
    """The picture (H, W, 3) uint8 with the new mask red, the old one's outline green, the box blue (paper, Figure 2).

    Masks (H, W) bool; the box as x, y, w, h in pixels.
    """
    shown = picture.copy() if new is None else tinted(picture, new, RED, 0.65)
    if old is not None:
        shown[binary_dilation(old) & ~old] = GREEN
    if box is None:
        return shown
    image = Image.fromarray(shown)
    x, y, w, h = box
    ImageDraw.Draw(image).rectangle((x - 1, y - 1, x + max(w, 0), y + max(h, 0)), outline=BLUE)
    return np.asarray(image)
