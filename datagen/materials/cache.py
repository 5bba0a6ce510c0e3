"""A cache of baked texture sets: whole sets appear by one rename, so any number of processes may bake.

A set is a folder of 8-bit PNG files and `set.json`, which names each file's SHA-256 and length.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from datagen.core.errors import MaterialError
from datagen.core.folders import cache_root
from datagen.core.ids import bytes_hash
from datagen.store.files import write_durable

INDEX = "set.json"


@dataclass(frozen=True)
class BakedSet:
    """Channel -> path of a PNG file, and channel -> SHA-256 of that file."""

    paths: Mapping[str, str]
    digests: Mapping[str, str]


def texture_cache() -> Path:
    """Where sets lie unless a library is told another folder."""
    return cache_root() / "materials"


def fetch(folder: Path, bake: Callable[[], Mapping[str, np.ndarray]]) -> BakedSet:
    """The set in `folder`, baked first where it is missing or damaged.

    `bake` returns channel -> uint8 array, (N, M) or (N, M, 3); equal arrays give equal bytes.
    Raises MaterialError when the cache cannot be written.
    """
    found = _read(folder)
    if found is not None:
        return found
    files = {channel: encoded_png(array) for channel, array in sorted(bake().items())}
    try:
        _publish(folder, files)
    except OSError as error:
        raise MaterialError(
            f"cannot write the texture cache {folder}: {error}; free some space or set DATAGEN_CACHE to another folder"
        ) from error
    found = _read(folder)
    if found is None:
        raise MaterialError(f"the texture cache {folder} does not hold what was written; delete it and run again")
    return found


def encoded_png(array: np.ndarray) -> bytes:
    """PNG bytes of a uint8 array, (N, M) grey or (N, M, 3) colour; no metadata, so they repeat."""
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()


def _read(folder: Path) -> BakedSet | None:
    try:
        entries = json.loads((folder / INDEX).read_text())
        complete = all((folder / name).stat().st_size == size for name, (_, size) in entries.items())
    except (OSError, ValueError):
        return None
    if not complete:
        return None
    stems = {name: Path(name).stem for name in sorted(entries)}
    return BakedSet(
        {stem: str(folder / name) for name, stem in stems.items()},
        {stem: entries[name][0] for name, stem in stems.items()},
    )


def _publish(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write beside, then rename; whoever comes second throws its copy away."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        index = {f"{channel}.png": (bytes_hash(data), len(data)) for channel, data in files.items()}
        for channel, data in files.items():
            write_durable(temporary / f"{channel}.png", data)
        write_durable(temporary / INDEX, json.dumps(index, sort_keys=True).encode())
        temporary.chmod(0o755)
        _move(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _move(temporary: Path, folder: Path) -> None:
    for _ in range(3):
        try:
            temporary.rename(folder)
            return
        except OSError:
            if _read(folder) is not None:
                return
            damaged = Path(tempfile.mkdtemp(prefix=".damaged.", dir=folder.parent))
            try:
                folder.rename(damaged / folder.name)
            except FileNotFoundError:
                pass
            finally:
                shutil.rmtree(damaged, ignore_errors=True)
