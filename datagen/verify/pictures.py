"""Figures of one picture, small enough to keep for every sample: levels, sharpness, fingerprints, features."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

WHITE, DARK = 230, 8
"""Grey levels: the published loader takes >= 229.5 for background (1.6)."""
BORDER = 8
"""Width of the frame of ground that is looked at without knowing where the object is."""
EDGE_RANGE = 60
"""Grey levels that a step over seven pixels must have to count as an edge."""
MAX_PIXELS = 64_000_000


@dataclass(frozen=True, slots=True, eq=False)
class PictureFacts:
    """What is kept of a picture. Shares are of all pixels unless said otherwise; levels are ITU grey 0..255."""

    width: int
    height: int
    mode: str
    object_share: float
    """Pixels that the published loader takes for foreground."""
    object_median: float
    object_highest: float
    black_share: float
    """Pixels below level 8, of the foreground."""
    border_white: float
    """Share of an 8-pixel frame above level 230."""
    border_lowest: float
    """Second percentile of the outermost pixels, where the object never is."""
    corners_lowest: float
    sharpness: float
    """Steepest step of one pixel over the step of seven, 90th percentile of edges; 1 is a hard edge, 0 no edge. Of grey
    or the darkest channel, whichever is sharper: yellow on white is an edge in blue alone."""
    fingerprint: int
    """256-bit difference hash."""
    mean: tuple[float, float, float]


def open_picture(data: bytes) -> Image.Image:
    """A decoded picture. Raises OSError or ValueError on damaged or oversized files."""
    image = Image.open(io.BytesIO(data))
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(f"{image.width} x {image.height} pixels is no picture of a dataset")
    image.load()
    return image


def picture_facts(image: Image.Image) -> tuple[np.ndarray, PictureFacts]:
    """Grey (H, W) uint8 and the figures of a decoded picture; alpha is dropped, as the loader does."""
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    level_image = rgb.convert("L")
    level = np.asarray(level_image)
    counts = np.array(level_image.histogram())
    body = counts[:WHITE]
    inside = int(body.sum())
    cumulative = np.cumsum(body)
    frame = np.concatenate(
        [level[:BORDER].ravel(), level[-BORDER:].ravel(), level[:, :BORDER].ravel(), level[:, -BORDER:].ravel()]
    )
    corners = level[[0, 0, -1, -1], [0, -1, 0, -1]]
    mean = np.asarray(rgb.resize((4, 4), Image.Resampling.BOX)).reshape(-1, 3).mean(axis=0)
    return level, PictureFacts(
        width=image.width,
        height=image.height,
        mode=image.mode,
        object_share=inside / level.size,
        object_median=float(np.searchsorted(cumulative, inside / 2)) if inside else 255.0,
        object_highest=float(np.flatnonzero(body)[-1]) if inside else 255.0,
        black_share=float(counts[:DARK].sum() / max(inside, 1)),
        border_white=float((frame > WHITE).mean()),
        border_lowest=float(np.percentile(np.concatenate([level[0], level[-1], level[:, 0], level[:, -1]]), 2)),
        corners_lowest=float(corners.min()),
        sharpness=max(sharpness(level), sharpness(np.asarray(rgb.getchannel(int(mean.argmin()))))),
        fingerprint=fingerprint(level_image),
        mean=(float(mean[0]), float(mean[1]), float(mean[2])),
    )


def sharpness(level: np.ndarray, least: int = 1) -> float:
    """How much of the range within eight pixels falls on the steepest one, 90th percentile of strong edges.

    0 where fewer than `least` strong edges are met.

    A blur of standard deviation s pixels brings a hard edge's 1 down to about 0.4 / s, whatever the contrast.
    Every fourth row and column is looked at.
    """
    values = []
    for grey in (level[::4].astype(np.int16), level.T[::4].astype(np.int16)):
        ends = grey[:, 7:], grey[:, :-7]
        rows, columns = np.nonzero(np.abs(ends[0] - ends[1]) > EDGE_RANGE)
        if len(rows) == 0:
            continue
        window = np.stack([grey[rows, columns + k] for k in range(8)])
        steepest = np.abs(np.diff(window, axis=0)).max(axis=0)
        values.append(steepest / (window.max(axis=0) - window.min(axis=0)))
    found = np.concatenate([*values, np.zeros(0)])
    return float(np.percentile(found, 90)) if len(found) >= least else 0.0


def fingerprint(level: Image.Image) -> int:
    """256-bit difference hash: signs of horizontal steps of a 17 x 16 thumbnail."""
    small = np.asarray(level.resize((17, 16), Image.Resampling.BOX)).astype(np.int16)
    return int.from_bytes(np.packbits(np.diff(small, axis=1) > 2).tobytes(), "big")


def thumbnail_difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference in grey levels of two pictures' 32 px thumbnails, over what is darker than white in either.

    Noise, JPEG and a blur of 1.5 px stay below 2; a camera a degree away, or one pixel's shift, is above 3.5.
    """
    levels = [
        np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX)).astype(np.int16) for image in (one, other)
    ]
    body = np.minimum(*levels) < WHITE
    return float(np.abs(levels[0] - levels[1])[body].mean()) if body.any() else 0.0


def probe_features(image: Image.Image) -> np.ndarray:
    """What a query alone shows a small probe, float32 (95,): grey histogram, colours, edges, coarse silhouette."""
    rgb = image.convert("RGB")
    pixels, level = np.asarray(rgb), np.asarray(rgb.convert("L"))
    histogram = np.bincount(level.ravel(), minlength=256).reshape(16, 16).sum(axis=1) / level.size
    body = level < WHITE
    inside = pixels[body].astype(np.float32) if body.any() else np.zeros((1, 3), np.float32)
    moments = np.concatenate([inside.mean(axis=0), inside.std(axis=0)]) / 255
    grey = level.astype(np.int16)
    dx, dy = np.diff(grey, axis=1)[:-1], np.diff(grey, axis=0)[:, :-1]
    strength = np.abs(dx) + np.abs(dy)
    strong = strength > 24
    bins = (np.arctan2(dy[strong], dx[strong]) / np.pi * 4).astype(np.int16) % 4
    orientation = np.bincount(bins, minlength=4) / max(int(strong.sum()), 1)
    fine = np.array([strength.mean(), strong.mean(), (strength > 80).mean(), ((strength > 2) & (strength < 12)).mean()])
    grid = np.asarray(Image.fromarray(body.astype(np.uint8) * 255).resize((8, 8), Image.Resampling.BOX)) / 255
    return np.concatenate([histogram, moments, orientation, fine, [body.mean()], grid.ravel()]).astype(np.float32)
