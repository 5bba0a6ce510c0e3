"""Which datasets `datagen verify` has passed: a note in the cache, by the dataset's content.

The dataset itself is not written to: another program owns it, and it may be read-only.
"""

import json
from pathlib import Path

from datagen.core.errors import EXIT_VERIFY_FAILED, DatagenError
from datagen.core.folders import cache_root
from datagen.core.ids import content_hash
from datagen.store.files import write_cache
from datagen.store.reader import DatasetReader, content_key


class UnverifiedData(DatagenError):
    """The dataset does not pass `datagen verify`."""

    exit_code = EXIT_VERIFY_FAILED


def note_path(data: DatasetReader) -> Path:
    """Where it is noted that this dataset passed."""
    return cache_root() / "verified" / f"{content_hash([str(data.root.resolve()), content_key(data)])[:32]}.json"


def has_passed(data: DatasetReader) -> bool:
    """Whether these bytes have passed before."""
    return note_path(data).is_file()


def note_passed(data: DatasetReader, digest: str) -> None:
    """Remember that they passed. A cache that cannot be written is no reason to stop."""
    write_cache(note_path(data), (json.dumps({"data": str(data.root), "byte_digest": digest}) + "\n").encode())
