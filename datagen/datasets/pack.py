"""The packed cache: every resized array of a dataset in memory-mapped files, made once.

A sample is then a few copies out of the page cache: no PNG, no depth map, no projection.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from datagen.core.ids import content_hash
from datagen.datasets.cache import Form, cached_folder, reserved_arrays
from datagen.datasets.samples import Sample
from datagen.datasets.source import LooseSource, require_equal_views, require_own_view
from datagen.datasets.views import ReferenceBundle
from datagen.store.reader import DatasetReader, files_key

FORMAT = 7
ARRAYS = (
    *("queries", "changed", "own", "pictures", "positions", "pairs"),
    *("poses", "azimuths", "published", "pixels", "visible"),
)
Watch = Callable[[int, int], None]
MOST_IN_I2 = 2**15
"""Patches whose numbers and the -1 for none fit into 16 bits: pictures of up to 1,448 px."""


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
    key = content_hash([FORMAT, root, size, told, files_key(files), matched])[:24]
    folder = cached_folder(key, lambda work: _pack(files, samples, (size, matched), work, watch))
    return PackedSource(folder)


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
    out = reserved_arrays(work, form)
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
