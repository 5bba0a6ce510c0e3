"""Colours of materials as three plain floats. Linear means linear Rec. 709, D65."""

import numpy as np

from datagen.core.colour import lab_from_linear, linear_from_srgb, luminance

RGB = tuple[float, float, float]

MAX_LUMINANCE = 0.48
"""Brightest mean base colour. The rig lights an upward face to about 1.2 x albedo plus its gloss, and the
published loader takes grey >= 229.5 (0.79 linear) for background: white things have to be off-white."""


def rgb_from_hex(text: str) -> RGB:
    """Linear colour of an sRGB hex triplet such as 'a5502c'."""
    return as_rgb(linear_from_srgb(np.array([int(text[i : i + 2], 16) for i in (0, 2, 4)]) / 255))


def as_rgb(values: np.ndarray) -> RGB:
    """Three plain floats, rounded so that their JSON is short and stable."""
    r, g, b = (round(float(v), 6) for v in values)
    return (r, g, b)


def darkened(linear: RGB, limit: float = MAX_LUMINANCE) -> RGB:
    """The colour, scaled down where its luminance is above `limit`."""
    level = float(luminance(np.array(linear)))
    return linear if level <= limit else as_rgb(np.array(linear) * (limit / level))


def colour_distance(a: RGB, b: RGB) -> float:
    """CIE 1976 colour difference of two linear colours; about 2 is just noticeable, 20 is legible."""
    return float(np.linalg.norm(lab_from_linear(np.array(a)) - lab_from_linear(np.array(b))))
