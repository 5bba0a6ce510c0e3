"""Floors made here: marble, wood planks, tiles, concrete, terrazzo, slate; PBR maps of one metre a tile and more."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np

from datagen.core.colour import srgb_from_linear
from datagen.core.material import Material
from datagen.core.rng import stream
from datagen.materials.cache import fetch, texture_cache
from datagen.materials.colour import as_rgb, rgb_from_hex
from datagen.materials.library import Generated, unknown_material, with_maps
from datagen.materials.procedural.library import version
from datagen.materials.procedural.noise import grid, normal_from_height, power_noise, sampled, warped, worley

SIZE = 1024
COUNT = 36
KINDS = ("marble", "planks", "tiles", "concrete", "terrazzo", "slate")
COLOURS = {
    "marble": ["c9cbd0", "dedbd2", "3c3f46", "8d9690", "b9a48c", "e6e2dc"],
    "planks": ["8a5d38", "5d3a22", "b98d5c", "a98467", "3d2a1e", "c4a177"],
    "tiles": ["cfc8bb", "7d8a94", "b4694a", "9fb0a4", "55606b", "d9d4ca"],
    "concrete": ["8f8f8c", "a7a49d", "6e7072", "b8b4aa", "7d7a74", "9a9fa3"],
    "terrazzo": ["d8d3c8", "c2c6c4", "8f8a86", "e2dccf", "b5a79a", "6f7579"],
    "slate": ["3f464c", "54504c", "2f3538", "5b6464", "47423d", "6a6d6e"],
}
TILE_M = {"marble": 1.2, "planks": 0.7, "tiles": 0.5, "concrete": 2.0, "terrazzo": 0.5, "slate": 0.9}
"""Metres a repeat: toys of 0.4 m stand on boards of 10-14 cm, tiles of 12-25 cm, stones of 11 cm, chips of 1-2 cm."""
Fields = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Base colour (N, N, 3) linear, roughness (N, N), height (N, N) in tiles."""


