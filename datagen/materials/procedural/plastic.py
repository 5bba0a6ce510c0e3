"""Plastic: moulded polypropylene and ABS; one even colour, glossy to matt, next to no texture."""

import numpy as np

from datagen.materials.procedural.noise import power_noise
from datagen.materials.procedural.sheet import Maps, Sheet, palette, tinted, varied

KINDS = ("gloss", "satin", "satin", "matt", "textured")
PALETTE = palette(
    "b3261e c9c9c4 1f5fa8 1c1c1e d9a41b 2f7d46 3b3e42 d2691e 2a9a98 a9acad c9718f "
    "8fae2f 7b7f82 d0604a 5fa9b8 1e2f56 bfae8f 5b3b86 8fbfa5 8c1f24 b68a1e 23724f "
    "5a3d2b 7f9379 2b62c4 e0b93a c4472b 16171a"
)
"""sRGB of shell chairs: primaries, pastels, greys, black and off-white."""


def draw(rng: np.random.Generator, index: int) -> Sheet:
    """The `index`-th plastic: finishes and colours in turn, the rest random."""
    kind = KINDS[index % len(KINDS)]
    low, high = {"gloss": (0.14, 0.24), "satin": (0.26, 0.38), "matt": (0.42, 0.52), "textured": (0.38, 0.5)}[kind]
    return Sheet(
        kind=kind,
        mean_color=varied(rng, PALETTE[(index * 3 + index // len(PALETTE)) % len(PALETTE)], 3.0, 0.1),
        roughness=float(rng.uniform(low, high)),
        specular=0.55,
        coat=0.5 if kind == "gloss" else 0.0,
        tile_size=0.5,
        values={"texture": 1.0 if kind == "textured" else 0.0},
    )


def bake(sheet: Sheet, rng: np.random.Generator, size: int) -> Maps:
    """Maps of a sheet made by `draw`."""
    flow = power_noise(rng, size, 0.8, 0.15, 1.5)
    # A height field of faint swells would be all quantisation steps in an 8-bit normal map: only grain has one.
    spark = power_noise(rng, size, 0.012, 0.004, 0.3)
    texture = sheet.values["texture"]
    rough = np.clip(sheet.roughness + 0.006 * flow + 0.008 * (1 + texture) * spark, 0.1, 0.7)
    return Maps(tinted(np.exp(0.005 * flow + 0.004 * spark), sheet.mean_color), rough, 0.00022 * texture * spark)
