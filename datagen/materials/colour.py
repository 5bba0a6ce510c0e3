"""Colour arithmetic: sRGB transfer, luminance, CIELAB distance. Linear means linear Rec. 709, D65."""

import numpy as np

RGB = tuple[float, float, float]

MAX_LUMINANCE = 0.48
"""Brightest mean base colour. The rig lights an upward face to about 1.2 x albedo plus its gloss, and the
published loader takes grey >= 229.5 (0.79 linear) for background: white things have to be off-white."""

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_XYZ_FROM_RGB = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = _XYZ_FROM_RGB.sum(axis=1)


def linear_from_srgb(values: np.ndarray) -> np.ndarray:
    """Decode sRGB in [0, 1], any shape."""
    values = np.asarray(values, dtype=np.float64)
    return np.where(values <= 0.04045, values / 12.92, ((np.maximum(values, 0) + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(values: np.ndarray) -> np.ndarray:
    """Encode linear light in [0, 1] as sRGB, any shape, keeping float32."""
    values = np.clip(values, 0, 1)
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055)


def rgb_from_hex(text: str) -> RGB:
    """Linear colour of an sRGB hex triplet such as 'a5502c'."""
    return as_rgb(linear_from_srgb(np.array([int(text[i : i + 2], 16) for i in (0, 2, 4)]) / 255))


def as_rgb(values: np.ndarray) -> RGB:
    """Three plain floats, rounded so that their JSON is short and stable."""
    r, g, b = (round(float(v), 6) for v in values)
    return (r, g, b)


def luminance(linear: np.ndarray) -> np.ndarray:
    """Relative luminance of (..., 3) linear colours."""
    return np.asarray(linear) @ _LUMINANCE


def darkened(linear: RGB, limit: float = MAX_LUMINANCE) -> RGB:
    """The colour, scaled down where its luminance is above `limit`."""
    level = float(luminance(np.array(linear)))
    return linear if level <= limit else as_rgb(np.array(linear) * (limit / level))


def lab_from_linear(linear: np.ndarray) -> np.ndarray:
    """CIELAB (D65) of (..., 3) linear colours."""
    t = np.asarray(linear, dtype=np.float64) @ _XYZ_FROM_RGB.T / _WHITE
    f = np.where(t > (6 / 29) ** 3, np.cbrt(np.maximum(t, 0)), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def linear_from_lab(lab: np.ndarray) -> np.ndarray:
    """Inverse of `lab_from_linear`, clipped to the gamut."""
    lab = np.asarray(lab, dtype=np.float64)
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], axis=-1)
    t = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    return np.clip((t * _WHITE) @ np.linalg.inv(_XYZ_FROM_RGB).T, 0, 1)


def colour_distance(a: RGB, b: RGB) -> float:
    """CIE 1976 colour difference of two linear colours; about 2 is just noticeable, 20 is legible."""
    return float(np.linalg.norm(lab_from_linear(np.array(a)) - lab_from_linear(np.array(b))))
