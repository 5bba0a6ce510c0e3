"""Textures and converted files of shapes, kept by content."""

import os
from pathlib import Path

from datagen.store.files import write_whole


def shape_cache() -> Path:
    """Where they lie: the folder `shapes` of `$DATAGEN_CACHE`, else of ~/.cache/datagen."""
    root = os.environ.get("DATAGEN_CACHE")
    return (Path(root) if root else Path.home() / ".cache" / "datagen") / "shapes"


def cached(data: bytes, digest: str, suffix: str) -> str:
    """The path of a file named by its content, whole or not there."""
    path = shape_cache() / digest[:2] / f"{digest}{suffix}"
    if not path.is_file() or path.stat().st_size != len(data):
        write_whole(path, data)
    return str(path)
