"""Deterministic bytes of the file types a dataset is made of."""

import io
import json
from typing import Any

import numpy as np
from PIL import Image

from datagen.core.shape import Mesh

PNG_LEVEL = 4
"""Two per cent larger than level 6 for rendered pictures, in six tenths of the time."""


def png_bytes(picture: np.ndarray) -> bytes:
    """PNG of (H, W, 3) or (H, W) uint8, or of a bool mask as 0 and 255."""
    if picture.dtype == bool:
        picture = picture.astype(np.uint8) * 255
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(buffer, "PNG", compress_level=PNG_LEVEL)
    return buffer.getvalue()


def grey16_bytes(values: np.ndarray) -> bytes:
    """PNG of (H, W) uint16."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values, dtype=np.uint16)).save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def json_bytes(value: Any, indent: int | None = None) -> bytes:
    """UTF-8 JSON with the keys in the given order; NaN is refused with ValueError."""
    return (json.dumps(value, allow_nan=False, ensure_ascii=False, indent=indent) + "\n").encode()


def npy_bytes(array: np.ndarray, allow_pickle: bool = False) -> bytes:
    """The .npy file of an array."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


def obj_bytes(mesh: Mesh) -> bytes:
    """A plain OBJ, six decimals, no materials."""
    # One format of the whole is several times faster than one a line.
    vertices = "v %.6f %.6f %.6f\n" * len(mesh.vertices) % tuple(mesh.vertices.ravel().tolist())
    faces = "f %d %d %d\n" * len(mesh.faces) % tuple((mesh.faces.ravel() + 1).tolist())
    return (vertices + faces).encode()


def number(value: float) -> str:
    """A number as file names hold it: 18, 2.5, 31.07."""
    return f"{value:g}" if float(value) != int(value) else str(int(value))
