"""The packed cache: every resized array of a dataset in memory-mapped files, made once.

A sample is then a few copies out of the page cache: no PNG, no depth map, no projection. The folder is
named by a digest of what it was made from and appears by rename, so half a cache is never read. Of several
processes that want the same cache one packs and the others wait for it.
"""

import errno
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from datagen.core.errors import StoppedEarly, UsageError
from datagen.core.folders import cache_root
from datagen.core.ids import content_hash
from datagen.datasets.locks import sole_writer
from datagen.datasets.samples import Sample
from datagen.datasets.source import LooseSource, require_equal_views, require_own_view
from datagen.datasets.views import ReferenceBundle
from datagen.store.reader import DatasetReader, content_key

FORMAT = 7
ARRAYS = (
    *("queries", "changed", "own", "pictures", "positions", "pairs"),
    *("poses", "azimuths", "published", "pixels", "visible"),
)
Watch = Callable[[int, int], None]
Form = dict[str, tuple[tuple[int, ...], str]]
"""Shape and dtype of each array."""
HIDDEN = re.compile(r"\.([0-9a-f]{24})\.(\w+)")
"""A folder of half a cache, or its lock file: the cache's key and what tells packers apart."""
DEAD_SECONDS = 86_400.0
"""Half a cache that no lock tells of counts as left behind when nothing was written to it for so long."""
MOST_IN_I2 = 2**15
"""Patches whose numbers and the -1 for none fit into 16 bits: pictures of up to 1,448 px."""
CANNOT_RESERVE = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
"""What a filesystem that cannot reserve space answers."""


