"""Data that others published, read as jobs of ours: what each kind of dataset tells whoever imports it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datagen.core.row import Row

SOURCE = "published"
"""`source` of rows: nothing here was made by a build."""


@dataclass(frozen=True, eq=False)
class ImportedJob:
    """One job: its rows, whose `sha256` name files without digests, and each file as a path on the disk or bytes."""

    job_id: str
    rows: tuple[Row, ...]
    files: Mapping[str, Path | bytes]


@dataclass(frozen=True, eq=False)
class Published:
    """A published folder. `jobs` are read as they are asked for; then `root_files` and `notes` are complete.

    `notes` say what is left out and why.
    """

    kind: str
    jobs: Iterator[ImportedJob]
    root_files: Callable[[], Mapping[str, bytes]]
    notes: Sequence[str]


Importer = Callable[[Path, Path | None], Published | None]
"""(folder, split file or None) -> what is there, None for another form. Raises UsageError, BrokenFile."""
