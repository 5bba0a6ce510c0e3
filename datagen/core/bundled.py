"""Folders that come with the program: beside it in a checkout, inside it in an installed wheel."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def bundled(name: str) -> Path:
    """`assets`, `recipes` or `cluster`: the checkout's folder, else the wheel's `datagen/_<name>`."""
    checkout = PACKAGE.parent / name
    return checkout if checkout.is_dir() else PACKAGE / f"_{name}"
