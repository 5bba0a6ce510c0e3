"""Which backdrop a picture gets: photographs of a folder, floors of a library, a colour."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datagen.core.backdrop import Backdrop, Photo, Plain, Tiled
from datagen.core.clutter import tidy
from datagen.core.colour import rgb_of
from datagen.core.errors import MaterialError, MissingDependency
from datagen.core.material import Material
from datagen.materials.library import MaterialLibrary
from datagen.materials.open import PROCEDURAL, open_floors
from datagen.recipe.background import BackgroundRecipe
from datagen.render.backdrop import photo_size

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp")
LEAST_EDGE = 32
WHOLE = 0.6
"""Least edge of the square that is cut out of a photo, as a share of its shorter side."""
KEY = "query.background"


def listed_photos(folder: str) -> tuple[Path, ...]:
    """Photographs of a folder, by name. Raises MissingDependency for one that is not there or holds none."""
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise MissingDependency(f"{KEY}.photos: {folder} is no folder; check the path")
    found = tuple(p for p in tidy(path.iterdir()) if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        raise MissingDependency(f"{KEY}.photos: {folder} holds no photo ({', '.join(SUFFIXES)}); name another folder")
    return found


def check_photos(folder: str) -> None:
    """Reads every photo. Raises MissingDependency by name for one that is damaged or too small."""
    for path in listed_photos(folder):
        if min(photo_size(str(path))) < LEAST_EDGE:
            raise MissingDependency(f"{KEY}.photos: {path} is smaller than {LEAST_EDGE} pixels; take it out")


def open_background_floors(name: str, seed: int) -> tuple[MaterialLibrary, tuple[Material, ...]]:
    """The library of a recipe's floor, and those of its materials that may be drawn. Raises MissingDependency."""
    try:
        if name == PROCEDURAL or Path(name).expanduser().is_dir():
            library = open_floors((name,), seed)
            return library, library.materials
        library = open_floors((PROCEDURAL,), seed)
    except MaterialError as error:
        raise MissingDependency(f"{KEY}.floor: {error.args[0]}") from error
    found = tuple(material for material in library.materials if material.material_id == name)
    if not found:
        some = ", ".join(material.material_id for material in library.materials[:4])
        raise MissingDependency(f"{KEY}.floor: {name} is neither a folder nor a floor such as {some}; check the name")
    return library, found


def draw_backdrop(
    recipe: BackgroundRecipe, photos: Sequence[Path], floors: Sequence[Material], rng: np.random.Generator
) -> Backdrop | None:
    """A backdrop of the recipe; None for white. Raises MissingDependency for a photo that is not read."""
    if recipe.colour is not None:
        return Plain(rgb_of(recipe.colour))
    if recipe.photos is not None:
        return _draw_photo(photos[int(rng.integers(len(photos)))], rng)
    if recipe.floor is not None:
        material = floors[int(rng.integers(len(floors)))]
        u, v = rng.random(2).round(6).tolist()
        return Tiled(material.material_id, round(float(rng.uniform(0, 360)), 3), (u, v))
    return None


def _draw_photo(path: Path, rng: np.random.Generator) -> Photo:
    width, height = photo_size(str(path))
    short = min(width, height)
    edge = max(min(LEAST_EDGE, short), int(rng.uniform(WHOLE, 1) * short))
    corner = int(rng.integers(width - edge + 1)), int(rng.integers(height - edge + 1))
    return Photo(str(path), corner, edge, bool(rng.integers(2)))
