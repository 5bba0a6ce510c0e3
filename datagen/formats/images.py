"""Image files of other people as numbers: guarded, and scaled by the type of their pixels."""

import io
import tempfile
import warnings
from pathlib import Path

import numpy as np
import OpenEXR
from PIL import Image

from datagen.core.colour import srgb_from_linear
from datagen.core.errors import DatagenError

MAX_PIXELS = 8192 * 8192
"""Larger images are refused before they are decoded."""
EXR_MAGIC = b"\x76\x2f\x31\x01"
_SIXTEEN_BITS = 65535.0


class ImageError(DatagenError):
    """An image that is missing, damaged, too large or of a kind that is not read; whoever asked says what follows."""


def read_color(source: Path | bytes, name: str, max_edge: int | None = None) -> np.ndarray:
    """A picture of colours as sRGB values (H, W, 3) in 0..1; files of floats hold linear colours. As `read_image`."""
    pixels = rgb(read_image(source, name, max_edge))
    if not is_linear(source):
        return pixels
    return srgb_from_linear(pixels).astype(np.float32)


def is_linear(source: Path | bytes) -> bool:
    """Whether a file holds linear floats: OpenEXR, by its first bytes."""
    if isinstance(source, bytes):
        return source.startswith(EXR_MAGIC)
    try:
        with source.open("rb") as file:
            return file.read(4) == EXR_MAGIC
    except OSError:
        return False


def read_image(source: Path | bytes, name: str, max_edge: int | None = None) -> np.ndarray:
    """Pixels as float32 (H, W, C), C = 1 (grey), 3 (RGB) or 4 (with alpha), as stored: sRGB stays sRGB.

    Integers are scaled by what their type can hold (255 or 65,535), never by their largest value; floats stay as
    they are. `max_edge` halves by area averaging what is larger. Raises ImageError naming the image.
    """
    _refuse_pointer(source, name)
    if is_linear(source):
        pixels = _exr(source, name)
        return smaller(pixels, max_edge) if max_edge is not None else pixels
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
        raise ImageError(f"{name}: {error}") from error
    return smaller(pixels, max_edge) if max_edge is not None else pixels


def _refuse_pointer(source: Path | bytes, name: str) -> None:
    """Raise ImageError for a git-lfs pointer in an image's place."""
    try:
        start = source[:40] if isinstance(source, bytes) else source.open("rb").read(40)
    except OSError:
        return
    if start.startswith(b"version https://git-lfs"):
        raise ImageError(f"{name}: a git-lfs pointer stands here instead of the image; run `git lfs pull`")


def _exr(source: Path | bytes, name: str) -> np.ndarray:
    """Channels of an OpenEXR file, of one part: R, G, B (A), or Y, or the only one."""
    if isinstance(source, bytes):
        with tempfile.NamedTemporaryFile(suffix=".exr") as file:
            file.write(source)
            file.flush()
            return _exr(Path(file.name), name)
    try:
        with OpenEXR.File(str(source), separate_channels=True) as file:
            channels = {key.rsplit(".", 1)[-1]: value.pixels for key, value in file.channels().items()}
    except (RuntimeError, ValueError, OSError, TypeError, MemoryError) as error:
        raise ImageError(f"{name}: {error}") from error
    names = next((n for n in ("RGBA", "RGB", "Y") if set(n) <= set(channels)), "")
    found = [channels[n] for n in names] if names else list(channels.values())
    if not found or (not names and len(found) > 1) or len({c.shape for c in found}) > 1:
        raise ImageError(f"{name}: an OpenEXR image with channels {', '.join(sorted(channels))}, none of them colours")
    if found[0].size > MAX_PIXELS:
        raise ImageError(f"{name} has {found[0].size} pixels, over {MAX_PIXELS}; scale it")
    pixels: np.ndarray = np.stack(found, axis=2).astype(np.float32)
    if not np.isfinite(pixels).all():
        raise ImageError(f"{name}: it holds values that are not finite")
    return pixels


def _pixels(image: Image.Image, name: str) -> np.ndarray:
    if image.mode.startswith("I;16"):
        return (np.asarray(image).astype(np.float32) / _SIXTEEN_BITS)[..., None]
    if image.mode == "I":
        raise ImageError(f"{name}: 32-bit integers are not read; save it with 8 or 16 bits")
    if image.mode == "F":
        return np.asarray(image, dtype=np.float32)[..., None]
    if image.mode in ("1", "L"):
        return (np.asarray(image.convert("L")).astype(np.float32) / 255.0)[..., None]
    pixels: np.ndarray = np.asarray(image.convert("RGBA" if _has_alpha(image) else "RGB")).astype(np.float32) / 255.0
    return pixels


def eight_bits(image: Image.Image, name: str, *, over_white: bool = False) -> Image.Image:
    """An opened picture whose modes `convert` does not bring to 8 bits, in 8 bits: 16-bit greys scaled by their type.

    `over_white` also lays what is transparent over white. Raises ImageError for 32-bit integers and floats.
    """
    if image.mode.startswith("I;16"):
        return Image.fromarray(np.round(np.asarray(image).astype(np.float64) / 257.0).astype(np.uint8))
    if image.mode in ("I", "F"):
        kind = "32-bit integers" if image.mode == "I" else "floating-point values"
        raise ImageError(f"{name}: {kind} are not read; save it with 8 or 16 bits")
    if over_white and _has_alpha(image):
        colours = image.convert("RGBA")
        if colours.getchannel("A").getextrema() != (255, 255):
            return Image.alpha_composite(Image.new("RGBA", image.size, "white"), colours).convert("RGB")
    return image


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


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
