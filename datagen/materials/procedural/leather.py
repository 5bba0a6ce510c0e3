"""Leather: pebbled grain (cells of 0.022-0.03 units), creases, patina; semi-gloss, no weave."""

import numpy as np

from datagen.materials.procedural.noise import blurred, power_noise, worley
from datagen.materials.procedural.sheet import Maps, Sheet, palette, tinted, varied

KINDS = ("pebbled", "aniline", "full_grain", "distressed", "pebbled")
PALETTE = palette(
    "9a5526 1d1b1b 6b3420 4f1a1a 3f2619 b07a45 cbb993 7d4a24 2a1d17 a4662b 5a1f26 "
    "8f5a2c 7b6a5a 232324 8a221c c8bda4 b58a58 4b4a2c 5c2e1b 22382c 86502b 1f2a3d "
    "6c6a68 33211a"
)
"""sRGB of hides: cognac, black, chestnut, oxblood, espresso, tan, cream and a few dyed ones."""


def draw(rng: np.random.Generator, index: int) -> Sheet:
    """The `index`-th leather: finishes and colours in turn, the rest random."""
    kind = KINDS[index % len(KINDS)]
    aged = kind in ("aniline", "distressed")
    return Sheet(
        kind=kind,
        mean_color=varied(rng, PALETTE[(index * 5 + index // len(PALETTE)) % len(PALETTE)], 3.0, 0.12),
        roughness=float(rng.uniform(0.30, 0.42)),
        specular=0.5,
        coat=float(rng.uniform(0.0, 0.25)),
        tile_size=0.6,
        values={
            "cell": float(rng.uniform(0.022, 0.028) if kind != "pebbled" else rng.uniform(0.025, 0.032)),
            "pebble": {"pebbled": 1.0, "full_grain": 0.6, "aniline": 0.35, "distressed": 0.45}[kind],
            "crease": float(rng.uniform(0.8, 1.3) if aged else rng.uniform(0.35, 0.7)),
            "patina": float(rng.uniform(0.9, 1.4) if aged else rng.uniform(0.4, 0.8)),
        },
    )


def bake(sheet: Sheet, rng: np.random.Generator, size: int) -> Maps:
    """Maps of a sheet made by `draw`."""
    values = sheet.values
    pebble = _pebbles(rng, size, round(sheet.tile_size / values["cell"]))
    crease = _creases(rng, size)
    soft = power_noise(rng, size, 0.35, 0.06, 1.3)
    patina = power_noise(rng, size, 0.6, 0.05, 1.3)
    grain = power_noise(rng, size, 0.012, 0.004, 0.4)
    tone = np.exp(0.065 * values["patina"] * patina) * (1 - 0.25 * values["pebble"] * (1 - pebble))
    tone = tone * (1 - 0.32 * values["crease"] * crease) * np.exp(0.02 * grain)
    rough = sheet.roughness + 0.12 * values["pebble"] * (0.6 - pebble) + 0.18 * crease + 0.03 * patina
    height = 0.0014 * values["pebble"] * pebble - 0.0016 * values["crease"] * crease + 0.0012 * soft
    warm = np.stack([tone**0.9, tone, tone**1.12], axis=-1)
    return Maps(tinted(warm, sheet.mean_color), np.clip(rough, 0.22, 0.85), height + 0.00008 * grain)


def _pebbles(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """Rounded cells in [0, 1], low between them; borders wander so that they are no polygons."""
    shift = 0.22 / cells
    warp = (shift * power_noise(rng, size, 0.08, 0.01, 0.7), shift * power_noise(rng, size, 0.08, 0.01, 0.7))
    near, far, value = worley(rng, size, cells, 0.7, warp)
    dome = np.clip(2.6 * (far - near), 0, 1)
    return blurred(dome * (0.8 + 0.2 * value), 0.0015, 0.0015)


def _creases(rng: np.random.Generator, size: int) -> np.ndarray:
    """Wrinkles in [0, 1]: thin zero lines of a warped noise, present in some places only."""
    field = power_noise(rng, size, 0.22, 0.03, 1.1, stretch_u=1.7)
    where = np.clip(0.35 + 0.6 * power_noise(rng, size, 0.5, 0.1, 1.3), 0, 1)
    return np.exp(-((field / 0.11) ** 2)).astype(np.float32) * where
