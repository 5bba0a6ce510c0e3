"""Pictures through a lens that distorts, out of wider ones without distortion."""

from dataclasses import replace

import numpy as np
from scipy.ndimage import map_coordinates

from datagen.core.camera import Camera
from datagen.core.lens import Lens
from datagen.render.raycast import pixel_rays

FINER = 1.25
"""Pixels of the straight picture in a pixel of the bent one, at its middle."""
MARGIN_PX = 4
"""Pixels of the straight picture beyond what the bent one shows: the filter reaches so far."""


def straight(camera: Camera) -> Camera:
    """The camera without its lens, seeing all that it sees through it, in finer pixels; itself without distortion."""
    if camera.lens.is_straight:
        return camera
    focal = FINER * camera.focal_px
    half = int(np.ceil(focal * np.abs(_looked_at(camera)).max())) + MARGIN_PX
    return replace(camera, lens=Lens(), size_px=2 * half, focal_px_at_256=focal * 256 / (2 * half))


def bent(picture: np.ndarray, camera: Camera) -> np.ndarray:
    """What a camera with a lens shows, (S, S, C), of what `straight` of it shows, (N, N, C); cubic splines.

    Values stay within those of the picture.
    """
    if camera.lens.is_straight:
        return picture
    wide = straight(camera)
    at = _looked_at(camera) * wide.focal_px + wide.size_px / 2 - 0.5
    rows, columns = at[..., 1], at[..., 0]
    layers = [map_coordinates(layer, [rows, columns], order=3, mode="nearest") for layer in np.moveaxis(picture, -1, 0)]
    return np.clip(np.stack(layers, axis=-1), picture.min(axis=(0, 1)), picture.max(axis=(0, 1)))


def _looked_at(camera: Camera) -> np.ndarray:
    """(right, down) over ahead of every pixel's direction (S, S, 2)."""
    return np.asarray(pixel_rays(camera)[..., :2] * [1, -1])
