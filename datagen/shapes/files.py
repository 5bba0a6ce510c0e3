"""Files of shapes: their content digests, and a cache of what is made of them."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from datagen.core.folders import cache_root
from datagen.store.files import write_whole


def shape_cache() -> Path:
    """Where they lie."""
    return cache_root() / "shapes"


def cached(data: bytes, digest: str, suffix: str) -> str:
    """The path of a file named by its content, whole or not there."""
    path = shape_cache() / digest[:2] / f"{digest}{suffix}"
    if not path.is_file() or path.stat().st_size != len(data):
        write_whole(path, data)
    return str(path)


def files_digest(files: Iterable[Path], root: Path) -> str:
    """SHA-256 over (path as seen from `root`, bytes) of files, in name order, each once.

    A file that cannot be read counts as absent: loading it is what reports the error.
    """
    digest = hashlib.sha256()
    named = {Path(os.path.relpath(path, root)).as_posix(): path for path in files}
    for name, path in sorted(named.items()):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        digest.update(f"{name}\0{len(data)}\0".encode("utf-8", "surrogateescape"))
        digest.update(data)
    return digest.hexdigest()
