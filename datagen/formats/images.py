"""Image files of other people as numbers: guarded, and scaled by the type of their pixels."""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from datagen.core.errors import DatagenError

MAX_PIXELS = 8192 * 8192
"""Larger images are refused before they are decoded."""
_SIXTEEN_BITS = 65535.0


class ImageError(DatagenError):
    """An image that is missing, damaged, too large or of a kind that is not read; whoever asked says what follows."""


def read_image(source: Path | bytes, name: str, max_edge: int | None = None) -> np.ndarray:
    """Pixels as float32 (H, W, C), C = 1 (grey), 3 (RGB) or 4 (with alpha), as stored: sRGB stays sRGB.

    Integers are scaled by what their type can hold (255 or 65,535), never by their largest value; floats stay as
    they are. `max_edge` halves by area averaging what is larger. Raises ImageError naming the image.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise ImageError(f"{name} has {image.width} x {image.height} pixels, over {MAX_PIXELS}; scale it")
                if max_edge is not None and image.format == "JPEG":
                    image.draft(image.mode, (max_edge, max_edge))
                image.load()
                pixels = _pixels(image, name)
    except FileNotFoundError as error:
        raise ImageError(f"{name}: the file is missing") from error
    except (OSError, SyntaxError, ValueError, TypeError, MemoryError, Image.DecompressionBombError) as error:
        raise ImageError(f"{name}: the image cannot be read ({error})") from error
    return smaller(pixels, max_edge) if max_edge is not None else pixels


def _pixels(image: Image.Image, name: str) -> np.ndarray:
    if image.mode.startswith("I;16"):
        return (np.asarray(image).astype(np.float32) / _SIXTEEN_BITS)[..., None]
    if image.mode == "I":
        raise ImageError(f"{name}: 32-bit integers are not read; save it with 8 or 16 bits")
    if image.mode == "F":
        return np.asarray(image, dtype=np.float32)[..., None]
    if image.mode in ("1", "L"):
        return (np.asarray(image.convert("L")).astype(np.float32) / 255.0)[..., None]
    has_alpha = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    pixels: np.ndarray = np.asarray(image.convert("RGBA" if has_alpha else "RGB")).astype(np.float32) / 255.0
    return pixels


def smaller(pixels: np.ndarray, max_edge: int) -> np.ndarray:
    """The picture (H, W, C) averaged down to at most `max_edge` a side; smaller ones stay."""
    height, width = pixels.shape[:2]
    if max(height, width) <= max_edge:
        return pixels
    scale = max_edge / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    layers = [
        np.asarray(Image.fromarray(np.ascontiguousarray(layer)).resize(size, Image.Resampling.BOX))
        for layer in np.moveaxis(pixels, 2, 0)
    ]
    return np.stack(layers, axis=2)


def rgb(pixels: np.ndarray) -> np.ndarray:
    """Three channels (H, W, 3) of a picture with one, three or four."""
    return np.repeat(pixels[..., :1], 3, axis=2) if pixels.shape[2] == 1 else pixels[..., :3]
