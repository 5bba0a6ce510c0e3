"""The dataset that is exported: what it is called, of what kind it is, and its rows, which stay on the disk."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datagen.core.errors import UsageError
from datagen.export.unchanged import hold_to_manifest
from datagen.formats.instances import Record
from datagen.kinds.registry import Kind, kind_of, open_files
from datagen.store.reader import DatasetReader
from datagen.store.rows import committed_rows


@dataclass(frozen=True, eq=False)
class Source:
    """`rows` are those committed, sorted by (job_id, index); `notes` what is odd about where they come from."""

    name: str
    kind: Kind
    files: DatasetReader
    rows: Sequence[Record]
    notes: tuple[str, ...] = ()


def open_source(root: Path) -> Source:
    """The dataset at `root`, finished or partial. Raises UsageError where there is none, or no picture of it yet,
    BrokenFile for a picture of the manifest that is gone; a file that is read and was changed raises it too.

    Raises OSError where the temporary folder has no room for its rows.
    """
    files, found = open_files(root), committed_rows(root)
    if not found.rows:
        raise UsageError(
            f"{root} lists no rows ({found.problem}); export needs those of `datagen build`: if it made this folder, "
            "run it again; of published data `datagen import` makes a dataset"
        )
    if not any(row["row_type"] == "sample" for row in found.rows):
        raise UsageError(f"{root} holds no finished picture yet; let the build go on first")
    hold_to_manifest(files, found.rows)
    damaged = found.problem and (root / "manifest.parquet").is_file()
    notes = (f"{root / 'manifest.parquet'} cannot be read ({found.problem}); rows are those of its logs",)
    return Source(_name(root), kind_of(root), files, found.rows, notes if damaged else ())


def _name(root: Path) -> str:
    """The recipe's name, or the folder's."""
    try:
        return str(json.loads((root / "run.json").read_bytes())["recipe"]["name"])
    except (OSError, ValueError, LookupError, TypeError):
        return root.resolve().name
