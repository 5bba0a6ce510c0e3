"""Depth of views of scenes, as their files hold it."""

from collections.abc import Callable

import numpy as np

from datagen.core.errors import BrokenFile
from datagen.formats.exr import ExrError, read_exr
from datagen.formats.instances import Picture
from datagen.formats.oddoneout import BACKGROUND_DEPTH
from datagen.formats.solids import Depth, Rows
from datagen.store.reader import DatasetReader


def scene_depths(reader: DatasetReader, rows: Rows, shapes: str) -> Callable[[Picture], Depth]:
    """Metres; no shapes are needed."""
    by_id = {row["sample_id"]: k for k, row in enumerate(rows) if row["row_type"] == "sample"}

    def depth(picture: Picture) -> Depth:
        return Depth(read_depth(reader, picture.path), np.reshape(rows[by_id[picture.sample_id]]["K"], (3, 3)))

    return depth


def read_depth(reader: DatasetReader, rgb: str) -> np.ndarray:
    """z-depth (H, W) in metres of the view whose picture is at `rgb`, 0 for the background. Raises BrokenFile."""
    folder, _, name = rgb.rsplit("/", 2)
    path = f"{folder}/depth_exr/{name.removesuffix('.png')}.exr"
    try:
        depth = next(iter(read_exr(reader.read(path), path).values())).astype(np.float64)
    except ExrError as error:
        raise BrokenFile(f"{reader.root / path}: {error}; build the scene again") from error
    return np.where(depth < BACKGROUND_DEPTH / 2, depth, 0.0)
