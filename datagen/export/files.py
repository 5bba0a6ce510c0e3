"""Files of a dataset, put into an export without their bytes being written twice where that can be had."""

import contextlib
import os
from pathlib import Path

from datagen.store.reader import DatasetReader


def place(reader: DatasetReader, path: str, target: Path) -> None:
    """Put a file of the dataset at `target`, unchanged: a hard link where it lies loose on the same disk, else a copy.

    Raises BrokenFile where it cannot be read, FileExistsError where `target` is taken, OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    loose = reader.loose_path(path)
    if loose is not None:
        # Another disk, a file system without links, or a file of somebody else.
        with contextlib.suppress(OSError):
            if not target.exists():
                os.link(loose.resolve(), target)
                return
    data = reader.read(path)
    with target.open("xb") as stream:
        stream.write(data)


CARD, SOURCE_CARD = "DATASET_CARD.md", "README.md"
"""The dataset's card with the licences of shapes and materials, under another name in an export."""


def write_card(reader: DatasetReader, out: Path) -> None:
    """The dataset's card beside what is exported, where it has one."""
    if reader.has(SOURCE_CARD):
        (out / CARD).write_bytes(reader.read(SOURCE_CARD))
