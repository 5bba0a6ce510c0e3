"""Content digests of files: what a job id knows of a shape before its meshes are read."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path


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
