"""TIFF 6.0 as far as float pictures of one strip need it, from the specification and not from the writer."""

import struct
import zlib

import numpy as np


def read_tiff(data: bytes) -> np.ndarray:
    """(H, W, C) float32."""
    assert data[:4] == b"II*\0"
    (at,) = struct.unpack_from("<L", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    tags = {}
    for k in range(count):
        tag, kind, n, value = struct.unpack_from("<HHLL", data, at + 2 + 12 * k)
        size = {3: 2, 4: 4}[kind]
        where = at + 2 + 12 * k + 8 if n * size <= 4 else value
        tags[tag] = struct.unpack_from(f"<{n}{'H' if kind == 3 else 'L'}", data, where)
    assert list(tags) == sorted(tags) and struct.unpack_from("<L", data, at + 2 + 12 * count) == (0,)
    (width,), (height,), (channels,) = tags[256], tags[257], tags[277]
    assert tags[258] == (32,) * channels and tags[339] == (3,) * channels and tags[278] == (height,)
    strip = data[tags[273][0] : tags[273][0] + tags[279][0]]
    raw = zlib.decompress(strip) if tags[259] == (8,) else strip
    return np.frombuffer(raw, "<f4").reshape(height, width, channels)
