"""Files of a dataset, put into an export without their bytes being written twice where that can be had."""

import contextlib
import os
from pathlib import Path

from datagen.store.reader import DatasetReader


def place(reader: DatasetReader, path: str, target: Path) -> None:
    """Put a file of the dataset at `target`, unchanged: a hard link where it lies loose on the same disk, else a copy.

    What an interrupted export left at `target` is put anew. Raises BrokenFile where it cannot be read, OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # Never written through: what is there may be a link to the dataset's own file.
    target.unlink(missing_ok=True)
    data, loose = reader.read(path), reader.loose_path(path)
    if loose is not None:
        # Another disk, a file system without links, or a file of somebody else.
        with contextlib.suppress(OSError):
            os.link(loose.resolve(), target)
            return
    target.write_bytes(data)


def put(data: bytes, target: Path) -> None:
    """Write a file of the export's own, with the folders above it. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


CARD, SOURCE_CARD = "DATASET_CARD.md", "README.md"
"""The dataset's card with the licences of shapes and materials, under another name in an export."""


def write_card(reader: DatasetReader, out: Path) -> None:
    """The dataset's card beside what is exported, where it has one."""
    if reader.has(SOURCE_CARD):
        (out / CARD).write_bytes(reader.read(SOURCE_CARD))
