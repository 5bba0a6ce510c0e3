"""Pictures of scenes with boxes, scores and correspondences."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

RED, BLUE, GREEN, YELLOW = (214, 39, 40), (31, 90, 200), (44, 160, 44), (240, 200, 0)
EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if bin(a ^ b).count("1") == 1]
"""Of a box whose corner k is high along axis i where bit i of k is set."""
SCALE_PX = 256
"""Side of a view in a picture."""


def corners(box_23: np.ndarray) -> np.ndarray:
    """The corners (8, 3) of a box, centre and size."""
    signs = np.array([[(k >> axis & 1) - 0.5 for axis in range(3)] for k in range(8)])
    found: np.ndarray = box_23[0] + signs * box_23[1]
    return found


def projected(points_N3: np.ndarray, K_33: np.ndarray, T_44: np.ndarray) -> np.ndarray:
    """Pixels (N, 2) of world points; NaN behind the camera."""
    local = points_N3 @ T_44[:3, :3].T + T_44[:3, 3]
    pixel = local @ K_33.T
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = pixel[:, :2] / pixel[:, 2:]
    found[local[:, 2] <= 1e-3] = np.nan
    return found


def box_px(box_23: np.ndarray, K_33: np.ndarray, T_44: np.ndarray) -> tuple[float, float, float, float] | None:
    """Left, top, right and bottom of a box as a camera sees it, None where part of it is behind the camera."""
    pixel = projected(corners(box_23), K_33, T_44)
    if np.isnan(pixel).any():
        return None
    (left, top), (right, bottom) = pixel.min(0).tolist(), pixel.max(0).tolist()
    return left, top, right, bottom


def boxed_view(
    picture: np.ndarray,
    K_33: np.ndarray,
    T_44: np.ndarray,
    boxes_N23: np.ndarray,
    labels: Sequence[str],
    colours: Sequence[tuple[int, int, int]],
) -> Image.Image:
    """A view (S, S, 3) uint8 at `SCALE_PX` with the edges of boxes and a word at each."""
    image = Image.fromarray(picture).resize((SCALE_PX, SCALE_PX), Image.Resampling.BICUBIC)
    pen, by = ImageDraw.Draw(image), SCALE_PX / picture.shape[0]
    font = ImageFont.load_default(13)
    for box, word, colour in zip(boxes_N23, labels, colours, strict=True):
        pixel = projected(corners(box), K_33, T_44) * by
        if np.isnan(pixel).any():
            continue
        for a, b in EDGES:
            pen.line([*pixel[a].tolist(), *pixel[b].tolist()], fill=colour, width=1)
        x, y = pixel[:, 0].mean(), pixel[:, 1].min()
        left = float(np.clip(x - font.getlength(word) / 2, 0, SCALE_PX - font.getlength(word)))
        top = float(np.clip(y - 16, 0, SCALE_PX - 16))
        pen.rectangle((left - 2, top, left + font.getlength(word) + 2, top + 15), fill=colour)
        pen.text((left, top), word, fill="white", font=font)
    return image


def linked_view(
    picture: np.ndarray, K_33: np.ndarray, T_44: np.ndarray, start_3: np.ndarray, ends_N3: np.ndarray
) -> Image.Image:
    """A view with a point of one object (yellow) and its most similar points on the others (green), linked."""
    image = Image.fromarray(picture).resize((SCALE_PX, SCALE_PX), Image.Resampling.BICUBIC)
    pen, by = ImageDraw.Draw(image), SCALE_PX / picture.shape[0]
    start = projected(start_3[None], K_33, T_44)[0] * by
    for end in projected(ends_N3, K_33, T_44) * by:
        if not np.isnan([*start, *end]).any():
            pen.line([*start.tolist(), *end.tolist()], fill=GREEN, width=1)
            _dot(pen, end, GREEN)
    if not np.isnan(start).any():
        _dot(pen, start, YELLOW)
    return image


def _dot(pen: ImageDraw.ImageDraw, place: np.ndarray, colour: tuple[int, int, int]) -> None:
    x, y = place.tolist()
    pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour, outline="black")


def side_by_side(images: Sequence[Image.Image], columns: int, gap: int = 6) -> Image.Image:
    """Images of one size in rows on white."""
    width, height = images[0].size
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    whole = Image.new("RGB", (columns * (width + gap) - gap, rows * (height + gap) - gap), "white")
    for number, image in enumerate(images):
        whole.paste(image, (number % columns * (width + gap), number // columns * (height + gap)))
    return whole
