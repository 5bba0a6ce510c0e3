"""Durable file operations: what is renamed into place is whole and on the disk."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4


def write_durable(path: Path, data: bytes) -> None:
    """Write and fsync a new file."""
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def sync_folders(folders: Iterable[Path]) -> None:
    """Fsync folders, so that the names in them are on the disk."""
    for folder in sorted(set(folders)):
        _sync(folder)


def publish(temporary: Path, path: Path) -> None:
    """Rename a whole file to `path`, on the disk with its name before this returns."""
    _sync(temporary)
    temporary.replace(path)
    _sync(path.parent)


def replace_atomic(path: Path, data: bytes, workspace: Path) -> None:
    """Put `data` at `path` by temp file, fsync and rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = workspace / f"{path.name}.part"
    temporary.write_bytes(data)
    publish(temporary, path)


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` at `path` by temp file and rename: whole or not there, though a power cut may lose it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid4().hex}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_cache(path: Path, data: bytes) -> None:
    """The same where a file that cannot be written costs time, not the build."""
    with contextlib.suppress(OSError):
        write_whole(path, data)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
