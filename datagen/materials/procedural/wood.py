"""Wood: plain- and quarter-sawn boards of real species, grain along u.

A board is a plane through a log: ring distance r = sqrt(d^2 + h(u)^2), with d the distance across the
board from the heart and h the depth of the cut below it. Where h varies along the board its level
lines are the nested arches of plain-sawn furniture; with a deep h they are straight quarter-sawn lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from datagen.core.colour import linear_from_srgb
from datagen.materials.colour import rgb_from_hex
from datagen.materials.procedural.noise import curve_noise, grid, power_noise, sampled
from datagen.materials.procedural.sheet import Maps, Sheet, tinted, varied

_RINGS = 48


@dataclass(frozen=True)
class Species:
    """Colours as sRGB hex of early and late wood; contrasts as shares of the step between them."""

    early: str
    late: str
    ring: float
    fibre: float
    pore: float
    knots: int = 0


SPECIES = {
    "ash": Species("c9ab80", "8f6a40", 0.75, 0.26, 0.5),
    "oak": Species("b88d5a", "755026", 0.65, 0.34, 0.9),
    "pine": Species("d0aa78", "9c6a3a", 0.85, 0.18, 0.0, 3),
    "walnut": Species("7d5638", "3a2415", 0.75, 0.40, 0.5),
    "beech": Species("c0936a", "94653f", 0.55, 0.36, 0.3),
    "teak": Species("9c6a38", "5a3718", 0.70, 0.38, 0.5),
    "cherry": Species("a2603a", "6c371d", 0.60, 0.32, 0.2),
    "mahogany": Species("7a4630", "452015", 0.50, 0.42, 0.6),
    "maple": Species("cbb08a", "a37f55", 0.55, 0.25, 0.0),
    "wenge": Species("4b382b", "1d1410", 0.85, 0.45, 0.5),
    "rosewood": Species("6f3b26", "2c1610", 0.70, 0.34, 0.4),
    "smoked_oak": Species("6b5138", "3a2a1c", 0.70, 0.36, 0.9),
    "elm": Species("a87c4c", "6b4524", 0.90, 0.34, 0.6),
    "grey_wash": Species("a39a8c", "6f665b", 0.80, 0.36, 0.6),
    "black_ash": Species("3a3531", "171412", 0.80, 0.36, 0.6),
}
"""Fifteen woods; the last two are stains under which the grain stays visible."""


def draw(rng: np.random.Generator, index: int) -> Sheet:
    """The `index`-th wood: species in turn, the rest random."""
    kind = list(SPECIES)[index % len(SPECIES)]
    species = SPECIES[kind]
    early, late = rgb_from_hex(species.early), rgb_from_hex(species.late)
    middle = np.sqrt(np.array(early) * np.array(late))
    share = rng.uniform(0.25, 0.6)
    mean = np.array(early) * (1 - share) + middle * share
    mean_hex = "".join(f"{round(255 * c):02x}" for c in _srgb(mean))
    return Sheet(
        kind=kind,
        mean_color=varied(rng, mean_hex, lightness=4.5, chroma=0.12),
        roughness=float(rng.uniform(0.32, 0.6)),
        specular=0.4,
        coat=float(rng.choice([0.0, 0.0, 0.15, 0.3])),
        tile_size=1.0,
        values={
            "plain_sawn": float(rng.random() < 0.7),
            "hearts": float(rng.integers(2, 5)),
            "rings": float(rng.uniform(30, 52)),
            "contrast": float(rng.uniform(0.6, 1.0)),
        },
    )


def _srgb(linear: np.ndarray) -> np.ndarray:
    grid_ = np.linspace(0, 1, 1025)
    return np.interp(linear, linear_from_srgb(grid_), grid_)


def bake(sheet: Sheet, rng: np.random.Generator, size: int) -> Maps:
    """Maps of a sheet made by `draw`."""
    species, values = SPECIES[sheet.kind], sheet.values
    ring = _rings(rng, size, values, species.knots)
    fine = power_noise(rng, size, 0.02, 0.002, 0.6, stretch_u=40)
    streak = power_noise(rng, size, 0.12, 0.01, 0.9, stretch_u=22)
    tone = power_noise(rng, size, 0.6, 0.1, 1.5, stretch_u=3)
    pores = _pores(rng, size, species.pore) * (0.45 + 0.55 * ring)
    late = values["contrast"] * (
        species.ring * (ring - 0.35) + species.fibre * (0.55 * streak + 0.45 * fine) + 0.16 * tone
    )
    late = late + 0.8 * pores
    step = np.log(np.array(rgb_from_hex(species.late))) - np.log(np.array(rgb_from_hex(species.early)))
    colour = np.exp(np.clip(late, -0.9, 1.6)[..., None] * step.astype(np.float32) * 0.85)
    rough = sheet.roughness + 0.05 * fine + 0.10 * (ring - 0.4) + 0.12 * pores
    height = 0.00022 * fine - 0.0012 * pores - 0.0004 * ring
    return Maps(tinted(colour, sheet.mean_color), np.clip(rough, 0.2, 0.9), height)


def _rings(rng: np.random.Generator, size: int, values: Mapping[str, float], knots: int) -> np.ndarray:
    """Darkness in [0, 1] of the annual rings, latewood dark, every ring of its own width and tone."""
    u, v = grid(size)
    wander = 0.012 * power_noise(rng, size, 0.5, 0.08, 1.6, stretch_u=5)
    bend = 0.03 * curve_noise(rng, size, 1.0, 0.4, 1.5)[None, :]
    hearts = values["hearts"]
    spread = 0.16 / hearts * curve_noise(rng, size, 1.0, 0.3, 1.5)[:, None]
    across = v + bend + wander + spread
    distance = np.abs((across * hearts) % 1.0 - 0.5) / hearts
    depth = np.abs(0.03 + 0.012 * curve_noise(rng, size, 1.0, 0.3, 1.3))[None, :]
    if not values["plain_sawn"]:
        distance, depth = 0.6 * np.sin(2 * np.pi * across) / (2 * np.pi), 0.02
    r = np.sqrt(distance**2 + depth**2) if values["plain_sawn"] else distance
    for _ in range(knots):
        r = r + _knot(rng, u, v)
    return sampled(_ring_table(rng), r * values["rings"] / _RINGS + 0.004 * power_noise(rng, size, 0.1, 0.01, 1.0, 14))


def _knot(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Rings swept around one branch: a narrow bump of ring distance, longer along the grain."""
    cu, cv = rng.random(2)
    du, dv = (u - cu + 0.5) % 1 - 0.5, (v - cv + 0.5) % 1 - 0.5
    radius = rng.uniform(0.016, 0.03)
    return rng.uniform(0.10, 0.18) * np.exp(-np.sqrt((du / (2.2 * radius)) ** 2 + (dv / radius) ** 2 + 0.05))


def _ring_table(rng: np.random.Generator) -> np.ndarray:
    """One period of ring darkness: `_RINGS` rings that darken slowly and end in a soft edge."""
    widths = rng.gamma(4.0, 1.0, _RINGS)
    edges = np.concatenate([[0], np.cumsum(widths)]) / widths.sum()
    x = (np.arange(4096) + 0.5) / 4096
    ring = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, _RINGS - 1)
    t = (x - edges[ring]) / (edges[ring + 1] - edges[ring])
    tone = rng.uniform(0.35, 1.0, _RINGS)[ring]
    return (tone * t**1.8 * np.clip((1 - t) / 0.14, 0, 1)).astype(np.float32) * 1.15


def _pores(rng: np.random.Generator, size: int, amount: float) -> np.ndarray:
    """Open vessels: short dark dashes along the grain, in [0, amount]."""
    if amount == 0:
        return np.zeros((size, size), dtype=np.float32)
    field = power_noise(rng, size, 0.012, 0.002, 0.2, stretch_u=14)
    return amount * np.clip((field - 1.1) / 0.8, 0, 1)
