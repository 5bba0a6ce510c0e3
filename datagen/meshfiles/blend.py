"""Blender files: which images they name. Their meshes are read by Blender itself (render/blender/blendfile.py)."""

import gzip
import io
import re
import zlib
from pathlib import Path

import zstandard

_ZSTD, _GZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b"
_IMAGE = re.compile(
    rb"(?P<path>(?://|/|[A-Za-z]:[\\/])[^\0]{1,1000}\.(?:png|jpe?g|tiff?|exr|hdr|tga|bmp|webp|dds|psd))\0",
    re.IGNORECASE,
)
"""A path as Blender keeps it: `//` begins one that is seen from the file's folder, and a zero ends it."""


def images_named(path: Path) -> tuple[Path, ...]:
    """The images on disk whose paths stand in a .blend, sorted; those that it has packed may be among them.

    A file that cannot be unpacked names none: loading it is what reports the error.
    """
    try:
        data = _unpacked(path.read_bytes())
    except (OSError, EOFError, zlib.error, zstandard.ZstdError):
        return ()
    names = {match["path"].decode("utf-8", "surrogateescape").replace("\\", "/") for match in _IMAGE.finditer(data)}
    found = {path.parent / name[2:] if name.startswith("//") else Path(name) for name in names}
    return tuple(sorted(image for image in found if image.is_file()))


def _unpacked(data: bytes) -> bytes:
    if data.startswith(_ZSTD):
        with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True) as reader:
            return bytes(reader.read())
    return gzip.decompress(data) if data.startswith(_GZIP) else data
