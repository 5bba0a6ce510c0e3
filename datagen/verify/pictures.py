"""Figures of one picture, small enough to keep for every sample: levels, sharpness, fingerprints, features."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from datagen.core.ids import bytes_hash

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
    digest: str
    """SHA-256 of the decoded pixels."""
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
    """Steepest step of one pixel over the step of seven, 90th percentile of edges; 1 is a hard edge, 0 no edge."""
    fingerprint: int
    """256-bit difference hash."""
    mean: tuple[float, float, float]
    features: np.ndarray
    """For the image probe, float32 (N,)."""


def open_picture(data: bytes) -> Image.Image:
    """A decoded picture. Raises OSError or ValueError on damaged or oversized files."""
    image = Image.open(io.BytesIO(data))
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(f"{image.width} x {image.height} pixels is no picture of a dataset")
    image.load()
    return image


def picture_facts(image: Image.Image) -> PictureFacts:
    """The figures of a decoded picture; other modes than RGB are converted as the loader does (alpha dropped)."""
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    level_image = rgb.convert("L")
    pixels, level = np.asarray(rgb), np.asarray(level_image)
    counts = np.bincount(level.ravel(), minlength=256)
    body = counts[:WHITE]
    inside = int(body.sum())
    cumulative = np.cumsum(body)
    frame = np.concatenate(
        [level[:BORDER].ravel(), level[-BORDER:].ravel(), level[:, :BORDER].ravel(), level[:, -BORDER:].ravel()]
    )
    corners = level[[0, 0, -1, -1], [0, -1, 0, -1]]
    mean = pixels.reshape(-1, 3).mean(axis=0)
    return PictureFacts(
        width=image.width,
        height=image.height,
        mode=image.mode,
        digest=bytes_hash(pixels.tobytes()),
        object_share=inside / level.size,
        object_median=float(np.searchsorted(cumulative, inside / 2)) if inside else 255.0,
        object_highest=float(np.flatnonzero(body)[-1]) if inside else 255.0,
        black_share=float(counts[:DARK].sum() / max(inside, 1)),
        border_white=float((frame > WHITE).mean()),
        border_lowest=float(np.percentile(np.concatenate([level[0], level[-1], level[:, 0], level[:, -1]]), 2)),
        corners_lowest=float(corners.min()),
        sharpness=sharpness(level),
        fingerprint=fingerprint(level_image),
        mean=(float(mean[0]), float(mean[1]), float(mean[2])),
        features=probe_features(pixels, level, counts),
    )


def sharpness(level: np.ndarray) -> float:
    """How much of a seven-pixel step falls on its steepest pixel, 90th percentile of strong edges; 0 without one.

    A blur of standard deviation s pixels brings a hard edge's 1 down to about 0.4 / s, whatever the contrast.
    """
    values = []
    for grey in (level.astype(np.int16), level.T.astype(np.int16)):
        wide = np.abs(grey[:, 7:] - grey[:, :-7])
        rows, columns = np.nonzero(wide > EDGE_RANGE)
        if len(rows) == 0:
            continue
        step = np.abs(np.diff(grey, axis=1))
        steepest = np.max([step[rows, columns + k] for k in range(7)], axis=0)
        values.append(steepest / wide[rows, columns])
    if not values:
        return 0.0
    return float(np.minimum(np.percentile(np.concatenate(values), 90), 1.0))


def fingerprint(level: Image.Image) -> int:
    """256-bit difference hash: signs of horizontal steps of a 17 x 16 thumbnail."""
    small = np.asarray(level.resize((17, 16), Image.Resampling.BOX)).astype(np.int16)
    return int.from_bytes(np.packbits(np.diff(small, axis=1) > 2).tobytes(), "big")


def probe_features(pixels: np.ndarray, level: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """What a query alone shows a small probe: grey histogram, colour moments, edges, a coarse silhouette."""
    total = level.size
    histogram = counts.reshape(16, 16).sum(axis=1) / total
    body = level < WHITE
    share = body.mean()
    inside = pixels[body].astype(np.float32) if share > 0 else np.zeros((1, 3), np.float32)
    grey = level.astype(np.int16)
    dx, dy = np.diff(grey, axis=1)[:-1], np.diff(grey, axis=0)[:, :-1]
    strength = np.abs(dx) + np.abs(dy)
    strong = strength > 24
    bins = (np.arctan2(dy[strong], dx[strong]) / np.pi * 4).astype(np.int16) % 4
    orientation = np.bincount(bins, minlength=4) / max(int(strong.sum()), 1)
    fine = np.array([strength.mean(), strong.mean(), (strength > 80).mean(), ((strength > 2) & (strength < 12)).mean()])
    grid = np.asarray(Image.fromarray(body.astype(np.uint8) * 255).resize((8, 8), Image.Resampling.BOX)) / 255
    moments = np.concatenate([inside.mean(axis=0), inside.std(axis=0)]) / 255
    return np.concatenate([histogram, moments, orientation, fine, [share], grid.ravel()]).astype(np.float32)
