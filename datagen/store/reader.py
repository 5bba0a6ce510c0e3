"""The one way to read a dataset's folder: names, bytes and stamps, of loose files, a job's tar or shards alike.

Whoever reads a dataset (verify, training, merge, show, export) goes through a `DatasetReader`; nobody else asks how
the files lie on the disk.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from datagen.core.clutter import is_clutter, tidy
from datagen.core.errors import BrokenFile, UsageError
from datagen.store.places import Places, TarPlace
from datagen.store.shards import FOLDER as SHARDS
from datagen.store.shards import iter_places, members, read_place

Stamp = tuple[str, int, int]
"""A file's relative path, size in bytes and time of change in ns."""
OWN_FOLDERS = frozenset({"log", "tmp", SHARDS})
"""What the store keeps for itself below a dataset's folder."""


class DatasetReader:
    """Read-only access by relative path; safe to share with threads and worker processes.

    A loose file counts before one of the same path in a tar; tars without an index count where no folder of data
    lies loose. `folders` are those that hold data, by default every
    folder but the store's own; the few files at the root are read by `read` and are not listed.
    Raises UsageError for a root that is no folder, BrokenFile for an archive that cannot be read.
    """

    def __init__(self, root: Path, folders: Sequence[str] | None = None) -> None:
        if not root.is_dir():
            raise UsageError(f"{root} is no folder; give a dataset's folder")
        self.root = root
        self._folders = folders
        self._check: Callable[[str, bytes], None] | None = None
        alone = not self._loose_folders
        self._places = Places((name, place) for name, place in _packed(root, alone) if self._is_data(name))

    def _is_data(self, name: str) -> bool:
        words = name.split("/")
        if len(words) < 2 or any(map(is_clutter, words)):
            return False
        return words[0] in self._folders if self._folders is not None else words[0] not in OWN_FOLDERS

    @cached_property
    def _loose_folders(self) -> tuple[str, ...]:
        """Folders of data that lie loose, sorted."""
        if self._folders is not None:
            return tuple(sorted(name for name in self._folders if (self.root / name).is_dir()))
        found = (path.name for path in tidy(self.root.iterdir()) if path.is_dir())
        return tuple(name for name in found if name not in OWN_FOLDERS)

    @property
    def is_packed(self) -> bool:
        """Whether any file lies in a tar."""
        return bool(self._places)

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a folder of data nor a tar."""
        return not self._places and not self._loose_folders

    @property
    def holds_files(self) -> bool:
        """Whether the data folders or tars hold any file. Raises BrokenFile."""
        return bool(self._places) or any(True for name in self._loose_folders for _ in _walk(self.root / name, name))

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """Path -> bytes of every file of the data folders, sorted; one walk. Raises BrokenFile."""
        found = {name: place.size for name, place in self._places.items()}
        for folder in self._loose_folders:
            found |= {path: _told(entry).st_size for path, entry in _walk(self.root / folder, folder)}
        return dict(sorted(found.items()))

    def hold_to(self, check: Callable[[str, bytes], None]) -> None:
        """Give every file that is read from here on, its path and its bytes, to `check`, which may raise."""
        self._check = check

    def read(self, path: str) -> bytes:
        """The bytes of a file, also of one at the root. Raises BrokenFile naming it when it cannot be read."""
        data = self._bytes(path)
        if self._check is not None:
            self._check(path, data)
        return data

    def _bytes(self, path: str) -> bytes:
        place = self._places.get(path)
        if place is not None and not self._is_loose(path):
            return self._from_tar(path, place)
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError as error:
            if self._places:
                raise BrokenFile(f"{path} is in no shard of {self.root}; a shard may be missing") from error
            raise BrokenFile(f"{self.root / path}: {error.strerror}; restore the file and run again") from error
        except OSError as error:
            raise BrokenFile(f"{self.root / path}: {error.strerror}; restore the file and run again") from error

    def loose_path(self, path: str) -> Path | None:
        """Where a file of the data folders lies on the disk by itself; None for one in a tar, or absent."""
        return self.root / path if self._is_loose(path) else None

    def _is_loose(self, path: str) -> bool:
        return path.partition("/")[0] in self._loose_folders and (self.root / path).is_file()

    def _from_tar(self, path: str, place: TarPlace) -> bytes:
        shard = self.root / place.shard
        try:
            data = read_place(self.root, place)
        except OSError as error:
            raise BrokenFile(f"{shard}: {error.strerror}; restore the shard and run again") from error
        if len(data) != place.size:
            raise BrokenFile(f"{shard}: ends inside {path}; fetch or build the shard again")
        return data

    def has(self, path: str) -> bool:
        """Whether the file is there."""
        return path in self._places or (self.root / path).is_file()

    def list(self, folder: str) -> list[str]:
        """Sorted paths of the files at any depth below `folder`, which alone is walked. Raises BrokenFile."""
        packed = self._places.below(folder)
        if folder.partition("/")[0] not in self._loose_folders:
            return packed
        return sorted({*packed, *(path for path, _ in _walk(self.root / folder, folder))})

    def stamps(self, below: Sequence[str] | None = None) -> Iterator[Stamp]:
        """Of every loose file, or of those `below` some folders alone, and every shard.

        Raises BrokenFile naming what cannot be read.
        """
        for shard in self._places.shards:
            try:
                told = (self.root / shard).stat()
            except OSError as error:
                raise BrokenFile(f"{self.root / shard}: {error.strerror}; restore the shard and run again") from error
            yield shard, told.st_size, told.st_mtime_ns
        folders = self._loose_folders if below is None else below
        for folder in (name for name in folders if name.partition("/")[0] in self._loose_folders):
            for path, entry in _walk(self.root / folder, folder):
                told = _told(entry)
                yield path, told.st_size, told.st_mtime_ns


def content_key(reader: DatasetReader, *, times: bool = True) -> str:
    """64 hex digits that say what a dataset is, wherever it lies.

    The bytes of manifest.parquet, which holds the digest of every other file, of split.json, and of pairs.parquet where
    there is one. Without a manifest (published data): split.json, and the path, size and time of change of every file
    or shard, from one walk; without `times` a copy that did not keep them is the same dataset.
    Raises BrokenFile naming a file that cannot be read.
    """
    digest = hashlib.sha256()
    names = ["manifest.parquet", "split.json"]
    # Left out where it is not there: the keys of other datasets stay as they were.
    names += ["pairs.parquet"] if reader.has("pairs.parquet") else []
    for name in names:
        data = reader.read(name) if reader.has(name) else b""
        digest.update(f"{name} {len(data)}\n".encode() + data)
    if not reader.has("manifest.parquet"):
        for path, size, changed_ns in sorted(reader.stamps()):
            digest.update(os.fsencode(path) + f"\0{size} {changed_ns if times else 0}\n".encode())
    return digest.hexdigest()


def files_key(reader: DatasetReader, below: Sequence[str] | None = None) -> str:
    """64 hex digits of a folder's files as they lie there now: `content_key`, and path, size and time of change of
    every file, or of those `below` some folders alone. What is made of the files is made anew when one changes.

    Raises BrokenFile naming a file that cannot be read.
    """
    key = content_key(reader)
    if not reader.has("manifest.parquet"):
        # It tells every file as it is, from a walk that need not be made again.
        return key
    digest = hashlib.sha256(key.encode())
    for path, size, changed_ns in sorted(reader.stamps(below)):
        digest.update(os.fsencode(path) + f"\0{size} {changed_ns}\n".encode())
    return digest.hexdigest()


def _packed(root: Path, alone: bool) -> Iterator[tuple[str, TarPlace]]:
    """Places by the index and in jobs' tars; archives that were copied `alone` are listed one by one."""
    try:
        found = False
        for name, place in iter_places(root):
            found = True
            yield name.removeprefix("./"), place
        if alone and not found:
            for archive in tidy([*root.glob("*.tar"), *(root / SHARDS).glob("*.tar")]):
                for name, place in members(root, archive.relative_to(root).as_posix()).items():
                    yield name.removeprefix("./"), place
    except UsageError as error:
        raise BrokenFile(f"{error.args[0]}; fetch or build it again") from error


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
        raise BrokenFile(f"{error.filename or folder}: {error.strerror}; restore it and run again") from error


def _told(entry: os.DirEntry[str]) -> os.stat_result:
    try:
        return entry.stat()
    except OSError as error:
        raise BrokenFile(f"{entry.path}: {error.strerror}; restore the file and run again") from error
