"""Folders of the program: those that come with it, and where everything that can be made again is kept."""

import os
from pathlib import Path


def cache_root() -> Path:
    """`$DATAGEN_CACHE`, else the folder `datagen` of `$XDG_CACHE_HOME`, else ~/.cache/datagen; it need not exist."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("DATAGEN_CACHE") or home / "datagen")


PACKAGE = Path(__file__).resolve().parents[1]


def bundled(name: str) -> Path:
    """`assets`, `recipes` or `cluster`: the checkout's folder, else the wheel's `datagen/_<name>`."""
    checkout = PACKAGE.parent / name
    return checkout if checkout.is_dir() else PACKAGE / f"_{name}"
