"""Colour arithmetic: sRGB transfer, luminance, CIELAB. Linear means linear Rec. 709, D65."""

import numpy as np

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_XYZ_FROM_RGB = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = _XYZ_FROM_RGB.sum(axis=1)


def rgb_of(text: str) -> tuple[float, float, float]:
    """`#rrggbb` as sRGB in 0..1."""
    r, g, b = (int(text[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return r, g, b


def linear_from_srgb(values: np.ndarray) -> np.ndarray:
    """Decode sRGB in [0, 1], any shape, as float64."""
    values = np.asarray(values, dtype=np.float64)
    return np.where(values <= 0.04045, values / 12.92, ((np.maximum(values, 0) + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(values: np.ndarray) -> np.ndarray:
    """Encode linear light, clipped to [0, 1], as sRGB, any shape, keeping float32."""
    values = np.clip(values, 0, 1)
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055)


def luminance(values: np.ndarray) -> np.ndarray:
    """Relative luminance (...) of (..., 3) linear colours, in their scale."""
    return np.asarray(values) @ _LUMINANCE


def lab_from_linear(linear: np.ndarray) -> np.ndarray:
    """CIELAB (D65) of (..., 3) linear colours."""
    t = np.asarray(linear, dtype=np.float64) @ _XYZ_FROM_RGB.T / _WHITE
    f = np.where(t > (6 / 29) ** 3, np.cbrt(np.maximum(t, 0)), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return _lab(f)


def linear_from_lab(lab: np.ndarray) -> np.ndarray:
    """Inverse of `lab_from_linear`, clipped to the gamut."""
    lab = np.asarray(lab, dtype=np.float64)
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], axis=-1)
    t = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    return np.clip((t * _WHITE) @ np.linalg.inv(_XYZ_FROM_RGB).T, 0, 1)


def rounded_lab(linear: np.ndarray) -> np.ndarray:
    """CIELAB (3,) of one linear colour (3,), clipped to [0, 1], by the constants rounded to four digits.

    The contrasts that datasets of scenes record are in it: `lab_from_linear` would move their last digits.
    """
    m = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    t = m @ np.clip(linear, 0, 1) / np.array([0.9505, 1.0, 1.089])
    return _lab(np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116))


def _lab(f: np.ndarray) -> np.ndarray:
    """L, a and b of X, Y and Z after CIELAB's cube root, (..., 3)."""
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)
