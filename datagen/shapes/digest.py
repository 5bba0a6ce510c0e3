"""Content digests of files: what a job id knows of a shape before its meshes are read."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def files_digest(files: Iterable[Path], root: Path) -> str:
    """SHA-256 over (path below `root`, bytes) of files, in name order.

    A file that cannot be read counts as absent: loading it is what reports the error.
    """
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda p: p.relative_to(root).as_posix()):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()
