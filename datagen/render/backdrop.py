"""Flat backdrops as pictures: what stands behind the object before its shadow falls on it."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from datagen.core.backdrop import Backdrop, Photo, Plain, Tiled
from datagen.core.errors import MissingDependency
from datagen.formats.images import ImageError
from datagen.formats.photo_file import read_photo_file


def flat(backdrop: Backdrop | None, size: int) -> np.ndarray:
    """(size, size, 3) sRGB in 0..1; white without a backdrop. Raises MissingDependency for a photo that is not read."""
    match backdrop:
        case Photo():
            return _cut(backdrop, size)
        case Plain():
            return np.broadcast_to(np.array(backdrop.color), (size, size, 3)).copy()
        case Tiled():
            raise ValueError("a tiled ground has to be rendered")
    return np.ones((size, size, 3))


@lru_cache(maxsize=4)
def _photo(path: str) -> Image.Image:
    try:
        return read_photo_file(Path(path)).picture.convert("RGB")
    except ImageError as error:
        raise MissingDependency(f"query.background.photos: {error.args[0]}; take it out of the folder") from error


def photo_size(path: str) -> tuple[int, int]:
    """Width and height of a photograph as it stands upright. Raises MissingDependency for one that is not read."""
    return _photo(path).size


def _cut(photo: Photo, size: int) -> np.ndarray:
    x, y = photo.corner
    box = (x, y, x + photo.edge, y + photo.edge)
    found = np.asarray(_photo(photo.path).resize((size, size), Image.Resampling.BICUBIC, box)) / 255
    return found[:, ::-1] if photo.is_mirrored else found
