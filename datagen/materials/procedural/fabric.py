"""Upholstery fabric: woven (plain, basket, twill, herringbone, tweed), pile (velvet, corduroy), boucle, felt.

Thread period 0.018-0.030 units: below 0.015 it aliases at 256 px (lookdev section 2).
"""

import numpy as np

from datagen.materials.procedural.noise import blurred, grid, power_noise, worley
from datagen.materials.procedural.sheet import Maps, Sheet, palette, tinted, varied

KINDS = (
    "plain",
    "twill",
    "tweed",
    "basket",
    "melange",
    "herringbone",
    "boucle",
    "plain",
    "velvet",
    "corduroy",
)
PALETTE = palette(
    "4a4d52 1f2d4d 8f8f8c a5502c 59663a b8a98e 1f6268 7a5533 c2952c 5f1f2b 6b6f74 "
    "3d5a80 c2ad88 2f4a38 b5654a 45263d 9aa0a3 2c4a9a 6f6b35 a9814f 1d4a57 cfc7b6 "
    "4a3326 7d9db5 8c3b2e 1f6b52 b0a89a 51449a 2a2b2f b07e2b 56677a c79a92"
)
"""sRGB of upholstery as catalogues show it: greys, blues, earths, a few strong colours."""

_SHEEN = {"velvet": 0.7, "corduroy": 0.4, "boucle": 0.35, "melange": 0.35}
_PERIOD = {"boucle": (0.026, 0.034), "corduroy": (0.028, 0.04), "basket": (0.018, 0.022)}


