"""Metal: brushed and satin steel, brass, copper, iron, hammered and metallic-painted tubes.

Roughness stays at 0.2 or above: mirrors make fireflies and show the blurred sky as a flat grey.
"""

import numpy as np

from datagen.materials.colour import as_rgb, darkened
from datagen.materials.procedural.noise import blurred, power_noise, worley
from datagen.materials.procedural.sheet import Maps, Sheet, tinted

KINDS = ("brushed", "satin", "chrome", "hammered", "brushed", "worn", "metallic_paint")
ALLOYS = {
    "steel": (0.40, 0.40, 0.41),
    "aluminium": (0.45, 0.455, 0.465),
    "brass": (0.50, 0.34, 0.13),
    "gunmetal": (0.13, 0.135, 0.145),
    "copper": (0.50, 0.24, 0.15),
    "black_iron": (0.045, 0.044, 0.044),
    "bronze": (0.30, 0.19, 0.09),
    "nickel": (0.42, 0.39, 0.35),
    "champagne": (0.43, 0.34, 0.24),
    "titanium": (0.27, 0.26, 0.255),
}
"""Linear reflectance, below that of clean metal: floor and sky are brighter than white, silver would burn out."""
_ALLOYS_OF = {
    "chrome": ("steel", "aluminium", "nickel", "titanium"),
    "hammered": ("nickel", "brass", "steel", "copper", "bronze", "titanium", "gunmetal"),
    "worn": ("bronze", "steel", "gunmetal", "copper", "brass", "nickel"),
}
"""Finishes that some alloys only have: hammered black iron cannot be told from leather at 256 px."""
PAINTS = {
    "silver": (0.42, 0.43, 0.44),
    "graphite": (0.06, 0.063, 0.07),
    "petrol": (0.03, 0.10, 0.13),
    "bronze": (0.24, 0.15, 0.075),
    "pewter": (0.2, 0.2, 0.2),
    "midnight": (0.03, 0.045, 0.12),
    "mocha": (0.20, 0.14, 0.085),
}


def draw(rng: np.random.Generator, index: int) -> Sheet:
    """The `index`-th metal: finishes and alloys in turn, the rest random."""
    kind = KINDS[index % len(KINDS)]
    table = PAINTS if kind == "metallic_paint" else ALLOYS
    name = list(table)[(index // len(KINDS) + index) % len(table)]
    if kind in _ALLOYS_OF:
        name = _ALLOYS_OF[kind][(index // len(KINDS)) % len(_ALLOYS_OF[kind])]
    colour = np.array(table[name]) * rng.uniform(0.88, 1.1) * rng.uniform(0.97, 1.03, 3)
    low, high = {"chrome": (0.26, 0.30), "satin": (0.28, 0.36), "metallic_paint": (0.24, 0.3)}.get(kind, (0.22, 0.30))
    return Sheet(
        kind=f"{kind}_{name}",
        mean_color=darkened(as_rgb(colour), 0.32 if kind == "chrome" else 0.37),
        roughness=float(rng.uniform(low, high)),
        metallic=0.95 if kind == "metallic_paint" else 1.0,
        coat=0.6 if kind == "metallic_paint" else 0.0,
        tile_size=0.5,
        values={"finish": float(KINDS.index(kind)), "contrast": float(rng.uniform(0.8, 1.25))},
    )


def bake(sheet: Sheet, rng: np.random.Generator, size: int) -> Maps:
    """Maps of a sheet made by `draw`."""
    finish, contrast = KINDS[int(sheet.values["finish"])], sheet.values["contrast"]
    tone, rough, height = {
        "brushed": _brushed,
        "hammered": _hammered,
        "worn": _worn,
        "metallic_paint": _flakes,
    }.get(finish, _satin)(rng, size, contrast)
    return Maps(tinted(tone, sheet.mean_color), np.clip(sheet.roughness + rough, 0.2, 0.75), height)


Fields = tuple[np.ndarray, np.ndarray, np.ndarray]


def _brushed(rng: np.random.Generator, size: int, contrast: float) -> Fields:
    """Scratches along u at two scales: they shade, and they spread the highlight."""
    fine = power_noise(rng, size, 0.012, 0.002, 0.2, stretch_u=50)
    coarse = power_noise(rng, size, 0.08, 0.012, 0.6, stretch_u=30)
    cloud = power_noise(rng, size, 0.6, 0.1, 1.4)
    tone = np.exp(contrast * (0.07 * fine + 0.04 * coarse + 0.02 * cloud))
    return tone, contrast * (0.03 * fine + 0.03 * coarse), contrast * (0.00005 * fine + 0.00007 * coarse)


def _satin(rng: np.random.Generator, size: int, contrast: float) -> Fields:
    """Polished or blasted: smooth, with faint smears."""
    smear = power_noise(rng, size, 0.5, 0.04, 1.2, stretch_u=2)
    fine = power_noise(rng, size, 0.01, 0.003, 0.2)
    return np.exp(0.03 * contrast * smear), contrast * (0.03 * smear + 0.01 * fine), 0.00015 * smear


def _hammered(rng: np.random.Generator, size: int, contrast: float) -> Fields:
    """Shallow dents of about 0.035 units."""
    near, _, value = worley(rng, size, 14, 0.7)
    dent = blurred(np.minimum(near, 0.75) ** 2, 0.004, 0.004)
    smear = power_noise(rng, size, 0.5, 0.04, 1.2)
    tone = np.exp(contrast * (0.10 * (value - 0.5) + 0.03 * smear)) * (0.85 + 0.3 * np.clip(dent, 0, 1))
    return tone, 0.03 * smear, 0.0035 * contrast * dent


def _worn(rng: np.random.Generator, size: int, contrast: float) -> Fields:
    """Raw or aged metal: patches of oxide, scratches in every direction."""
    patch = power_noise(rng, size, 0.35, 0.01, 1.1)
    scratch = power_noise(rng, size, 0.015, 0.002, 0.2, stretch_u=30)
    cross = power_noise(rng, size, 0.015, 0.002, 0.2, stretch_v=30)
    oxide = np.clip(0.5 + 0.8 * patch, 0, 1)
    tone = np.exp(contrast * (-0.22 * oxide + 0.07 * scratch + 0.05 * cross))
    return tone, 0.12 * oxide - 0.05 + 0.03 * scratch, 0.0006 * patch + 0.0001 * (scratch + cross)


def _flakes(rng: np.random.Generator, size: int, contrast: float) -> Fields:
    """Metallic lacquer: glittering flakes under a clear coat with a little orange peel."""
    flake = power_noise(rng, size, 0.02, 0.006, 0.1)
    peel = power_noise(rng, size, 0.06, 0.02, 0.6)
    return np.exp(0.2 * contrast * flake), 0.04 * flake, 0.0008 * peel + 0.0003 * flake
