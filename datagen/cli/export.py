"""`datagen export`: a dataset written in a format that other tools read."""

from pathlib import Path

from datagen.cli.console import console as open_console
from datagen.export.run import export_dataset


def run_export(folder: Path, to: str, out: Path) -> None:
    """Export and say in one line what was written. Raises as `export_dataset`."""
    found = export_dataset(folder, to, out)
    splits = ", ".join(f"{split} {count}" for split, count in found.by_split.items())
    counts = f"{found.pictures} pictures ({found.anomalous} anomalous; {splits}) and {found.instances} instances"
    open_console().print(f"{to}: {counts} in {out}", soft_wrap=True)
