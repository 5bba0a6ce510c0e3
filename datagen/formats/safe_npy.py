"""Read the published `.npy`, a pickled dict of arrays, without running what a pickle may run."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from datagen.core.errors import DatagenError

ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}
"""The only names a pickled dict of arrays needs."""
AS_ARRAY = {("trimesh.caching", "TrackedArray"), ("trimesh.caching", "tracked_array")}
"""Array subclasses in the published files: read as plain arrays."""


class UnsafePickle(DatagenError):
    """A `.npy` that asks for more than arrays; it was not run."""


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in AS_ARRAY:
            return np.ndarray
        if (module, name) not in ALLOWED:
            raise UnsafePickle(f"the pickle asks for {module}.{name}; the file is no reference view")
        return super().find_class(module, name)


def read_npy_dict(path: Path | str) -> dict[str, np.ndarray]:
    """The dict that `np.save` wrote. Raises UnsafePickle when the file asks for anything but arrays."""
    return parse_npy_dict(Path(path).read_bytes(), str(path))


def parse_npy_dict(data: bytes, path: str) -> dict[str, np.ndarray]:
    """The same from the file's bytes, which may come from a tar shard; `path` is for the error."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = reader(stream)
        if shape != () or dtype != np.dtype(object):
            raise UnsafePickle(f"{path}: holds no pickled dict")
        value = _ArraysOnly(stream).load()
    except (ValueError, EOFError, pickle.UnpicklingError, AttributeError, IndexError) as error:
        raise UnsafePickle(f"{path}: {error}") from error
    value = value.item() if isinstance(value, np.ndarray) and value.shape == () else value
    if not isinstance(value, dict):
        raise UnsafePickle(f"{path}: holds no dict")
    return value
