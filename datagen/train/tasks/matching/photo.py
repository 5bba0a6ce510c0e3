"""A photo as the network wants it: object on white, square, with a contact shadow if wanted (section 5.1)."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from datagen.core.errors import UsageError
from datagen.formats.images import ImageError
from datagen.formats.photo_file import PhotoFile, read_photo_file
from datagen.train.tasks.matching.ground import GroundCut, border_of, plain_background

OBJECT_SHARE = 0.78
"""Longest side of a cut-out object as a share of the picture: the built queries' is 170 to 230 of 256 px."""
GROUND_LEVEL = 230
LEAST_PX = 32
"""Pixels of a photo's shorter side below which there is nothing to judge."""
LEAST_SHARE = 0.001
"""Least share of the pixels that an object covers."""
BLANK_DEVIATION = 2.0
FILLED_SHARE = 0.5
"""A square picture on white whose object is this long is framed as built queries are."""
APART_SHARE, SECOND_SHARE = 0.06, 0.3
"""A second object: at least this share of the picture away, and of the first one's pixels."""


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
    notes: tuple[str, ...] = ()
    """What a user should know of the cut."""
    framed: bool = True
    """Whether the object was centred and scaled, which built queries are not."""

    def given_box(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """A box (cx, cy, w, h as fractions of `picture`) as left, top, right, bottom in pixels of the photo given."""
        size = len(self.picture)
        corners = np.array([(box[a] + side * box[a + 2] / 2) * size for side in (-1, 1) for a in (0, 1)])
        placed = (corners - np.tile(self.offset, 2)) / self.scale
        left, top, right, bottom = np.clip(placed, 0, np.tile(self.given_px, 2)).tolist()
        return left, top, right, bottom


def read_photo(path: Path) -> PhotoFile:
    """A photo's file as sRGB, upright, with notes. Raises UsageError naming the file."""
    try:
        found = read_photo_file(path)
    except ImageError as error:
        raise UsageError(f"{error.args[0]}; give another picture") from error
    if min(found.picture.size) < LEAST_PX:
        width, height = found.picture.size
        raise UsageError(f"{path} has {width} x {height} px, too few to judge; give a picture of {LEAST_PX} px or more")
    return found


def prepare_photo(picture: Image.Image, size: int, options: PhotoOptions) -> Photo:
    """Cut out, centred on white, S = `size` pixels.

    A square picture whose object stands on white and fills half of it is only resized: that is what built queries are.
    Any other picture on white is shifted and scaled, its shadow kept. Raises UsageError when there is no object to be
    seen, or more than one.
    """
    rgb = np.asarray(picture.convert("RGB"))
    cut = cut_out(picture, rgb, options.background)
    if cut is None and options.background == "keep":
        if rgb.std() < BLANK_DEVIATION:
            raise UsageError("the query is a blank picture; give a photo of the object")
        return _padded(rgb, size)
    on_white = cut is None
    if cut is None:
        cut = GroundCut(255.0 * ndimage.binary_opening(rgb.min(axis=2) < GROUND_LEVEL))
    mask = cut.mask
    if (mask > 127).sum() < LEAST_SHARE * mask.size:
        raise UsageError("the query shows no object on its background; give another photo, or try --background keep")
    _refuse_several(mask > 127)
    if not on_white:
        return replace(_composed(rgb, mask, size, options.shadow), notes=cut.notes)
    rows, columns = np.nonzero(mask > 127)
    sides = (np.ptp(rows) + 1) / len(rgb), (np.ptp(columns) + 1) / rgb.shape[1]
    if rgb.shape[0] == rgb.shape[1] and max(sides) >= FILLED_SHARE:
        return _padded(rgb, size)
    return _reframed(rgb, mask > 127, size)


def _refuse_several(solid: np.ndarray) -> None:
    """Raise UsageError where a second object stands well apart: a piece that came off is smaller, or nearer."""
    gap = max(2, round(APART_SHARE * max(solid.shape) / 2))
    step = max(1, max(solid.shape) // 512)
    near = ndimage.binary_dilation(solid[::step, ::step], iterations=max(1, gap // step))
    labels, count = ndimage.label(near)
    areas = np.sort(np.bincount((labels * solid[::step, ::step]).ravel(), minlength=count + 1)[1:])[::-1]
    several = int((areas >= SECOND_SHARE * areas[0]).sum())
    if several > 1:
        raise UsageError(f"the query shows {several} objects apart from each other; crop it to the one to be judged")


def cut_out(picture: Image.Image, rgb: np.ndarray, background: str) -> GroundCut | None:
    """The object's opacity, or None where the picture is to be taken as it is."""
    if background not in ("auto", "alpha", "plain", "keep"):
        raise UsageError(f"background {background!r} is none of auto, alpha, plain, keep")
    if background == "keep":
        return None
    if picture.mode == "RGBA":
        alpha = np.asarray(picture)[..., 3]
        if alpha.min() < 255:
            return GroundCut(alpha.astype(np.float64))
    if background == "alpha":
        raise UsageError("the query has no alpha channel; use --background plain or keep")
    if background == "auto" and border_of(rgb).min() >= GROUND_LEVEL:
        return None
    return plain_background(rgb)


def _padded(rgb: np.ndarray, size: int) -> Photo:
    height, width = rgb.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), 255, dtype=np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = rgb
    scale = size / side
    resized = Image.fromarray(square).resize((size, size), Image.Resampling.BICUBIC)
    return Photo(np.asarray(resized), scale, (left * scale, top * scale), (width, height), framed=False)


def _reframed(rgb: np.ndarray, solid: np.ndarray, size: int) -> Photo:
    """A photo on white with its object in the middle at `OBJECT_SHARE`; nothing is cut out, so shadows stay."""
    rows, columns = np.nonzero(solid)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    side = max(1, round(max(bottom - top, right - left) / OBJECT_SHARE))
    y, x = (int(top) + int(bottom) - side) // 2, (int(left) + int(right) - side) // 2
    square = np.full((side, side, 3), 255, dtype=np.uint8)
    inside = (slice(max(y, 0), min(y + side, len(rgb))), slice(max(x, 0), min(x + side, rgb.shape[1])))
    square[inside[0].start - y : inside[0].stop - y, inside[1].start - x : inside[1].stop - x] = rgb[inside]
    scale = size / side
    resized = Image.fromarray(square).resize((size, size), Image.Resampling.BICUBIC)
    return Photo(np.asarray(resized), scale, (-x * scale, -y * scale), (rgb.shape[1], rgb.shape[0]))


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
