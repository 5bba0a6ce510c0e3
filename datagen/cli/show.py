"""`datagen show`, `datagen export` and `datagen import`: a dataset as a picture, for other tools, and of others."""

import os
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from datagen.cli.console import console as open_console
from datagen.cli.console import say
from datagen.core.errors import UsageError
from datagen.export.run import export_dataset
from datagen.importing.run import import_dataset
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


def run_export(folder: Path, to: str, out: Path, sets: Sequence[str] = ()) -> None:
    """Export and say in one line what was written. Raises as `export_dataset`."""
    console = open_console()
    found = export_dataset(folder, to, out, sets)
    for note in found.notes:
        say(console, "note", note)
    splits = ", ".join(f"{split} {count}" for split, count in found.by_split.items())
    counts = f"{found.pictures} pictures ({found.anomalous} anomalous; {splits}) and {found.instances} instances"
    console.print(f"{to}: {counts} in {out}", soft_wrap=True)


def run_import(published: Path, out: Path, split: Path | None) -> None:
    """Import and say in one line what was found. Raises as `import_dataset`."""
    console = open_console()
    found = import_dataset(published, out, split)
    for note in found.notes:
        say(console, "note", note)
    splits = ", ".join(f"{split} {count}" for split, count in found.by_split.items())
    counts = f"{found.samples} pictures ({found.anomalous} anomalous; {splits})"
    console.print(f"{found.kind}: {counts} in {out}", soft_wrap=True)


SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


def check_picture_path(out: Path, option: str = "--out") -> None:
    """Raise UsageError for a name that is no picture's, a folder, or a place that cannot be written."""
    if out.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{option} {out}: {out.suffix or 'no suffix'} is no picture format; end it in .png or .jpg")
    if out.is_dir():
        raise UsageError(f"{option} {out} is a folder; name a file in it")
    there = next(folder for folder in (out.absolute().parent, *out.absolute().parents) if folder.exists())
    if not there.is_dir():
        raise UsageError(f"{option} {out}: {there} is a file, not a folder")
    if not os.access(there, os.W_OK | os.X_OK) or (out.exists() and not os.access(out, os.W_OK)):
        raise UsageError(f"{option} {out} cannot be written; choose another place")
