"""Textures and converted files of shapes, kept by content."""

from pathlib import Path

from datagen.core.cache import cache_root
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
