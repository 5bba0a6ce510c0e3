"""Where a dataset's files come from: a folder, or tar shards with the same relative paths inside."""

import os
import tarfile
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from datagen.core.errors import UsageError


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
        return sorted(_walk(self.root / folder, folder))

    def has(self, path: str) -> bool:
        return (self.root / path).is_file()


def _walk(folder: Path, relative: str) -> Iterator[str]:
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _walk(Path(entry.path), f"{relative}/{entry.name}")
            elif not entry.name.startswith("."):
                yield f"{relative}/{entry.name}"


class TarFiles:
    """Tar shards: members are found once and read by offset; nothing is unpacked."""

    def __init__(self, root: Path, shards: list[Path]) -> None:
        self.root = root
        self._place: dict[str, tuple[Path, int, int]] = {}
        for shard in shards:
            try:
                with tarfile.open(shard, "r:") as tar:
                    for member in tar:
                        if member.isreg():
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


def open_files(root: Path) -> Files:
    """The files of a dataset's folder; tar shards lie in it or in its `shards` folder.

    Raises UsageError when there is no dataset.
    """
    if not root.is_dir():
        raise UsageError(f"{root} is no folder; give a dataset's folder to --data")
    if (root / "images").is_dir():
        return FolderFiles(root)
    shards = sorted([*root.glob("*.tar"), *root.glob("shards/*.tar")])
    if shards:
        return TarFiles(root, shards)
    raise UsageError(f"{root} holds neither images/ nor tar shards; is it a dataset made by `datagen build`?")
