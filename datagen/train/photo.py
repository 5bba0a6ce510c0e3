"""A photo as the network wants it: object on white, square, with a contact shadow if wanted (section 5.1)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage

from datagen.core.errors import UsageError

OBJECT_SHARE = 0.78
"""Longest side of a cut-out object as a share of the picture: the built queries' is 170 to 230 of 256 px."""
GROUND_LEVEL = 230
PLAIN_TOLERANCE = 28.0
"""How far a plain background may stray from its median colour, in 8-bit levels (Euclidean over RGB)."""


@dataclass(frozen=True)
class PhotoOptions:
    """`background`: auto (alpha, else a plain background), alpha, plain or keep; `shadow`: paint one."""

    background: str = "auto"
    shadow: bool = False


@dataclass(frozen=True, eq=False)
class Photo:
    """A prepared photo and where it came from.

    A point at (x, y) pixels of `picture` (S, S, 3 uint8) is at ((x, y) - offset) / scale pixels of the photo given.
    """

    picture: np.ndarray
    scale: float
    offset: tuple[float, float]
    given_px: tuple[int, int]
    """Width and height of the photo given."""

    def given_box(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """A box (cx, cy, w, h as fractions of `picture`) as left, top, right, bottom in pixels of the photo given."""
        size = len(self.picture)
        corners = np.array([(box[a] + side * box[a + 2] / 2) * size for side in (-1, 1) for a in (0, 1)])
        placed = (corners - np.tile(self.offset, 2)) / self.scale
        left, top, right, bottom = np.clip(placed, 0, np.tile(self.given_px, 2)).tolist()
        return left, top, right, bottom


def read_photo(path: Path) -> Image.Image:
    """RGB or RGBA, turned upright as its EXIF orientation says. Raises UsageError naming the file."""
    try:
        with Image.open(path) as picture:
            alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
            return ImageOps.exif_transpose(picture.convert("RGBA" if alpha else "RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UsageError(f"{path}: {error}; give a picture file to --query") from error


def prepare_photo(picture: Image.Image, size: int, options: PhotoOptions) -> Photo:
    """Cut out, centred on white, S = `size` pixels. Raises UsageError when there is no object to be seen.

    A square picture that stands on white already is only resized: that is what built queries are.
    """
    rgb = np.asarray(picture.convert("RGB"))
    mask = object_mask(picture, rgb, options.background)
    if mask is None:
        return _padded(rgb, size)
    if mask.sum() < 0.001 * mask.size * 255:
        raise UsageError("the query shows no object after its background was taken away; try --background keep")
    return _composed(rgb, mask, size, options.shadow)


def object_mask(picture: Image.Image, rgb: np.ndarray, background: str) -> np.ndarray | None:
    """Opacity (H, W) in 0..255 of the object, or None where the picture is to be taken as it is."""
    if background not in ("auto", "alpha", "plain", "keep"):
        raise UsageError(f"background {background!r} is none of auto, alpha, plain, keep")
    if background == "keep":
        return None
    if picture.mode == "RGBA":
        alpha = np.asarray(picture)[..., 3]
        if alpha.min() < 255:
            return alpha.astype(np.float64)
    if background == "alpha":
        raise UsageError("the query has no alpha channel; use --background plain or keep")
    if background == "auto" and _border(rgb).min() >= GROUND_LEVEL:
        return None
    return plain_background_mask(rgb)


def plain_background_mask(rgb: np.ndarray) -> np.ndarray:
    """Opacity of what is not connected to the border by the border's own colour.

    Raises UsageError when the border is of many colours.
    """
    border = _border(rgb).astype(np.float64)
    ground = np.median(border, axis=0)
    if (np.linalg.norm(border - ground, axis=1) > PLAIN_TOLERANCE).mean() > 0.2:
        raise UsageError("the query's background is not plain; cut the object out and save it with an alpha channel")
    like = np.linalg.norm(rgb.astype(np.float64) - ground, axis=-1) <= PLAIN_TOLERANCE
    labels, _ = ndimage.label(like)
    touching = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    outside = np.isin(labels, touching[touching > 0])
    solid = ndimage.binary_opening(~outside, iterations=1)
    return 255.0 * solid


def _border(rgb: np.ndarray) -> np.ndarray:
    return np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])


def _padded(rgb: np.ndarray, size: int) -> Photo:
    height, width = rgb.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), 255, dtype=np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = rgb
    scale = size / side
    resized = Image.fromarray(square).resize((size, size), Image.Resampling.BICUBIC)
    return Photo(np.asarray(resized), scale, (left * scale, top * scale), (width, height))


def _composed(rgb: np.ndarray, mask: np.ndarray, size: int, shadow: bool) -> Photo:
    rows, columns = np.nonzero(mask > 127)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    scale = OBJECT_SHARE * size / max(bottom - top, right - left)
    height, width = (max(1, round(float(n) * scale)) for n in (bottom - top, right - left))
    crop = (slice(top, bottom), slice(left, right))
    picture = Image.fromarray(rgb[crop]).resize((width, height), Image.Resampling.BICUBIC)
    opacity = Image.fromarray(mask[crop].astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
    y, x = (size - height) // 2, (size - width) // 2
    canvas = np.full((size, size, 3), 255.0)
    alpha = np.zeros((size, size))
    alpha[y : y + height, x : x + width] = np.asarray(opacity) / 255.0
    if shadow:
        canvas *= 1 - contact_shadow(alpha)[..., None]
    inside = np.zeros((size, size, 3))
    inside[y : y + height, x : x + width] = np.asarray(picture)
    canvas = canvas * (1 - alpha[..., None]) + inside * alpha[..., None]
    prepared = np.round(np.clip(canvas, 0, 255)).astype(np.uint8)
    offset = (x - float(left) * scale, y - float(top) * scale)
    return Photo(prepared, scale, offset, (rgb.shape[1], rgb.shape[0]))


def contact_shadow(alpha: np.ndarray, strength: float = 0.09) -> np.ndarray:
    """Darkness (H, W) in 0..1 of a soft shadow where the object meets the ground.

    The lowest fifth of the silhouette is flattened onto the ground and blurred; it stays above grey 230, which the
    networks take for ground.
    """
    size = len(alpha)
    rows = np.flatnonzero(alpha.max(axis=1) > 0.5)
    height = rows[-1] - rows[0] + 1
    low = alpha.copy()
    low[: rows[-1] - max(height // 5, 1)] = 0
    columns = np.flatnonzero(low.max(axis=0) > 0.5)
    centre, half = (columns[0] + columns[-1]) / 2, max((columns[-1] - columns[0]) / 2, 0.05 * size)
    y, x = np.mgrid[:size, :size]
    depth = 0.3 * half
    disc = ((x - centre) / half) ** 2 + ((y - (rows[-1] - 0.5 * depth)) / depth) ** 2 <= 1
    return strength * ndimage.gaussian_filter(disc.astype(np.float64), 0.02 * size)
