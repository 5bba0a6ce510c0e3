"""Periodic noise: every field wraps around, so every map tiles.

Fields are (N, N) float32 arrays; rows run down the image (v falls), columns along u. Wavelengths
are fractions of a tile.
"""

import numpy as np


def _gaussian_spectrum(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.fft.rfft2(rng.standard_normal((size, size), dtype=np.float32))


def _wave_numbers(size: int, stretch_u: float, stretch_v: float) -> np.ndarray:
    """Distance from zero frequency in cycles a tile, after stretching the pattern along u and v."""
    kv = np.fft.fftfreq(size, 1 / size)[:, None] * stretch_v
    ku = np.fft.rfftfreq(size, 1 / size)[None, :] * stretch_u
    return np.hypot(ku, kv)


def _normalised(field: np.ndarray) -> np.ndarray:
    field = field - field.mean()
    return (field / (field.std() + 1e-12)).astype(np.float32)


def power_noise(
    rng: np.random.Generator,
    size: int,
    longest: float,
    shortest: float,
    slope: float = 1.0,
    stretch_u: float = 1.0,
    stretch_v: float = 1.0,
) -> np.ndarray:
    """Fractal noise with wavelengths between `shortest` and `longest` tiles, amplitude ~ k^-slope.

    A stretch of 20 along u makes features 20 times as long along u. Zero mean, unit deviation.
    """
    k = _wave_numbers(size, stretch_u, stretch_v)
    gain = np.zeros_like(k)
    inside = k > 0
    gain[inside] = k[inside] ** -slope
    gain *= 1 / (1 + (k * shortest) ** 8)
    gain *= 1 - np.exp(-((k * longest) ** 4))
    return _normalised(np.fft.irfft2(_gaussian_spectrum(rng, size) * gain, s=(size, size)))


def blurred(field: np.ndarray, sigma_u: float, sigma_v: float) -> np.ndarray:
    """Periodic Gaussian blur; deviations in tiles."""
    size = field.shape[0]
    kv = np.fft.fftfreq(size, 1 / size)[:, None]
    ku = np.fft.rfftfreq(size, 1 / size)[None, :]
    gain = np.exp(-2 * np.pi**2 * ((ku * sigma_u) ** 2 + (kv * sigma_v) ** 2))
    return np.fft.irfft2(np.fft.rfft2(field) * gain, s=field.shape).astype(np.float32)


def curve_noise(rng: np.random.Generator, size: int, longest: float, shortest: float, slope: float) -> np.ndarray:
    """One period of one-dimensional fractal noise, shape (size,), zero mean, unit deviation."""
    k = np.fft.rfftfreq(size, 1 / size)
    gain = np.zeros_like(k)
    gain[1:] = k[1:] ** -slope
    gain *= (1 - np.exp(-((k * longest) ** 4))) / (1 + (k * shortest) ** 8)
    return _normalised(np.fft.irfft(np.fft.rfft(rng.standard_normal(size)) * gain, n=size))


def sampled(table: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Values of a periodic table (M,) at phases in periods, linear interpolation."""
    x = (phase - np.floor(phase)) * len(table)
    i = x.astype(np.int32) % len(table)
    t = (x - np.floor(x)).astype(np.float32)
    return table[i] * (1 - t) + table[(i + 1) % len(table)] * t


def warped(field: np.ndarray, shift_u: np.ndarray, shift_v: np.ndarray) -> np.ndarray:
    """The field sampled at (u + shift_u, v + shift_v), shifts in tiles; bilinear and periodic."""
    size = field.shape[0]
    rows, cols = np.indices(field.shape, dtype=np.float32)
    y, x = rows - shift_v * size, cols + shift_u * size
    y0, x0 = np.floor(y).astype(np.int32), np.floor(x).astype(np.int32)
    fy, fx = y - y0, x - x0
    y0, x0, y1, x1 = y0 % size, x0 % size, (y0 + 1) % size, (x0 + 1) % size
    top = field[y0, x0] * (1 - fx) + field[y0, x1] * fx
    return top * (1 - fy) + (field[y1, x0] * (1 - fx) + field[y1, x1] * fx) * fy


def grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Texel centres (u, v) in [0, 1); v runs up, so it falls with the row."""
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size
    return np.broadcast_to(centres[None, :], (size, size)), np.broadcast_to(1 - centres[:, None], (size, size))


def worley(
    rng: np.random.Generator,
    size: int,
    cells: int,
    jitter: float,
    warp: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cellular noise on a jittered grid of cells x cells.

    Returns the distances to the nearest and second nearest point in cell widths, and a random
    number in [0, 1) for the nearest cell. With jitter <= 0.7 the 3 x 3 neighbourhood holds both.
    """
    offsets = ((rng.random((cells, cells, 2)) - 0.5) * jitter + 0.5).astype(np.float32)
    values = rng.random((cells, cells)).astype(np.float32)
    u, v = grid(size)
    x, y = (u * cells, v * cells) if warp is None else ((u + warp[0]) * cells, (v + warp[1]) * cells)
    ix, iy = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    fx, fy = x - ix, y - iy
    first = np.full((size, size), 9.0, dtype=np.float32)
    second, value = first.copy(), np.zeros_like(first)
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            cx, cy = (ix + dx) % cells, (iy + dy) % cells
            point = offsets[cx, cy]
            distance = (fx - dx - point[..., 0]) ** 2 + (fy - dy - point[..., 1]) ** 2
            nearer = distance < first
            second = np.where(nearer, first, np.minimum(second, distance))
            value = np.where(nearer, values[cx, cy], value)
            first = np.minimum(first, distance)
    return np.sqrt(first), np.sqrt(second), value


def normal_from_height(height: np.ndarray, texel: float) -> np.ndarray:
    """OpenGL tangent-space normals (N, N, 3) in [-1, 1] of a height field in the unit of `texel`."""
    du = (np.roll(height, -1, axis=1) - np.roll(height, 1, axis=1)) / (2 * texel)
    dv = (np.roll(height, 1, axis=0) - np.roll(height, -1, axis=0)) / (2 * texel)
    normal = np.stack([-du, -dv, np.ones_like(du)], axis=-1)
    return normal / np.linalg.norm(normal, axis=-1, keepdims=True)
