"""What a class module hands over: a description (`Sheet`) drawn first, and `Maps` baked from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from datagen.core.colour import lab_from_linear, linear_from_lab, luminance
from datagen.core.material import Material
from datagen.materials.colour import RGB, as_rgb, darkened, rgb_from_hex

MAP_SIZE = 512
"""Texels along a map's edge: at 256 px a texel of a 0.5-unit tile is a ninth of a pixel."""
MAX_TEXEL_LUMINANCE = 0.6
"""No texel is brighter, so that no speck of a chair is taken for background."""


@dataclass(frozen=True)
class Sheet:
    """One procedural material before its maps: constants of `Material`, and the generator's parameters."""

    kind: str
    mean_color: RGB
    roughness: float
    metallic: float = 0.0
    specular: float = 0.5
    sheen: float = 0.0
    coat: float = 0.0
    tile_size: float = 0.5
    values: Mapping[str, float] = field(default_factory=dict)

    def material(self, material_id: str, material_class: str) -> Material:
        """The material this sheet describes, without maps."""
        return Material(
            material_id=material_id,
            material_class=material_class,
            base_color=self.mean_color,
            roughness=self.roughness,
            metallic=self.metallic,
            specular=self.specular,
            sheen=self.sheen,
            coat=self.coat,
            tile_size=self.tile_size,
            mean_color=self.mean_color,
            source="procedural",
            licence="Apache-2.0",
        )


@dataclass(frozen=True)
class Maps:
    """Baked fields: base_color (N, N, 3) linear, roughness (N, N), height (N, N) in object units."""

    base_color: np.ndarray
    roughness: np.ndarray
    height: np.ndarray


def palette(text: str) -> tuple[str, ...]:
    """sRGB hex colours from a text of six-digit words."""
    return tuple(text.split())


def tinted(field: np.ndarray, mean: RGB) -> np.ndarray:
    """A relative colour field (N, N, 3) or (N, N), scaled to the mean `mean`.

    Texels brighter than `MAX_TEXEL_LUMINANCE` are dimmed to it.
    """
    if field.ndim == 2:
        field = field[..., None]
    field = np.maximum(field, 0.02)
    for _ in range(2):
        field = field * (np.array(mean, dtype=np.float32) / field.reshape(-1, field.shape[-1]).mean(axis=0))
        level = luminance(field)
        field = field * np.minimum(1, MAX_TEXEL_LUMINANCE / np.maximum(level, 1e-6))[..., None]
    return field.astype(np.float32)


def varied(rng: np.random.Generator, hex_colour: str, lightness: float = 4.0, chroma: float = 0.1) -> RGB:
    """A palette colour with a small change of lightness (CIELAB L), chroma and hue, never too bright."""
    lab = lab_from_linear(np.array(rgb_from_hex(hex_colour)))
    turn = np.radians(rng.normal(0, 2.5))
    gain = 1 + rng.uniform(-chroma, chroma)
    a, b = gain * (np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ lab[1:])
    light = np.clip(lab[0] + rng.uniform(-lightness, lightness), 8, 92)
    return darkened(as_rgb(np.maximum(linear_from_lab(np.array([light, a, b])), 0.004)))
