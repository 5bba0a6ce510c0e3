"""Bytes of a dataset by relative path, whether they lie loose or in tar shards."""

import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

DATA_FOLDERS = ("images", "annotations", "shapes")
"""Folders of the published layout (formats/brokenchairs.md, 1.1)."""


class Files(Protocol):
    """Read access to the published tree."""

    @property
    def names(self) -> Mapping[str, int]:
        """Relative path -> size in bytes, of everything below images/, annotations/ and shapes/."""
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
    """Files inside uncompressed tar archives, by the relative path of the loose tree."""

    names: Mapping[str, int]
    places: Mapping[str, tuple[Path, int]]
    loose: LooseFiles

    def read(self, name: str) -> bytes:
        """The bytes of one member; files beside the archives are read where they lie."""
        if name not in self.places:
            return self.loose.read(name)
        path, offset = self.places[name]
        with path.open("rb") as stream:
            stream.seek(offset)
            return stream.read(self.names[name])


def open_files(root: Path) -> LooseFiles | ShardedFiles:
    """The files of a dataset's folder. Raises OSError or tarfile.TarError on a damaged archive."""
    loose = LooseFiles(root, _walk(root))
    archives = sorted(p for folder in (root, root / "shards") if folder.is_dir() for p in folder.glob("*.tar"))
    if not archives:
        return loose
    names, places = dict(loose.names), {}
    for archive in archives:
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                if member.isreg() and member.name.partition("/")[0] in DATA_FOLDERS:
                    names[member.name] = member.size
                    places[member.name] = (archive, member.offset_data)
    return ShardedFiles(names, places, loose)


def _walk(root: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for top in DATA_FOLDERS:
        stack = [top] if (root / top).is_dir() else []
        while stack:
            folder = stack.pop()
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    name = f"{folder}/{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(name)
                    else:
                        found[name] = entry.stat().st_size
    return dict(sorted(found.items()))
