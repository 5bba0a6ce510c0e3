"""Meshes as pages let them turn: packed for the viewer, a rasteriser on a plain canvas."""

import base64
from pathlib import Path

import numpy as np

UNIT = 1.1 / 30000
"""Length of one step of a packed coordinate."""


def viewer() -> str:
    """The script. It draws every `canvas[data-mesh=NAME]` from the text of the element with id `mesh-NAME`."""
    return (Path(__file__).parent / "page" / "viewer.js").read_text(encoding="utf-8")


def packed(triangles: np.ndarray, changed: np.ndarray) -> str:
    """base64 of int16 triangles (F, 3, 3) in UNITs about the origin, then uint8 (F,) 1 where `changed` (F,) bool."""
    grid = np.clip(np.round(triangles / UNIT), -32767, 32767).astype("<i2")
    return base64.b64encode(grid.tobytes() + changed.astype(np.uint8).tobytes()).decode()
