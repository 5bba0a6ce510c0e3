"""The packed cache: every resized array of a dataset in memory-mapped files, made once.

A sample is then a few copies out of the page cache: no PNG, no depth map, no projection. The folder is
named by a digest of what it was made from and appears by rename, so half a cache is never read.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from datagen.core.errors import StoppedEarly
from datagen.core.ids import content_hash
from datagen.datasets.files import Files
from datagen.datasets.samples import Sample
from datagen.datasets.source import LooseSource
from datagen.datasets.views import Bundle

FORMAT = 2
ARRAYS = ("queries", "pictures", "positions", "pairs", "poses", "azimuths", "published", "pixels", "visible")
Watch = Callable[[int, int], None]


def cache_base() -> Path:
    """$DATAGEN_CACHE, or the user's cache folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("DATAGEN_CACHE") or home / "datagen")


class PackedSource:
    """The arrays of one split, memory-mapped; the same answers as LooseSource."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        meta = json.loads((folder / "meta.json").read_text())
        self._query_row = {path: row for row, path in enumerate(meta["queries"])}
        self._shape_row = {shape: row for row, shape in enumerate(meta["shapes"])}
        self._count: list[int] = meta["views"]
        self._a = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}

    def __reduce__(self) -> tuple[type["PackedSource"], tuple[Path]]:
        # A worker process maps the files itself; pickled, the maps would travel as arrays.
        return PackedSource, (self.folder,)

    def query(self, sample: Sample) -> np.ndarray:
        return self._a["queries"][self._query_row[sample.query_path]]

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
        return self._a["pixels"][row, view], self._a["visible"][row, view]


def open_packed(
    files: Files, samples: list[Sample], size: int, watch: Watch = lambda done, total: None
) -> PackedSource:
    """The cache of these samples at this size, packed first if it is not there.

    Raises BrokenSample naming a bad file, StoppedEarly when the disk is full.
    """
    shapes = sorted({sample.shape for sample in samples})
    root = str(files.root.resolve())
    digest = files.read("manifest.parquet") if files.has("manifest.parquet") else b""
    key = content_hash([FORMAT, root, size, [s.query_path for s in samples], content_hash(digest.hex())])[:24]
    folder = cache_base() / "packed" / key
    if not (folder / "meta.json").is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{key}.", dir=folder.parent))
        try:
            _pack(files, samples, shapes, size, work, watch)
            if not folder.exists():
                work.rename(folder)
        except OSError as error:
            raise StoppedEarly(f"{work}: {error.strerror}; make room or set DATAGEN_CACHE, then run again") from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return PackedSource(folder)


def _pack(files: Files, samples: list[Sample], shapes: list[str], size: int, work: Path, watch: Watch) -> None:
    loose = LooseSource(files, size)
    bundles = [Bundle(files, f"shapes/shape_{shape}/mv_images", size) for shape in shapes]
    V, P, S = max(len(b.views) for b in bundles), (size // 8) ** 2, size
    T = len(bundles[0].tracks(0)["pxy"])
    form: dict[str, tuple[tuple[int, ...], str]] = {
        "queries": ((len(samples), S, S, 3), "u1"),
        "pictures": ((len(shapes), V, S, S), "u1"),
        "positions": ((len(shapes), V, P, 3), "f4"),
        "pairs": ((len(shapes), V, V, P), "i2"),
        "poses": ((len(shapes), V, 4, 4), "f8"),
        "azimuths": ((len(shapes), V), "f8"),
        "published": ((len(shapes), V, 1024, 3), "f4"),
        "pixels": ((len(shapes), V, T, 2), "i2"),
        "visible": ((len(shapes), V, T), "?"),
    }
    out = {
        name: np.lib.format.open_memmap(work / f"{name}.npy", "w+", dtype, shape)
        for name, (shape, dtype) in form.items()
    }
    total = len(samples) + len(shapes)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for row, picture in enumerate(pool.map(loose.query, samples)):
            out["queries"][row] = picture
            watch(row + 1, total)
        jobs = [(row, bundle) for row, bundle in enumerate(bundles)]
        for done, _ in enumerate(pool.map(lambda job: _pack_shape(out, *job), jobs), start=len(samples) + 1):
            watch(done, total)
    for array in out.values():
        array.flush()
    meta = {"queries": [s.query_path for s in samples], "shapes": shapes, "views": [len(b.views) for b in bundles]}
    (work / "meta.json").write_text(json.dumps(meta))


def _pack_shape(out: dict[str, np.ndarray], row: int, bundle: Bundle) -> None:
    for view in range(len(bundle.views)):
        out["pictures"][row, view] = bundle.picture(view)
        out["positions"][row, view] = bundle.positions(view)
        pose, azimuth, tracks = bundle.pose(view), bundle.views[view].azimuth_deg, bundle.tracks(view)
        out["poses"][row, view] = np.nan if pose is None else pose
        out["azimuths"][row, view] = np.nan if azimuth is None else azimuth
        out["published"][row, view] = bundle.published_positions(view).reshape(-1, 3)
        out["pixels"][row, view] = tracks["pxy"]
        out["visible"][row, view] = tracks["is_visible"]
        for other in range(len(bundle.views)):
            out["pairs"][row, view, other] = -1 if view == other else bundle.correspondences(view, other)
    bundle.forget()
