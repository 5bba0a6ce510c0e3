"""Views that hold every object whole: cameras that step back along their line of sight."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from datagen.core.camera import Camera

EDGE_PX = 1.0
"""Pixels that stay free at the border of such a view."""


def step_back(cameras: Sequence[Camera], points: np.ndarray, share: float, rng: np.random.Generator) -> list[Camera]:
    """The cameras, a share (0..1) of them drawn and moved back till all points (N, 3) lie in the picture."""
    found = list(cameras)
    if share <= 0:
        return found
    for k in rng.permutation(len(found))[: int(np.ceil(share * len(found) - 1e-9))].tolist():
        found[k] = _seeing(found[k], points)
    return found


def _seeing(camera: Camera, points: np.ndarray) -> Camera:
    T, f = camera.extrinsic, camera.focal_px
    x, y, depth = (points @ T[:3, :3].T + T[:3, 3]).T
    # A step back adds to the depth of every point and leaves it where it is beside the axis.
    wanted = f * np.maximum(np.abs(x), np.abs(y)) / (camera.size_px / 2 - EDGE_PX)
    return replace(camera, radius=camera.radius + max(float((wanted - depth).max()), 0.0))
