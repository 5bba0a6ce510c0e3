"""Tidying up after crashes: work areas of dead processes, files that no log line claims."""

import contextlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from datagen.core.clutter import tidy
from datagen.store import crash
from datagen.store.log import LogEntry, any_torn, is_alive
from datagen.store.shards import FOLDER

TREES = ("images", "annotations", "shapes", "scenes")


def _work_areas(root: Path) -> list[Path]:
    return [path for path in (root / "tmp").iterdir() if path.name.count(".") >= 2]


def sweep(root: Path) -> bool:
    """Remove work areas of dead processes of this host; whether there was a trace of a crash."""
    crashed = any_torn(root / "log")
    for folder in _work_areas(root):
        if not is_alive(folder.name):
            crashed = True
            crash.point("janitor")
            shutil.rmtree(folder, ignore_errors=True)
    return crashed


def is_alone(root: Path, writer: str) -> bool:
    """Whether no other writer may be at work on the folder."""
    return all(path.name == writer for path in _work_areas(root))


def remove_orphans(root: Path, entries: Iterable[LogEntry]) -> None:
    """Delete files in the published trees that no committed row names: a crash fell before their line."""
    entries = list(entries)
    committed = {entry.job_id for entry in entries}
    for tar in tidy((root / FOLDER / "jobs").rglob("*.tar")):
        if tar.stem not in committed:
            tar.unlink()
    named = {path for entry in entries for row in entry.rows for path in row.sha256}
    for tree in TREES:
        for path in sorted((root / tree).rglob("*"), reverse=True):
            if path.is_dir():
                with contextlib.suppress(OSError):
                    path.rmdir()  # only if empty
            elif path.relative_to(root).as_posix() not in named:
                path.unlink()
