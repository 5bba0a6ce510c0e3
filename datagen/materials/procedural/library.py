"""The built-in library: 400 SVBRDFs in the paper's five classes (section 3.2), baked on demand."""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import PIL

from datagen.core.colour import srgb_from_linear
from datagen.core.errors import MaterialError
from datagen.core.ids import bytes_hash
from datagen.core.material import MATERIAL_CLASSES, Material
from datagen.core.rng import stream
from datagen.materials.cache import fetch, texture_cache
from datagen.materials.library import Generated, unknown_material, with_maps
from datagen.materials.procedural import fabric, leather, metal, plastic, wood
from datagen.materials.procedural.noise import normal_from_height
from datagen.materials.procedural.sheet import MAP_SIZE, Maps, Sheet

DEFAULT_COUNTS = {"wood": 120, "fabric": 80, "leather": 60, "plastic": 70, "metal": 70}
"""400 in all, as the paper uses; the shares follow what chairs are made of."""

_MAKERS = {"wood": wood, "fabric": fabric, "leather": leather, "plastic": plastic, "metal": metal}


class ProceduralLibrary(Generated):
    """Materials as pure functions of (seed, class, index); listing them bakes nothing.

    Raises MaterialError for a class that is none of the five or a negative count.
    """

    def __init__(self, seed: int, counts: Mapping[str, int] | None = None, cache: Path | None = None) -> None:
        self.seed = seed
        self.counts = dict(DEFAULT_COUNTS if counts is None else counts)
        self._cache = cache
        for name, count in self.counts.items():
            if name not in MATERIAL_CLASSES or count < 0:
                raise MaterialError(
                    f"cannot make {count} materials of class {name!r}; classes are {', '.join(MATERIAL_CLASSES)}"
                )

    @cached_property
    def _sheets(self) -> dict[str, tuple[str, int, Sheet]]:
        sheets = {}
        for name in sorted(self.counts):
            for index in range(self.counts[name]):
                sheet = draw(self.seed, name, index)
                sheets[f"{name}_{index:03d}_{sheet.kind}"] = (name, index, sheet)
        return sheets

    @cached_property
    def materials(self) -> tuple[Material, ...]:
        """Every material, sorted by id, without maps; `mean_color` is what the baked map has."""
        return tuple(self._sheets[i][2].material(i, self._sheets[i][0]) for i in sorted(self._sheets))

    def prepare(self, material_id: str) -> Material:
        """Bake the maps into the cache where they are missing. Raises MaterialError."""
        if material_id not in self._sheets:
            raise unknown_material(material_id)
        name, index, sheet = self._sheets[material_id]
        folder = (self._cache or texture_cache()) / f"procedural-{version()}" / f"seed-{self.seed}" / material_id
        baked = fetch(folder, lambda: encoded(bake(self.seed, name, index, sheet), sheet.tile_size))
        return with_maps(sheet.material(material_id, name), baked)


def draw(seed: int, material_class: str, index: int) -> Sheet:
    """The description of one procedural material."""
    return _MAKERS[material_class].draw(stream(seed, "material", material_class, index), index)


def bake(seed: int, material_class: str, index: int, sheet: Sheet, size: int = MAP_SIZE) -> Maps:
    """The fields of one procedural material, drawn from a stream of their own."""
    return _MAKERS[material_class].bake(sheet, stream(seed, "maps", material_class, index), size)


def encoded(maps: Maps, tile_size: float) -> dict[str, np.ndarray]:
    """8-bit arrays: base_color sRGB, roughness and OpenGL normal linear. Height lives on in the normal."""
    normal = normal_from_height(maps.height, tile_size / maps.height.shape[0])
    return {
        "base_color": _eight_bit(srgb_from_linear(maps.base_color)),
        "roughness": _eight_bit(maps.roughness),
        "normal": _eight_bit(normal * 0.5 + 0.5),
    }


def _eight_bit(values: np.ndarray) -> np.ndarray:
    return (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)


@lru_cache(maxsize=1)
def version() -> str:
    """Digest of the generators and of the libraries whose numbers and bytes they use."""
    folder = Path(__file__).parent
    package = folder.parents[1]
    others = ("materials/cache.py", "materials/colour.py", "core/colour.py")
    sources = [*sorted(folder.glob("*.py")), *(package / name for name in others)]
    text = b"".join(path.read_bytes() for path in sources)
    return bytes_hash(text + f"numpy {np.__version__} pillow {PIL.__version__}".encode())[:16]
