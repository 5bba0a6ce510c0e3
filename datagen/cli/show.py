"""`datagen show`: what a dataset holds, as one picture."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from datagen.cli.console import console as open_console
from datagen.cli.outfile import check_picture_path
from datagen.core.errors import UsageError
from datagen.kinds.registry import kind_of
from datagen.store.manifest import read_manifest
from datagen.store.reader import DatasetReader


def run_show(folder: Path, wanted: Sequence[str], out: Path, sheet: int | None) -> None:
    """Write one picture. Raises UsageError when the folder or the sample is not there."""
    check_picture_path(out)
    if not (folder / "manifest.parquet").is_file():
        raise UsageError(f"{folder} has no manifest.parquet; is it a finished datagen dataset?")
    rows = read_manifest(folder)
    shown = kind_of(folder).sheet(DatasetReader(folder), rows, wanted, sheet)
    if shown.picture is None:
        gone = sum(row["row_type"] == "quarantine" for row in rows)
        why = f": {gone} jobs are quarantined, datagen status {folder} says why" if gone else ""
        raise UsageError(f"{folder} holds no sample{why}")
    out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(shown.picture).save(out)
    open_console().print(f"{shown.words} in {out}", soft_wrap=True)
