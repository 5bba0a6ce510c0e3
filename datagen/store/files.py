"""Durable file operations: what is renamed into place is whole and on the disk."""

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def write_durable(path: Path, data: bytes) -> None:
    """Write and fsync a new file."""
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def sync_folders(folders: Iterable[Path]) -> None:
    """Fsync folders, so that the names in them are on the disk."""
    for folder in sorted(set(folders)):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def replace_atomic(path: Path, data: bytes, workspace: Path) -> None:
    """Put `data` at `path` by temp file, fsync and rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = workspace / f"{path.name}.part"
    write_durable(temporary, data)
    temporary.replace(path)
    sync_folders([path.parent])


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` at `path` by temp file and rename: whole or not there, though a power cut may lose it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
    Path(name).replace(path)


def write_cache(path: Path, data: bytes) -> None:
    """The same where a file that cannot be written costs time, not the build."""
    with contextlib.suppress(OSError):
        write_whole(path, data)
