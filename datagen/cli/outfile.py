"""Pictures that a command is to write: whether that can be done, asked before the work."""

import os
from pathlib import Path

from datagen.core.errors import UsageError

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
