"""Depth of views of scenes, as their files hold it."""

from collections.abc import Callable

import numpy as np

from datagen.formats.instances import Picture
from datagen.formats.oddoneout import read_depth
from datagen.formats.solids import Depth, Rows
from datagen.store.reader import DatasetReader


def scene_depths(reader: DatasetReader, rows: Rows, shapes: str) -> Callable[[Picture], Depth]:
    """Metres; no shapes are needed."""
    K = {row["sample_id"]: np.reshape(row["K"], (3, 3)) for row in rows if row["row_type"] == "sample"}
    return lambda picture: Depth(read_depth(reader, picture.path), K[picture.sample_id])
