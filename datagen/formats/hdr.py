"""Environment maps as files: whether a Radiance or OpenEXR picture is whole, told before anything is rendered."""

import re
from pathlib import Path

from datagen.formats.images import ImageError, read_image

_RESOLUTION = re.compile(rb"^[-+][XY] (\d+) [-+][XY] (\d+)$")


def check_environment(path: Path) -> None:
    """Raise ImageError for an environment that is missing, cut short or damaged; .hdr, .exr and common formats."""
    if path.suffix.lower() not in (".hdr", ".pic", ".rgbe"):
        read_image(path, str(path))
        return
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from error
    width, height, start = _header(path, data)
    _walk(path, data, start, width, height)


def _header(path: Path, data: bytes) -> tuple[int, int, int]:
    """Width, height, and where the scan lines begin."""
    if not data.startswith(b"#?"):
        raise ImageError(f"{path}: it is no Radiance picture (no #? at its start)")
    end = data.find(b"\n\n")
    line_end = data.find(b"\n", end + 2) if end >= 0 else -1
    match = _RESOLUTION.match(data[end + 2 : line_end]) if line_end > 0 else None
    if match is None:
        raise ImageError(f"{path}: its Radiance header has no resolution")
    return int(match[2]), int(match[1]), line_end + 1


def _walk(path: Path, data: bytes, at: int, width: int, height: int) -> None:
    """Go through all scan lines by their run lengths."""
    if data[at : at + 2] != b"\x02\x02" or not 8 <= width < 32768:
        # Pixels one after the other; old files repeat some of them, which a size cannot tell.
        if len(data) - at < 4 * width * height and b"\x01\x01\x01" not in data[at:]:
            raise ImageError(f"{path}: cut short: {len(data) - at} bytes of pixels, {4 * width * height} wanted")
        return
    for row in range(height):
        if len(data) < at + 4 or data[at : at + 2] != b"\x02\x02" or int.from_bytes(data[at + 2 : at + 4]) != width:
            raise ImageError(f"{path}: cut short or damaged in line {row + 1} of {height}")
        at += 4
        for _ in range(4):
            done = 0
            while done < width:
                if at >= len(data):
                    raise ImageError(f"{path}: cut short in line {row + 1} of {height}")
                count = data[at]
                run = count - 128 if count > 128 else count
                at += 2 if count > 128 else 1 + count
                done += run
                if run == 0 or done > width:
                    raise ImageError(f"{path}: damaged in line {row + 1} of {height}")
    if at > len(data):
        raise ImageError(f"{path}: cut short in its last line")