def draw(rng: np.random.Generator, index: int) -> Sheet:
    """The `index`-th fabric: weaves and colours in turn, the rest random."""
    kind = KINDS[index % len(KINDS)]
    colour = PALETTE[(index * 7 + index // len(PALETTE)) % len(PALETTE)]
    low, high = _PERIOD.get(kind, (0.019, 0.027))
    tile = 0.5
    threads = 16 * round(tile / rng.uniform(low, high) / 16) if kind == "herringbone" else None
    threads = threads or 4 * round(tile / rng.uniform(low, high) / 4)
    return Sheet(
        kind=kind,
        mean_color=varied(rng, colour, lightness=5.0, chroma=0.15),
        roughness=float(rng.uniform(0.82, 0.95)) if kind != "velvet" else 0.75,
        specular=0.2,
        sheen=float(_SHEEN.get(kind, 0.25) * rng.uniform(0.8, 1.2)),
        tile_size=tile,
        values={
            "threads": float(threads),
            "contrast": float(rng.uniform(0.8, 1.2)),
            "second": float(rng.uniform(0.55, 1.6)),
            "heather": float(rng.uniform(0.3, 1.0)),
        },
    )


def bake(sheet: Sheet, rng: np.random.Generator, size: int) -> Maps:
    """Maps of a sheet made by `draw`."""
    maker = {"velvet": _velvet, "corduroy": _corduroy, "boucle": _boucle, "melange": _melange}.get(sheet.kind, _woven)
    colour, height = maker(sheet, rng, size)
    rough = np.clip(sheet.roughness + 0.03 * power_noise(rng, size, 0.05, 0.004, 0.5), 0.6, 1.0)
    return Maps(tinted(colour, sheet.mean_color), rough, height)


def _pattern(kind: str, i: np.ndarray, j: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Step of each crossing in its float (warp: from 0; weft: from the float's length), and that length."""
    if kind == "basket":
        return ((i // 2 + j // 2) % 2) * 2 + j % 2, ((i // 2 + j // 2 + 1) % 2) * 2 + i % 2, 2
    if kind in ("plain", "tweed"):
        return (i + j) % 2, (i + j + 1) % 2, 1
    slant = np.where((i // 8) % 2 == 0, i, 15 - i) if kind == "herringbone" else i
    return (slant + j) % 4, (slant + j + 2) % 4, 2


def _woven(sheet: Sheet, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of threads over and under each other; single threads differ in tone, as yarn does."""
    n, contrast = int(sheet.values["threads"]), sheet.values["contrast"]
    u, v = grid(size)
    wobble = 0.10 / n * power_noise(rng, size, 0.2, 0.02, 1.0)
    x, y = ((u + wobble) % 1) * n, ((v + wobble.T) % 1) * n
    i, j = np.floor(x).astype(int) % n, np.floor(y).astype(int) % n
    fx, fy = x - np.floor(x), y - np.floor(y)
    warp_step, weft_step, length = _pattern(sheet.kind, i, j)
    over = warp_step < length
    along = np.where(over, (warp_step + fy) / length, (weft_step + fx) / length)
    across = np.where(over, fx, fy)
    height = np.sin(np.pi * across) ** 0.6 * (0.55 + 0.45 * np.sin(np.pi * np.clip(along, 0, 1)))
    yarn = _yarn(rng, size, n, i, j, over, contrast)
    tone = (0.45 + 0.55 * height) * yarn
    second = sheet.values["second"] if sheet.kind in ("tweed", "herringbone", "twill") else 1.0
    spread = {"tweed": 0.45, "herringbone": 0.5, "twill": 0.3}.get(sheet.kind, 0.0)
    tone = tone * np.where(over, 1.0, 1 + spread * (second - 1))
    return tone, 0.0045 * 25 / n * height


def _yarn(
    rng: np.random.Generator,
    size: int,
    n: int,
    i: np.ndarray,
    j: np.ndarray,
    over: np.ndarray,
    contrast: float,
) -> np.ndarray:
    """Relative tone of the yarn on top: per thread, along the thread (slubs), and a fine heather."""
    warp, weft = 1 + 0.07 * contrast * rng.standard_normal((2, n))
    slub_v = power_noise(rng, size, 0.2, 0.03, 0.8, stretch_v=8)
    slub_u = power_noise(rng, size, 0.2, 0.03, 0.8, stretch_u=8)
    heather = power_noise(rng, size, 0.03, 0.006, 0.3)
    thread = np.where(over, warp[i] + 0.07 * contrast * slub_v, weft[j] + 0.07 * contrast * slub_u)
    return np.maximum(thread + 0.07 * contrast * heather, 0.3)


def _melange(sheet: Sheet, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Felted wool: fibres of two tones in every direction, no thread."""
    fibres = sum(_fibres(rng, size, angle) for angle in (0, 1, 2)) / np.sqrt(3)
    clouds = power_noise(rng, size, 0.25, 0.03, 1.0)
    tone = np.exp(0.16 * sheet.values["heather"] * fibres + 0.16 * fibres + 0.07 * clouds)
    return tone, 0.0010 * fibres + 0.0006 * power_noise(rng, size, 0.04, 0.01, 0.6)


def _fibres(rng: np.random.Generator, size: int, angle: int) -> np.ndarray:
    """Short strokes along u, v or, sheared by whole tiles, the diagonal."""
    field = power_noise(rng, size, 0.05, 0.014, 0.3, stretch_u=4)
    if angle == 1:
        return field.T
    if angle == 2:
        rows, cols = np.indices(field.shape)
        return field[rows, (cols + rows) % size]
    return field


def _velvet(sheet: Sheet, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Pile brushed this way and that: soft patches of tone, hardly any texture."""
    nap = power_noise(rng, size, 0.5, 0.06, 1.4, stretch_u=1.6)
    pile = power_noise(rng, size, 0.012, 0.004, 0.3)
    return np.exp(0.16 * np.tanh(1.5 * nap) + 0.05 * pile), 0.0007 * nap + 0.0002 * pile


def _corduroy(sheet: Sheet, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Ribs of pile along u with dark valleys."""
    n = int(sheet.values["threads"])
    _, v = grid(size)
    sway = 0.06 / n * power_noise(rng, size, 0.4, 0.05, 1.2, stretch_u=4)
    rib = np.abs(np.sin(np.pi * (v + sway) * n)) ** 0.7
    pile = power_noise(rng, size, 0.02, 0.004, 0.4, stretch_v=2)
    clouds = power_noise(rng, size, 0.4, 0.05, 1.2)
    return (0.38 + 0.62 * rib) * np.exp(0.07 * pile + 0.06 * clouds), 0.007 * 14 / n * rib + 0.0003 * pile


def _boucle(sheet: Sheet, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Loops of yarn: round bumps of many sizes, each with its own tone."""
    n = int(sheet.values["threads"])
    shift = 0.25 / n
    warp = (shift * power_noise(rng, size, 0.1, 0.02, 0.6), shift * power_noise(rng, size, 0.1, 0.02, 0.6))
    near, far, value = worley(rng, size, n, 0.7, warp)
    bump = blurred(np.clip(1.6 * (far - near), 0, 1) * (1 - 0.5 * near), 0.002, 0.002)
    curl = power_noise(rng, size, 0.02, 0.006, 0.3)
    tone = (0.5 + 0.65 * bump) * (0.88 + 0.24 * value) * np.exp(0.06 * curl)
    return tone, 0.008 * 16 / n * bump + 0.0006 * curl
