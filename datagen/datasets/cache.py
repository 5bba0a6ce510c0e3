"""Folders of memory-mapped arrays, made once and shared by processes.

A folder is named by a digest of what it was made from and appears by rename, so half a cache is never read. Of several
processes that want the same cache one packs and the others wait for it.
"""

import errno
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from datagen.core.errors import StoppedEarly, UsageError
from datagen.core.folders import cache_root
from datagen.datasets.locks import sole_writer

Form = dict[str, tuple[tuple[int, ...], str]]
"""Shape and dtype of each array."""
HIDDEN = re.compile(r"\.([0-9a-f]{24})\.(\w+)")
"""A folder of half a cache, or its lock file: the cache's key and what tells packers apart."""
DEAD_SECONDS = 86_400.0
"""Half a cache that no lock tells of counts as left behind when nothing was written to it for so long."""
CANNOT_RESERVE = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
"""What a filesystem that cannot reserve space answers."""


def cached_folder(key: str, write: Callable[[Path], None]) -> Path:
    """The cache of this key, 24 hexadecimal digits; `write` fills an empty folder, meta.json last, where there is none.

    Raises what `write` raises, StoppedEarly when the disk is full, UsageError on a cache someone damaged.
    """
    folder = cache_root() / "packed" / key
    if not (folder / "meta.json").is_file():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with sole_writer(folder.parent / f".{key}.lock") as held:
                if not folder.exists():
                    _make(write, folder, held is True)
        except OSError as error:
            raise StoppedEarly(
                f"{error.filename or folder}: {error.strerror} while packing; see to room and rights in "
                f"{folder.parent} or set DATAGEN_CACHE to a folder on another disk, then run again"
            ) from error
        if not (folder / "meta.json").is_file():
            raise UsageError(f"{folder} is no whole cache, meta.json was removed; remove the folder and run again")
    return folder


def _make(write: Callable[[Path], None], folder: Path, locked: bool) -> None:
    """Pack beside `folder` and rename. `locked`: no other process packs the same."""
    _sweep(folder.parent, folder.name if locked else None)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        write(work)
        try:
            work.rename(folder)
        except OSError as error:
            # Without locks another may have made the same meanwhile.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _sweep(base: Path, mine: str | None) -> None:
    """Remove what killed packers left: half caches whose lock is free. `mine`: the key whose lock is held here."""
    left: dict[str, list[Path]] = {}
    for path in sorted(base.iterdir()):
        if told := HIDDEN.fullmatch(path.name):
            left.setdefault(told[1], []).extend([path] if path.is_dir() else [])
    for key, folders in left.items():
        lock = base / f".{key}.lock"
        locked = lock.exists()
        try:
            with nullcontext(True) if key == mine else sole_writer(lock, wait=False) as held:
                for folder in folders if held is not False else []:
                    if (held and locked) or _silent_seconds(folder) > DEAD_SECONDS:
                        shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # Another user's, theirs to sweep.


def _silent_seconds(folder: Path) -> float:
    """How long ago anything in the folder was written; 0 where it is going away."""
    try:
        return time.time() - max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:
        return 0.0


def reserved_arrays(work: Path, form: Form) -> dict[str, np.memmap]:
    """Arrays in files whose space is taken: a write to a map of a sparse file on a full disk kills the process."""
    need = sum(int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in form.values())
    free = shutil.disk_usage(work).free
    if free < need:
        raise StoppedEarly(
            f"{work.parent}: packing takes {need / 2**30:.2f} GiB and {free / 2**30:.2f} GiB are free; make room, "
            "set DATAGEN_CACHE to a folder on another disk or data.pack to false, then run again"
        )
    out = {}
    for name, (shape, dtype) in form.items():
        path = work / f"{name}.npy"
        told = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
        with path.open("wb") as stream:
            np.lib.format.write_array_header_1_0(stream, told)
            end = stream.tell() + int(np.prod(shape)) * np.dtype(dtype).itemsize
            try:
                os.posix_fallocate(stream.fileno(), 0, end)
            except OSError as error:
                if error.errno not in CANNOT_RESERVE:
                    raise OSError(error.errno, f"{error.strerror}, {need / 2**30:.2f} GiB needed", str(path)) from error
                stream.truncate(end)
        out[name] = np.lib.format.open_memmap(path, "r+")
    return out