class FloorLibrary(Generated):
    """36 procedural floors: pure functions of (seed, index), baked into the cache when used."""

    def __init__(self, seed: int, cache: Path | None = None) -> None:
        self.seed = seed
        self._cache = cache

    @cached_property
    def materials(self) -> tuple[Material, ...]:
        """Every floor, sorted by id, without maps."""
        return tuple(sorted((self._material(k) for k in range(COUNT)), key=lambda m: m.material_id))

    def _material(self, index: int) -> Material:
        kind = KINDS[index % len(KINDS)]
        rng = stream(self.seed, "floor", index)
        colour = as_rgb(np.array(rgb_from_hex(COLOURS[kind][(index // len(KINDS)) % 6])) * rng.uniform(0.85, 1.1))
        tile = TILE_M[kind]
        return Material(
            f"floor_{index:02d}_{kind}", kind, base_color=colour, mean_color=colour, roughness=0.4, specular=0.5,
            tile_size=float(tile * rng.uniform(0.85, 1.2)), licence="Apache-2.0",
        )  # fmt: skip

    def prepare(self, material_id: str) -> Material:
        """Bake the maps where they are missing. Raises MaterialError."""
        index = next((k for k in range(COUNT) if self._material(k).material_id == material_id), None)
        if index is None:
            raise unknown_material(material_id)
        material = self._material(index)
        folder = (self._cache or texture_cache()) / f"floors-{version()}" / f"seed-{self.seed}" / material_id
        return with_maps(material, fetch(folder, lambda: self._baked(index, material)))

    def _baked(self, index: int, material: Material) -> Mapping[str, np.ndarray]:
        rng = stream(self.seed, "floor-maps", index)
        base, rough, height = _MAKERS[material.material_class](np.array(material.base_color), rng)
        normal = normal_from_height(height, 1.0 / SIZE)
        return {
            "base_color": _eight(srgb_from_linear(np.clip(base, 0, 1))),
            "roughness": _eight(np.clip(rough, 0.05, 1)),
            "normal": _eight(normal * 0.5 + 0.5),
        }


def _eight(values: np.ndarray) -> np.ndarray:
    return (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)


def _tinted(tone: np.ndarray, colour: np.ndarray) -> np.ndarray:
    return np.maximum(tone[..., None] * colour, 0.004)


def _marble(colour: np.ndarray, rng: np.random.Generator) -> Fields:
    """Polished: clouds and thin dark or light veins."""
    cloud = power_noise(rng, SIZE, 0.5, 0.02, 1.3)
    bend = [0.06 * power_noise(rng, SIZE, 0.4, 0.03, 1.4) for _ in range(2)]
    veins = np.zeros((SIZE, SIZE), np.float32)
    for width, weight in ((0.05, 1.0), (0.1, 0.5)):
        ridge = np.abs(warped(power_noise(rng, SIZE, 0.45, 0.04, 1.5), *bend))
        veins += weight * np.exp(-((ridge / width) ** 2))
    sign = -0.45 if colour.mean() > 0.2 else 0.9
    tone = np.exp(0.10 * cloud + sign * np.clip(veins, 0, 1.2) * 0.6)
    rough = rng.uniform(0.10, 0.22) + 0.03 * power_noise(rng, SIZE, 0.3, 0.01, 1.0) + 0.05 * veins
    return _tinted(tone, colour), rough, 0.00005 * cloud


def _planks(colour: np.ndarray, rng: np.random.Generator) -> Fields:
    """Boards along u with joints and grain."""
    rows = int(rng.integers(5, 8))
    u, v = grid(SIZE)
    row = np.floor(v * rows).astype(int) % rows
    shift, ends = rng.random(rows), int(rng.integers(1, 3))
    along = (u * ends + shift[row]) % 1.0
    board = row * 7 + np.floor(u * ends + shift[row]).astype(int) % ends
    tint = rng.normal(0, 0.16, 64)[board % 64]
    fine = power_noise(rng, SIZE, 0.03, 0.002, 0.4, stretch_u=30)
    coarse = power_noise(rng, SIZE, 0.2, 0.01, 1.1, stretch_u=12)
    rings = sampled(np.sin(np.linspace(0, 2 * np.pi, 256, endpoint=False)), v * rows * 2.2 + 0.35 * coarse + tint * 9)
    across = np.minimum((v * rows) % 1, 1 - (v * rows) % 1) / rows
    joint = np.exp(-((np.minimum(across, np.minimum(along, 1 - along) / ends) / 0.0025) ** 2))
    tone = np.exp(tint + 0.10 * fine + 0.10 * coarse + 0.08 * rings) * (1 - 0.8 * joint)
    rough = rng.uniform(0.25, 0.45) + 0.05 * fine + 0.2 * joint
    return _tinted(tone, colour), rough, -0.0016 * joint + 0.00012 * fine


def _tiles(colour: np.ndarray, rng: np.random.Generator) -> Fields:
    """Square tiles with grout."""
    count = int(rng.integers(2, 5))
    u, v = grid(SIZE)
    du, dv = (np.minimum((w * count) % 1, 1 - (w * count) % 1) / count for w in (u, v))
    grout = np.exp(-((np.minimum(du, dv) / 0.006) ** 4))
    cell = (np.floor(u * count) * 13 + np.floor(v * count) * 7).astype(int)
    tint = rng.normal(0, 0.07, 97)[cell % 97]
    cloud = power_noise(rng, SIZE, 0.2, 0.006, 1.2)
    tone = np.exp(tint + 0.06 * cloud)
    base = _tinted(tone, colour) * (1 - grout[..., None]) + grout[..., None] * _tinted(
        np.exp(0.1 * cloud), np.full(3, 0.22)
    )
    rough = (1 - grout) * (rng.uniform(0.12, 0.35) + 0.03 * cloud) + 0.85 * grout
    return base, rough, -0.003 * grout + 0.00008 * cloud


def _concrete(colour: np.ndarray, rng: np.random.Generator) -> Fields:
    """Smears, pits and stains."""
    cloud = power_noise(rng, SIZE, 0.7, 0.02, 1.3)
    grain = power_noise(rng, SIZE, 0.02, 0.002, 0.5)
    near, _, _ = worley(rng, SIZE, 40, 0.7)
    pits = np.exp(-((near / 0.09) ** 2)) * (power_noise(rng, SIZE, 0.2, 0.02, 1.0) > 0.4)
    tone = np.exp(0.14 * cloud + 0.06 * grain) * (1 - 0.45 * pits)
    return _tinted(tone, colour), rng.uniform(0.5, 0.75) + 0.06 * cloud + 0.03 * grain, 0.0002 * grain - 0.0012 * pits


def _terrazzo(colour: np.ndarray, rng: np.random.Generator) -> Fields:
    """Chips of several colours in cement, polished."""
    base = _tinted(np.exp(0.04 * power_noise(rng, SIZE, 0.3, 0.01, 1.0)), colour)
    chips = np.zeros((SIZE, SIZE), bool)
    for cells, limit in ((24, 0.30), (48, 0.27), (96, 0.24)):
        near, second, value = worley(rng, SIZE, cells, 0.7)
        chip = (near < limit) & (second - near > 0.12) & (value > 0.3)
        palette = np.clip(colour * rng.uniform(0.3, 1.7, (8, 1)) * rng.uniform(0.8, 1.2, (8, 3)), 0.01, 0.75)
        base = np.where(chip[..., None], palette[(value * 8).astype(int) % 8], base)
        chips |= chip
    return base, rng.uniform(0.12, 0.25) + 0.04 * ~chips, np.zeros((SIZE, SIZE), np.float32)


def _slate(colour: np.ndarray, rng: np.random.Generator) -> Fields:
    """Riven flagstones of irregular outline."""
    # Broad bends alone: a warp as fine as the joints are wide folds them into curls.
    warp = tuple(0.01 * power_noise(rng, SIZE, 0.5, 0.12, 2.0) for _ in range(2))
    near, second, value = worley(rng, SIZE, 8, 0.7, warp)  # type: ignore[arg-type]
    joint = np.exp(-(((second - near) / 0.035) ** 2))
    relief = power_noise(rng, SIZE, 0.25, 0.004, 1.8)
    tone = np.exp(0.5 * (value - 0.5) + 0.12 * relief) * (1 - 0.55 * joint)
    return _tinted(tone, colour), 0.55 + 0.1 * relief + 0.2 * joint, 0.0012 * relief - 0.003 * joint


_MAKERS = {"marble": _marble, "planks": _planks, "tiles": _tiles, "concrete": _concrete, "terrazzo": _terrazzo,
           "slate": _slate}  # fmt: skip