class PackedSource:
    """The arrays of one split, memory-mapped; the same answers as LooseSource."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        meta = json.loads((folder / "meta.json").read_text())
        self._query_row = {path: row for row, path in enumerate(meta["queries"])}
        self._shape_row = {shape: row for row, shape in enumerate(meta["shapes"])}
        self._count: list[int] = meta["views"]
        self._points: list[int] = meta["points"]
        self._mask_row = {tuple(paths): row for row, paths in enumerate(meta["masks"])}
        self.root = Path(meta["root"])
        self._own_row = {path: row for row, path in enumerate(meta["own"])}
        self._a = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}

    def __reduce__(self) -> tuple[type["PackedSource"], tuple[Path]]:
        # A worker process maps the files itself; pickled, the maps would travel as arrays.
        return PackedSource, (self.folder,)

    def query(self, sample: Sample) -> np.ndarray:
        return self._a["queries"][self._query_row[sample.query_path]]

    def changed(self, sample: Sample) -> np.ndarray | None:
        if sample.label and not sample.masks:
            return None
        return np.unpackbits(self._a["changed"][self._mask_row[sample.masks]], axis=1).astype(bool)

    def own_view(self, sample: Sample) -> np.ndarray:
        require_own_view(self.root, sample)
        return self._a["own"][self._own_row[sample.own_view]]

    def count(self, shape: str) -> int:
        return self._count[self._shape_row[shape]]

    def pictures(self, shape: str, views: Sequence[int]) -> np.ndarray:
        return self._a["pictures"][self._shape_row[shape]][list(views)]

    def positions(self, shape: str, views: Sequence[int]) -> np.ndarray:
        return self._a["positions"][self._shape_row[shape]][list(views)]

    def poses(self, shape: str) -> np.ndarray:
        return self._a["poses"][self._shape_row[shape]][: self.count(shape)]

    def azimuths(self, shape: str) -> np.ndarray:
        return self._a["azimuths"][self._shape_row[shape]][: self.count(shape)]

    def correspondences(self, shape: str, first: int, second: int) -> np.ndarray:
        return self._a["pairs"][self._shape_row[shape], first, second].astype(np.int64)

    def published_positions(self, shape: str, views: Sequence[int]) -> np.ndarray:
        return self._a["published"][self._shape_row[shape]][list(views)]

    def tracks(self, shape: str, view: int) -> tuple[np.ndarray, np.ndarray]:
        row = self._shape_row[shape]
        T = self._points[row]
        return self._a["pixels"][row, view, :T].astype(np.int64), self._a["visible"][row, view, :T]


def open_packed(
    files: DatasetReader,
    samples: list[Sample],
    size: int,
    watch: Watch = lambda done, total: None,
    *,
    matched: bool = True,
) -> PackedSource:
    """The cache of these samples at this size (px), packed first if it is not there.

    `matched`: with the correspondences between all views of a shape, which take most of the time.

    Raises BrokenFile naming a bad file, StoppedEarly when the disk is full, UsageError on a cache someone damaged.
    """
    root = str(files.root.resolve())
    told = [[s.query_path, s.bundle, s.masks, s.own_view] for s in samples]
    key = content_hash([FORMAT, root, size, told, content_key(files), matched])[:24]
    folder = cache_root() / "packed" / key
    if not (folder / "meta.json").is_file():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with sole_writer(folder.parent / f".{key}.lock") as held:
                if not folder.exists():
                    _make(files, samples, (size, matched), folder, held is True, watch)
        except OSError as error:
            raise StoppedEarly(
                f"{error.filename or folder}: {error.strerror} while packing; see to room and rights in "
                f"{folder.parent} or set DATAGEN_CACHE to a folder on another disk, then run again"
            ) from error
        if not (folder / "meta.json").is_file():
            raise UsageError(f"{folder} is no whole cache, meta.json was removed; remove the folder and run again")
    return PackedSource(folder)


def _make(
    files: DatasetReader, samples: list[Sample], form: tuple[int, bool], folder: Path, locked: bool, watch: Watch
) -> None:
    """Pack beside `folder` and rename. `locked`: no other process packs the same."""
    _sweep(folder.parent, folder.name if locked else None)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        _pack(files, samples, form, work, watch)
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


def _reserved(work: Path, form: Form) -> dict[str, np.memmap]:
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


def _pack(files: DatasetReader, samples: list[Sample], given: tuple[int, bool], work: Path, watch: Watch) -> None:
    """`given`: side of the pictures, and whether correspondences are wanted."""
    size, matched = given
    shapes = sorted({sample.bundle for sample in samples})
    queries = {sample.query_path: sample for sample in samples}
    # Samples without masks share an empty row.
    masks = list(dict.fromkeys(sample.masks for sample in samples))
    own = {sample.own_view: sample for sample in samples if sample.own_view}
    loose = LooseSource(files, size)
    bundles = [ReferenceBundle(files, f"shapes/shape_{shape}/mv_images", size) for shape in shapes]
    require_equal_views({shape: b.azimuths() for shape, b in zip(shapes, bundles, strict=True)})
    V, P, S = max(len(b.views) for b in bundles), (size // 8) ** 2, size
    points = [bundle.points() for bundle in bundles]
    T = max(points)
    form: Form = {
        "queries": ((len(queries), S, S, 3), "u1"),
        "changed": ((len(masks), S, S // 8), "u1"),
        "pictures": ((len(shapes), V, S, S), "u1"),
        "positions": ((len(shapes), V, P, 3), "f4"),
        "pairs": ((len(shapes) if matched else 0, V, V, P), "i2" if P <= MOST_IN_I2 else "i4"),
        "poses": ((len(shapes), V, 4, 4), "f8"),
        "azimuths": ((len(shapes), V), "f8"),
        "published": ((len(shapes), V, P, 3), "f4"),
        "pixels": ((len(shapes), V, T, 2), "i2"),
        "visible": ((len(shapes), V, T), "?"),
        "own": ((len(own), S, S), "u1"),
    }
    out = _reserved(work, form)
    total = len(queries) + len(shapes)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for row, picture in enumerate(pool.map(loose.query, queries.values())):
            out["queries"][row] = picture
            watch(row + 1, total)
        for row, mask in enumerate(pool.map(loose.mask, masks)):
            out["changed"][row] = np.packbits(mask, axis=1)
        for row, picture in enumerate(pool.map(loose.own_view, own.values())):
            out["own"][row] = picture
        jobs = [(row, bundle) for row, bundle in enumerate(bundles)]
        for done, _ in enumerate(pool.map(lambda job: _pack_shape(out, *job), jobs), start=len(queries) + 1):
            watch(done, total)
    for array in out.values():
        array.flush()
    views = [len(b.views) for b in bundles]
    meta = {"queries": list(queries), "shapes": shapes, "views": views, "points": points, "masks": masks}
    meta |= {"own": list(own), "root": str(files.root.resolve())}
    (work / "meta.json").write_text(json.dumps(meta))


def _pack_shape(out: Mapping[str, np.ndarray], row: int, bundle: ReferenceBundle) -> None:
    out["azimuths"][row, : len(bundle.views)] = bundle.azimuths()
    for view in range(len(bundle.views)):
        out["pictures"][row, view] = bundle.picture(view)
        out["positions"][row, view] = bundle.positions(view)
        pose, tracks = bundle.pose(view), bundle.tracks(view)
        T = len(tracks.pxy)
        out["poses"][row, view] = np.nan if pose is None else pose
        out["published"][row, view] = bundle.published_positions(view)
        # A point beyond 16 bits is far outside the frame, where nothing is visible.
        out["pixels"][row, view, :T] = tracks.pixels(bundle.size).clip(-(2**15), 2**15 - 1)
        out["visible"][row, view, :T] = tracks.is_visible
        for other in range(len(bundle.views) if len(out["pairs"]) else 0):
            out["pairs"][row, view, other] = -1 if view == other else bundle.correspondences(view, other)
    bundle.forget()
