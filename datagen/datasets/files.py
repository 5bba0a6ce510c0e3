"""Where a dataset's files come from: a folder, or tar shards with the same relative paths inside."""

import hashlib
import os
import tarfile
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from datagen.core.clutter import is_clutter, tidy
from datagen.core.errors import UsageError

Stamp = tuple[str, int, int]
"""A file's relative path, size in bytes and time of change in ns."""
FOLDERS = ("annotations", "images", "shapes")
"""Where a dataset's files lie, but for the few at its root."""


class BrokenSample(UsageError):
    """A file of the dataset that cannot be used; training on the rest would hide it."""


class Files(Protocol):
    """Read-only access by relative path; safe to share with worker processes."""

    root: Path

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises BrokenSample naming it when it is not there."""

    def list(self, folder: str) -> list[str]:
        """Sorted relative paths of the files at any depth below `folder`."""

    def has(self, path: str) -> bool:
        """Whether the file is there."""

    def stamps(self) -> Iterator[Stamp]:
        """Of every file a sample can come from, or of the shards. Raises BrokenSample naming what cannot be read."""


def _read_whole(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BrokenSample(f"{path}: {error.strerror}; restore the file and run again") from error


class FolderFiles:
    """A dataset's folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str) -> bytes:
        return _read_whole(self.root / path)

    def list(self, folder: str) -> list[str]:
        return sorted(path for path, _ in _walk(self.root / folder, folder))

    def has(self, path: str) -> bool:
        return (self.root / path).is_file()

    def stamps(self) -> Iterator[Stamp]:
        return _stamps_below(self.root)


def _walk(folder: Path, relative: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    if not folder.is_dir():
        return
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_clutter(entry.name):
                    continue
                if entry.is_dir():
                    yield from _walk(Path(entry.path), f"{relative}/{entry.name}")
                else:
                    yield f"{relative}/{entry.name}", entry
    except OSError as error:
        raise BrokenSample(f"{error.filename or folder}: {error.strerror}; restore it and run again") from error


def _stamps_below(root: Path) -> Iterator[Stamp]:
    for folder in FOLDERS:
        for path, entry in _walk(root / folder, folder):
            try:
                told = entry.stat()
            except OSError as error:
                raise BrokenSample(f"{entry.path}: {error.strerror}; restore the file and run again") from error
            yield path, told.st_size, told.st_mtime_ns


class TarFiles:
    """Tar shards: members are found once and read by offset; nothing is unpacked."""

    def __init__(self, root: Path, shards: list[Path]) -> None:
        self.root, self.shards = root, shards
        self._place: dict[str, tuple[Path, int, int]] = {}
        for shard in shards:
            try:
                with tarfile.open(shard, "r:") as tar:
                    for member in tar:
                        if member.isreg() and not any(map(is_clutter, member.name.removeprefix("./").split("/"))):
                            self._place[member.name.removeprefix("./")] = (shard, member.offset_data, member.size)
            except (tarfile.TarError, OSError) as error:
                raise BrokenSample(f"{shard}: {error}; fetch or build the shard again") from error
        self._names = sorted(self._place)

    def read(self, path: str) -> bytes:
        if path not in self._place:
            if (self.root / path).is_file():
                return _read_whole(self.root / path)
            raise BrokenSample(f"{path} is in no shard of {self.root}; a shard may be missing")
        shard, offset, size = self._place[path]
        try:
            with shard.open("rb") as stream:
                stream.seek(offset)
                data = stream.read(size)
        except OSError as error:
            raise BrokenSample(f"{shard}: {error.strerror}; restore the shard and run again") from error
        if len(data) != size:
            raise BrokenSample(f"{shard}: ends inside {path}; fetch or build the shard again")
        return data

    def list(self, folder: str) -> list[str]:
        # What begins with "folder/" stands together in the sorted names, before "folder0": 0 follows / in Unicode.
        return self._names[bisect_left(self._names, f"{folder}/") : bisect_left(self._names, f"{folder}0")]

    def has(self, path: str) -> bool:
        return path in self._place or (self.root / path).is_file()

    def stamps(self) -> Iterator[Stamp]:
        for shard in self.shards:
            try:
                told = shard.stat()
            except OSError as error:
                raise BrokenSample(f"{shard}: {error.strerror}; restore the shard and run again") from error
            yield shard.relative_to(self.root).as_posix(), told.st_size, told.st_mtime_ns
        yield from _stamps_below(self.root)  # A file that no shard holds is read from beside them.


def open_files(root: Path) -> Files:
    """The files of a dataset's folder; tar shards lie in it or in its `shards` folder.

    Raises UsageError when there is no dataset.
    """
    if not root.is_dir():
        raise UsageError(f"{root} is no folder; give a dataset's folder to --data")
    if (root / "images").is_dir():
        return FolderFiles(root)
    shards = tidy([*root.glob("*.tar"), *root.glob("shards/*.tar")])
    if shards:
        return TarFiles(root, shards)
    raise UsageError(f"{root} holds neither images/ nor tar shards; is it a dataset made by `datagen build`?")


def content_key(files: Files, *, times: bool = True) -> str:
    """64 hex digits that say what a dataset is, wherever it lies.

    The bytes of manifest.parquet, which holds the digest of every other file, and of split.json. Where there is no
    manifest (published data): split.json, and the path, size and time of change of every file or shard, from one
    walk; without `times` a copy that did not keep them is the same dataset.
    Raises BrokenSample naming a file that cannot be read.
    """
    digest = hashlib.sha256()
    for name in ("manifest.parquet", "split.json"):
        data = files.read(name) if files.has(name) else b""
        digest.update(f"{name} {len(data)}\n".encode() + data)
    if not files.has("manifest.parquet"):
        for path, size, changed_ns in sorted(files.stamps()):
            digest.update(os.fsencode(path) + f"\0{size} {changed_ns if times else 0}\n".encode())
    return digest.hexdigest()
