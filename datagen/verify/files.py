"""Bytes of a dataset by relative path, whether they lie loose or in tar shards."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from datagen.core.clutter import is_clutter, tidy
from datagen.store.shards import Place, ShardReader, members, read_place

DATA_FOLDERS = ("images", "annotations", "shapes", "scenes")
"""Folders of the published layouts: chairs (formats/brokenchairs.md, 1.1) and scenes."""


class Files(Protocol):
    """Read access to the published tree."""

    @property
    def names(self) -> Mapping[str, int]:
        """Relative path -> size in bytes, of everything below the data folders."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of one file. Raises OSError when it is not there or cannot be read."""
        ...


@dataclass(frozen=True)
class LooseFiles:
    """Files as they lie in the folders."""

    root: Path
    names: Mapping[str, int]

    def read(self, name: str) -> bytes:
        """The bytes of one file below the root."""
        return (self.root / name).read_bytes()


@dataclass(frozen=True)
class ShardedFiles:
    """Files inside tar shards, by the relative path of the loose tree; what lies loose is read where it lies."""

    names: Mapping[str, int]
    places: Mapping[str, Place]
    loose: LooseFiles

    def read(self, name: str) -> bytes:
        """The bytes of one file, in a shard or loose."""
        place = self.places.get(name)
        return read_place(self.loose.root, place) if place else self.loose.read(name)


def open_files(root: Path) -> LooseFiles | ShardedFiles:
    """The files of a dataset's folder. Raises OSError, UsageError on a damaged archive or index.

    Archives without an index (copied alone, or beside images/) are listed one by one.
    """
    loose = LooseFiles(root, _walk(root))
    places = dict(ShardReader(root).places)
    if not places:
        for archive in tidy([*root.glob("*.tar"), *(root / "shards").glob("*.tar")]):
            places |= members(root, archive.relative_to(root).as_posix())
    places = {
        name: place
        for name, place in places.items()
        if name.partition("/")[0] in DATA_FOLDERS and not any(map(is_clutter, name.split("/")))
    }
    if not places:
        return loose
    names = {**loose.names, **{name: place.size for name, place in places.items()}}
    return ShardedFiles(dict(sorted(names.items())), places, loose)


def _walk(root: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for top in DATA_FOLDERS:
        stack = [top] if (root / top).is_dir() else []
        while stack:
            folder = stack.pop()
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    if is_clutter(entry.name):
                        continue
                    name = f"{folder}/{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(name)
                    else:
                        found[name] = entry.stat().st_size
    return dict(sorted(found.items()))
