"""Files of a dataset held to what its manifest says of them: an export of what was damaged since is refused."""

from array import array
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from datagen.core.errors import BrokenFile
from datagen.core.ids import bytes_hash
from datagen.formats.instances import Record
from datagen.store.reader import DatasetReader

DIGITS = 16
"""Hexadecimal digits of a digest that are kept: sixteen bytes a file, with its path's."""
PICTURES = ".png"


class Digests:
    """Digests of files by their paths, 16 bytes a file."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        """`pairs`: path and SHA-256, of 64 hexadecimal digits."""
        told = array("Q")
        for path, digest in pairs:
            told.extend((_short(bytes_hash(path.encode())), _short(digest)))
        found = np.frombuffer(told, np.uint64).reshape(-1, 2)
        order = np.argsort(found[:, 0], kind="stable")
        self._paths, self._digests = found[order, 0], found[order, 1]

    def agrees(self, path: str, data: bytes) -> bool:
        """Whether a file's bytes are those of its digest; true of a file without one."""
        key = np.uint64(_short(bytes_hash(path.encode())))
        place = int(np.searchsorted(self._paths, key))
        if place == len(self._paths) or self._paths[place] != key:
            return True
        return bool(self._digests[place] == np.uint64(_short(bytes_hash(data))))


def _short(digest: str) -> int:
    return int(digest[:DIGITS], 16)


def hold_to_manifest(files: DatasetReader, rows: Iterable[Record]) -> None:
    """From here on reading a file that is not what its row says raises BrokenFile; a picture that is gone does now."""

    def told() -> Iterable[tuple[str, str]]:
        for row in rows:
            for path, digest in dict(row.get("sha256") or {}).items():
                if path.endswith(PICTURES) and not files.has(path):
                    raise BrokenFile(f"{files.root}/{path}: named by the manifest and not there; {_next(files.root)}")
                if digest:
                    yield path, digest

    known = Digests(told())

    def check(path: str, data: bytes) -> None:
        if not known.agrees(path, data):
            raise BrokenFile(f"{files.root}/{path}: is not what the manifest says of it; {_next(files.root)}")

    files.hold_to(check)


def _next(root: Path) -> str:
    return f"datagen verify {root} says what else was changed; run its build again, or restore the files"
