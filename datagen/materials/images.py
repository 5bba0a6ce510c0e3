"""Texture files as arrays: guarded reading, and the conversions that make every set look alike."""

from pathlib import Path

import numpy as np
from PIL import Image

from datagen.core.errors import MaterialError
from datagen.formats.images import ImageError, read_color, read_image
from datagen.materials.procedural.noise import normal_from_height

MAX_EDGE = 1024
"""Maps are stored at most this large: a 256-px picture shows a fifth of it."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".tga", ".exr")


def read(path: Path, mode: str, max_edge: int | None = None) -> np.ndarray:
    """A texture as uint8: (H, W) for mode 'L', (H, W, 3) of sRGB colours for 'RGB', of values as stored for 'vector',
    and (H, W, C) with all channels for 'raw'.

    16-bit maps are scaled by their type, floats of OpenEXR are clipped to 0..1. Raises MaterialError naming the file
    when it is truncated, no image, or too large.
    """
    try:
        pixels = read_color(path, str(path), max_edge) if mode == "RGB" else read_image(path, str(path), max_edge)
    except ImageError as error:
        raise MaterialError(f"cannot read the texture {error.args[0]}; fetch it again or remove it") from error
    values = np.round(255 * np.clip(pixels, 0.0, 1.0)).astype(np.uint8)
    if mode in ("RGB", "raw"):
        return values
    if mode == "vector":
        return np.repeat(values[..., :1], 3, axis=2) if values.shape[2] < 3 else values[..., :3]
    # Grey maps are often saved as RGB with three equal channels.
    return values[..., 0] if values.shape[2] == 1 else np.asarray(Image.fromarray(values[..., :3]).convert("L"))


def squared(array: np.ndarray) -> np.ndarray:
    """A square map: a strip is repeated along its short side, so that one repeat has one density.

    Where the sides are no whole multiple the map is stretched to the nearest one.
    """
    height, width = array.shape[:2]
    long, short = max(height, width), min(height, width)
    times = max(1, round(long / short))
    if long != short * times:
        size = (long, long // times) if width >= height else (long // times, long)
        array = np.asarray(Image.fromarray(array).resize(size, Image.Resampling.BICUBIC))
    if times > 1:
        array = np.concatenate([array] * times, axis=0 if width >= height else 1)
    return array[:long, :long]


def flipped_green(normal: np.ndarray) -> np.ndarray:
    """A DirectX (+y down) normal map as OpenGL (+y up), and the reverse; (H, W, 3) uint8."""
    return np.stack([normal[..., 0], 255 - normal[..., 1], normal[..., 2]], axis=-1)


def normal_from_grey(height: np.ndarray, relief: float) -> np.ndarray:
    """An OpenGL normal map (N, N, 3) uint8 of a uint8 height map whose full range is `relief` tiles deep."""
    normal = normal_from_height(height / 255 * relief, 1 / height.shape[0])
    return np.round((normal * 0.5 + 0.5) * 255).astype(np.uint8)


def turned(array: np.ndarray, is_normal: bool = False) -> np.ndarray:
    """A map turned a quarter counter-clockwise; of a normal map the vectors turn along."""
    array = np.rot90(array)
    if is_normal:
        array = np.stack([255 - array[..., 1], array[..., 0], array[..., 2]], axis=-1)
    return np.ascontiguousarray(array)


def grain_runs_up(base_color: np.ndarray) -> bool:
    """Whether a wood texture's grain runs along v: its tone changes mostly along u."""
    grey = base_color.astype(np.float64).mean(axis=2)
    along_u, along_v = np.diff(grey, axis=1), np.diff(grey, axis=0)
    return bool((along_u**2).mean() > 1.3 * (along_v**2).mean())


def looks_like_atlas(base_color: np.ndarray) -> bool:
    """Whether one perfectly flat colour fills much of a picture that is textured elsewhere."""
    colours = base_color.astype(np.int32)
    flat = (np.abs(np.diff(colours, axis=0))[:, :-1].max(axis=2) <= 1) & (
        np.abs(np.diff(colours, axis=1))[:-1].max(axis=2) <= 1
    )
    keys = (colours // 4) @ np.array([1, 64, 4096])
    values, counts = np.unique(keys[:-1, :-1][flat], return_counts=True)
    share = counts.max() / flat.size if len(values) else 0.0
    return bool(0.12 < share < 0.9 and flat.mean() < 0.95)
