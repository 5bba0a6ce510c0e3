"""Depth of views of scenes, as their files hold it."""

from collections.abc import Callable

import numpy as np

from datagen.formats.instances import Picture
from datagen.formats.oddoneout import read_depth
from datagen.formats.solids import Depth, Rows
from datagen.store.reader import DatasetReader


def scene_depths(reader: DatasetReader, rows: Rows, shapes: str) -> Callable[[Picture], Depth]:
    """Metres; no shapes are needed."""
    by_id = {row["sample_id"]: k for k, row in enumerate(rows) if row["row_type"] == "sample"}

    def depth(picture: Picture) -> Depth:
        return Depth(read_depth(reader, picture.path), np.reshape(rows[by_id[picture.sample_id]]["K"], (3, 3)))

    return depth
