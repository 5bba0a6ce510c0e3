"""OpenEXR as the published depth files have it: float32 channels, ZIP, scan lines, one part. Read and write.

The OpenEXR wheel is here too and reads images of materials (`formats/images.py`). It does not serve for datasets:

- It writes other bytes: an attribute `type` more, and deflate streams that change with its version. Files of a dataset
  are compared by their hashes.
- It reads a damaged file without an error at times. Of 1,500 files cut short or with changed bytes it passed 95 that
  are refused here. `datagen verify` has to find those.
- It prints warnings on stdout, where `--json` documents go.
"""

import struct
import zlib

import numpy as np

from datagen.core.errors import DatagenError

MAGIC = 20000630
LINES = 16
"""Scan lines of one ZIP block."""
_TYPES: dict[int, np.dtype] = {0: np.dtype("<u4"), 1: np.dtype("<f2"), 2: np.dtype("<f4")}
_LINES_OF = {0: 1, 2: 1, 3: 16}
"""Compression (none, ZIPS, ZIP) -> scan lines of a block."""
MAX_PIXELS = 64_000_000


class ExrError(DatagenError):
    """A file that is no EXR of the kind this program reads."""


def write_exr(image: np.ndarray, channels: str = "RGB") -> bytes:
    """The bytes of a float32 EXR: `image` (H, W) in every channel, or (H, W, C) with C letters of `channels`."""
    image = np.asarray(image, dtype="<f4")
    if image.ndim == 2:
        image = np.repeat(image[..., None], len(channels), axis=2)
    height, width, count = image.shape
    order = sorted(range(count), key=lambda k: channels[k])
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    listed = b"".join(channels[k].encode() + b"\0" + struct.pack("<iB3xii", 2, 0, 1, 1) for k in order) + b"\0"
    header = b"".join(
        _attribute(*attribute)
        for attribute in (
            ("channels", "chlist", listed),
            ("compression", "compression", b"\x03"),
            ("dataWindow", "box2i", window),
            ("displayWindow", "box2i", window),
            ("lineOrder", "lineOrder", b"\0"),
            ("pixelAspectRatio", "float", struct.pack("<f", 1.0)),
            ("screenWindowCenter", "v2f", struct.pack("<2f", 0.0, 0.0)),
            ("screenWindowWidth", "float", struct.pack("<f", 1.0)),
        )
    )
    head = struct.pack("<ii", MAGIC, 2) + header + b"\0"
    blocks = []
    for y in range(0, height, LINES):
        lines = image[y : y + LINES][..., order].transpose(0, 2, 1)
        raw = np.ascontiguousarray(lines).tobytes()
        packed = zlib.compress(_predicted(raw), 6)
        data = packed if len(packed) < len(raw) else raw
        blocks.append(struct.pack("<ii", y, len(data)) + data)
    start = len(head) + 8 * len(blocks)
    offsets = np.cumsum([start, *(len(block) for block in blocks[:-1])])
    return head + offsets.astype("<u8").tobytes() + b"".join(blocks)


def _attribute(name: str, kind: str, value: bytes) -> bytes:
    return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value


def _predicted(raw: bytes) -> bytes:
    """Even bytes, then odd ones, each as the difference from the one before (OpenEXR's ZIP filter)."""
    data = np.frombuffer(raw, dtype=np.uint8)
    split = np.concatenate([data[0::2], data[1::2]]).astype(np.int16)
    split[1:] = (split[1:] - split[:-1] + 128 + 256) % 256
    return split.astype(np.uint8).tobytes()


def _restored(packed: bytes) -> bytes:
    delta = np.frombuffer(packed, dtype=np.uint8).copy()
    delta[1:] -= 128  # bytes wrap around, as sums of them do
    data = np.cumsum(delta, dtype=np.uint8)
    half = (len(data) + 1) // 2
    out = np.empty(len(data), dtype=np.uint8)
    out[0::2], out[1::2] = data[:half], data[half:]
    return out.tobytes()


def read_exr(data: bytes, name: str = "the file") -> dict[str, np.ndarray]:
    """Channel -> (H, W) array. Raises ExrError naming the file on anything else or damaged."""
    try:
        return _read(data)
    except (struct.error, ValueError, KeyError, IndexError, zlib.error, OverflowError, MemoryError) as error:
        raise ExrError(f"{name} is no scan-line EXR that can be read ({error})") from error


def _read(data: bytes) -> dict[str, np.ndarray]:
    magic, version = struct.unpack_from("<ii", data, 0)
    if magic != MAGIC or version & ~0x4FF:
        raise ValueError("wrong magic number, or tiles or parts")
    attributes, at = {}, 8
    while data[at : at + 1] != b"\0":
        end = data.index(b"\0", at)
        kind_end = data.index(b"\0", end + 1)
        (size,) = struct.unpack_from("<i", data, kind_end + 1)
        attributes[data[at:end].decode()] = data[kind_end + 5 : kind_end + 5 + size]
        at = kind_end + 5 + size
    at += 1
    x0, y0, x1, y1 = struct.unpack("<4i", attributes["dataWindow"])
    width, height = x1 - x0 + 1, y1 - y0 + 1
    if not (0 < width * height <= MAX_PIXELS and width > 0):
        raise ValueError(f"{width} x {height} pixels")
    channels = _channels(attributes["channels"])
    lines = _LINES_OF[attributes["compression"][0]]
    out = {name: np.zeros((height, width), dtype) for name, dtype in channels}
    offsets = np.frombuffer(data, "<u8", -(-height // lines), at)
    for offset in offsets.tolist():
        y, size = struct.unpack_from("<ii", data, offset)
        block = data[offset + 8 : offset + 8 + size]
        rows = min(lines, height - (y - y0))
        full = rows * width * sum(dtype.itemsize for _, dtype in channels)
        raw = block if size == full else _restored(zlib.decompress(block))
        if len(raw) != full:
            raise ValueError(f"a block of {len(raw)} bytes, not {full}")
        _scatter(raw, out, channels, y - y0, rows, width)
    return out


def _channels(listed: bytes) -> list[tuple[str, np.dtype]]:
    found: list[tuple[str, np.dtype]] = []
    at = 0
    while listed[at : at + 1] not in (b"\0", b""):
        end = listed.index(b"\0", at)
        (kind,) = struct.unpack_from("<i", listed, end + 1)
        found.append((listed[at:end].decode(), _TYPES[kind]))
        at = end + 17
    return found


def _scatter(
    raw: bytes, out: dict[str, np.ndarray], channels: list[tuple[str, np.dtype]], y: int, rows: int, width: int
) -> None:
    at = 0
    for row in range(y, y + rows):
        for name, dtype in channels:
            out[name][row] = np.frombuffer(raw, dtype, width, at)
            at += width * dtype.itemsize
