"""TIFF of float32 pictures of three channels: what organised point clouds are written as."""

import struct
import zlib

import numpy as np

DEFLATE, RGB, CONTIGUOUS, FLOAT = 8, 2, 1, 3
SHORT, LONG = 3, 4
LEVEL = 4


def tiff_bytes(values: np.ndarray) -> bytes:
    """The file of (H, W, 3) float32, one deflated strip, little endian."""
    height, width, channels = values.shape
    strip = zlib.compress(np.ascontiguousarray(values, dtype="<f4").tobytes(), LEVEL)
    start = 8
    bits_at = start + len(strip) + len(strip) % 2
    formats_at = bits_at + 2 * channels
    entries = [
        (256, LONG, 1, width),
        (257, LONG, 1, height),
        (258, SHORT, channels, bits_at),
        (259, SHORT, 1, DEFLATE),
        (262, SHORT, 1, RGB),
        (273, LONG, 1, start),
        (277, SHORT, 1, channels),
        (278, LONG, 1, height),
        (279, LONG, 1, len(strip)),
        (284, SHORT, 1, CONTIGUOUS),
        (339, SHORT, channels, formats_at),
    ]
    table_at = formats_at + 2 * channels
    table = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHLL", *entry) for entry in entries)
    lists = struct.pack(f"<{2 * channels}H", *([32] * channels), *([FLOAT] * channels))
    head = struct.pack("<2sHL", b"II", 42, table_at)
    return head + strip + b"\0" * (len(strip) % 2) + lists + table + struct.pack("<L", 0)
