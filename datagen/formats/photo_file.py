"""A photograph's file as sRGB pixels: 16 bits, colour profiles, orientation, frames."""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from datagen.formats.images import MAX_PIXELS, ImageError

_HEIC = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim")


SAME_LEVELS = 2
WHITE_IS_ZERO_TAG = 262


@dataclass(frozen=True, eq=False)
class PhotoFile:
    """A photo as 8-bit sRGB (RGB, or RGBA where it has an alpha channel), upright. `notes`: what was decided."""

    picture: Image.Image
    notes: tuple[str, ...] = ()


def read_photo_file(path: Path) -> PhotoFile:
    """One photo, whatever it was saved as.

    16-bit greys are scaled to 8 bits by their type; colours under an embedded profile (Adobe RGB, Display P3, CMYK) are
    converted to sRGB; EXIF orientation is applied; of several frames the first counts. Raises ImageError naming the
    file where it is missing, damaged, too large, HEIC, or of 32-bit or floating-point values.
    """
    try:
        with path.open("rb") as file:
            start = file.read(12)
        if (start[4:8] == b"ftyp" and start[8:12] in _HEIC) or path.suffix.lower() in (".heic", ".heif"):
            raise ImageError(f"{path}: HEIC is not read; export it as JPEG or PNG")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise ImageError(f"{path} has {image.width} x {image.height} pixels, over {MAX_PIXELS}; scale it")
                notes = []
                frames = getattr(image, "n_frames", 1)
                if frames > 1:
                    notes.append(f"{path.name} has {frames} frames; the first is judged")
                image.load()
                return PhotoFile(ImageOps.exif_transpose(_srgb(image, path, notes)), tuple(notes))
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError) as error:
        raise ImageError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _srgb(image: Image.Image, path: Path, notes: list[str]) -> Image.Image:
    if image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.float64)
        if getattr(image, "tag_v2", {}).get(WHITE_IS_ZERO_TAG) == 0:
            values = 65535.0 - values
        grey = Image.fromarray(np.round(values / 257.0).astype(np.uint8))
        return _with_exif(grey.convert("RGB"), image)
    if image.mode in ("I", "F"):
        kind = "32-bit integers" if image.mode == "I" else "floating-point values"
        raise ImageError(f"{path}: {kind} are not read; save it with 8 or 16 bits")
    has_alpha = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    alpha = image.convert("RGBA").getchannel("A") if has_alpha else None
    plain = image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB")
    converted = _converted(plain, image.info.get("icc_profile"), path, notes).convert("RGB")
    if alpha is not None:
        converted.putalpha(alpha)
    return _with_exif(converted, image)


def _converted(image: Image.Image, profile: bytes | None, path: Path, notes: list[str]) -> Image.Image:
    """The picture in sRGB by its embedded profile; as it is where there is none, or one of sRGB's own."""
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        change = ImageCms.buildTransform(source, target, image.mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
        if image.mode == "RGB":
            ramp = np.arange(256, dtype=np.uint8)
            probe = Image.fromarray(np.stack([ramp, ramp * 7, ramp * 13], axis=1)[None])
            moved = np.abs(np.asarray(ImageCms.applyTransform(probe, change)).astype(int) - np.asarray(probe))
            if moved.max() <= SAME_LEVELS:
                return image  # sRGB itself, under whatever name: rounding would be all that changes
        found = ImageCms.applyTransform(image, change)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        notes.append(f"{path.name}: its colour profile cannot be read and is left out ({error})")
        return image
    assert found is not None
    return found


def _with_exif(picture: Image.Image, source: Image.Image) -> Image.Image:
    """The picture with the orientation that its file states."""
    orientation = source.getexif().get(0x0112)
    if orientation:
        picture.getexif()[0x0112] = orientation
    return picture
