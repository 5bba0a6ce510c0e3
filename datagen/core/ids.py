"""Identity is content: ids are SHA-256 digests of canonical JSON (architecture principle 3)."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

PACKAGE = Path(__file__).parents[1]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")


def canonical_json(value: Any) -> str:
    """One text for one value: sorted keys, no spaces, shortest round-trip floats, no NaN.

    Raises ValueError on NaN or infinity, TypeError on a value JSON does not know.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False, default=_plain)


def content_hash(value: Any) -> str:
    """64 hex digits of the SHA-256 of `canonical_json(value)`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def bytes_hash(data: bytes) -> str:
    """64 hex digits of the SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def arrays_hash(*arrays: np.ndarray) -> str:
    """Digest of arrays by dtype, shape and bytes."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def fraction_of_hash(value: Any) -> float:
    """A number in [0, 1) that depends on `value` alone: stable ranks and splits."""
    return int(content_hash(value)[:13], 16) / 16**13


@lru_cache(maxsize=16)
def code_hash(*sources: str) -> str:
    """SHA-256 of modules, by path below the package: what a cache holds counts only for the code that made it."""
    return bytes_hash(b"".join((PACKAGE / name).read_bytes() for name in sources))
