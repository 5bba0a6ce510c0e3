"""What a scene holds, resized: pictures, masks, clouds of its objects' points; loose or from a packed cache."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from datagen.core.errors import BrokenFile
from datagen.core.ids import content_hash
from datagen.core.rng import stream
from datagen.datasets.cache import Form, cached_folder, reserved_arrays
from datagen.datasets.scenes import SceneSample
from datagen.datasets.views import picture_width, read_picture
from datagen.formats.oddoneout import FOLDER, read_depth, view_name
from datagen.store.reader import DatasetReader, files_key

FORMAT = 3
MASKED = 128
"""Grey level from which a pixel of a mask counts."""
CHANGED = "anomaly_masks"
Features = Callable[[np.ndarray], np.ndarray]
"""Pictures (V, S, S, 3) uint8 to features (V, C, h, w)."""
Rows = Mapping[str, np.ndarray]
"""What a scene has in each array of a cache."""


@dataclass(frozen=True)
class SceneForm:
    """What is wanted of every scene: side of the pictures, points an object (0: none) and noise of their depth, and
    whether the pixels that odd objects change are."""

    size: int
    points: int = 0
    noise_m: float = 0.0
    changed: bool = False


class SceneSource(Protocol):
    """Where a sample's arrays come from."""

    def pictures(self, sample: SceneSample, views: Sequence[int]) -> np.ndarray:
        """(V, S, S, 3) uint8."""

    def masks(self, sample: SceneSample, views: Sequence[int]) -> np.ndarray:
        """(V, S, S) bool: the pixels of objects."""

    def changed(self, sample: SceneSample, views: Sequence[int]) -> np.ndarray:
        """(V, S, S) bool: the pixels that would look otherwise if every object were normal."""

    def clouds(self, sample: SceneSample) -> np.ndarray:
        """(N, P, 3) points of each object in the world, fused from the depth of all views."""

    def width(self, sample: SceneSample) -> int:
        """Pixels across the pictures as they are on disk."""

    def features(self, name: str, sample: SceneSample, views: Sequence[int]) -> np.ndarray | None:
        """Features (V, C, h, w) that were computed beforehand, by their name; None where they were not."""


class LooseScenes:
    """The files themselves."""

    def __init__(self, files: DatasetReader, form: SceneForm) -> None:
        self.files, self.form = files, form

    def pictures(self, sample: SceneSample, views: Sequence[int]) -> np.ndarray:
        return np.stack([self._read(sample, "RGB", v, "RGB") for v in views])

    def masks(self, sample: SceneSample, views: Sequence[int]) -> np.ndarray:
        return np.stack([self._read(sample, "masks", v, "L") >= MASKED for v in views])

    def changed(self, sample: SceneSample, views: Sequence[int]) -> np.ndarray:
        if not self.files.has(f"{FOLDER}/{sample.name}/{CHANGED}/{view_name(views[0])}"):
            raise BrokenFile(
                f"{self.files.root}/{FOLDER}/{sample.name} has no {CHANGED}/, which published scenes do not have and "
                "data.changed asks for; set it to false and loss.change to 0"
            )
        return np.stack([self._read(sample, CHANGED, v, "L") >= MASKED for v in views])

    def _read(self, sample: SceneSample, folder: str, view: int, mode: str) -> np.ndarray:
        path = f"{FOLDER}/{sample.name}/{folder}/{view_name(view)}"
        return read_picture(self.files, path, mode, self.form.size, over_white=mode == "RGB")

    def width(self, sample: SceneSample) -> int:
        return picture_width(self.files, f"{FOLDER}/{sample.name}/RGB/{view_name(0)}")

    def features(self, name: str, sample: SceneSample, views: Sequence[int]) -> np.ndarray | None:
        return None

    def clouds(self, sample: SceneSample) -> np.ndarray:
        """The noise is of a pixel's depth, as it is for every view; points are drawn by the scene's name."""
        root, width = f"{FOLDER}/{sample.name}", self.width(sample)
        rng = stream(0, "cloud", sample.name)
        found: list[list[np.ndarray]] = [[] for _ in sample.things]
        inverse = np.linalg.inv(np.reshape(sample.K, (3, 3)))
        for view, pose in enumerate(sample.extrinsics):
            depth = read_depth(self.files, f"{root}/RGB/{view_name(view)}")
            back = np.linalg.inv(np.reshape(pose, (4, 4)))
            for n, thing in enumerate(sample.things):
                path = f"{root}/segmentations/{thing.name}/{thing.name}_{view_name(view)}"
                row, column = np.nonzero((read_picture(self.files, path, "L", width) >= MASKED) & (depth > 0))
                away = depth[row, column] + self.form.noise_m * rng.standard_normal(len(row))
                local = np.stack([column + 0.5, row + 0.5, np.ones(len(row))]) * away
                found[n].append((inverse @ local).T @ back[:3, :3].T + back[:3, 3])
        clouds = np.zeros((len(sample.things), self.form.points, 3))
        for n, (parts, thing) in enumerate(zip(found, sample.things, strict=True)):
            whole = np.concatenate(parts)
            # An object that no view shows is a point at its box's middle.
            whole = whole if len(whole) else np.array(thing.box[:1])
            clouds[n] = whole[rng.choice(len(whole), self.form.points, replace=len(whole) < self.form.points)]
        return clouds


class PackedScenes:
    """The arrays of one split, memory-mapped; the same answers as LooseScenes, and features computed once."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """`folders`: the caches of this split; the first has its pictures and masks."""
        self.folders = tuple(folders)
        meta = json.loads((self.folders[0] / "meta.json").read_text())
        self._row = {name: row for row, name in enumerate(meta["scenes"])}
        self._width: list[int] = meta["widths"]
        files = [path for folder in self.folders for path in folder.glob("*.npy")]
        self._a = {path.stem: np.load(path, mmap_mode="r") for path in files}

    def __reduce__(self) -> tuple[type["PackedScenes"], tuple[tuple[Path, ...]]]:
        # A worker process maps the files itself; pickled, the maps would travel as arrays.
        return PackedScenes, (self.folders,)

    def pictures(self, sample: SceneSample, views: Sequence[int]) -> np.ndarray:
        return self._a["pictures"][self._row[sample.name]][list(views)]

    def masks(self, sample: SceneSample, views: Sequence[int]) -> np.ndarray:
        return np.unpackbits(self._a["masks"][self._row[sample.name]][list(views)], axis=-1).astype(bool)

    def changed(self, sample: SceneSample, views: Sequence[int]) -> np.ndarray:
        return np.unpackbits(self._a["changed"][self._row[sample.name]][list(views)], axis=-1).astype(bool)

    def width(self, sample: SceneSample) -> int:
        return self._width[self._row[sample.name]]

    def features(self, name: str, sample: SceneSample, views: Sequence[int]) -> np.ndarray | None:
        kept = self._a.get(f"features_{name}")
        return None if kept is None else kept[self._row[sample.name]][list(views)].astype(np.float32)

    def clouds(self, sample: SceneSample) -> np.ndarray:
        return self._a["clouds"][self._row[sample.name], : len(sample.things)].astype(np.float64)


def open_packed_scenes(
    files: DatasetReader,
    samples: Sequence[SceneSample],
    form: SceneForm,
    features: Sequence[tuple[str, str, Features]] = (),
) -> PackedScenes:
    """The caches of these scenes, each packed first if it is not there: pictures and masks, and by themselves changed
    pixels, clouds and each kind of features, so that networks which need others share what is the same.

    `features`: name, digest of what computes them, and that. Raises BrokenFile naming a bad file, StoppedEarly when the
    disk is full.
    """

    def opened(told: Sequence[object], read: Sequence[str], write: Callable[[Path], None]) -> Path:
        state = files_key(files, [f"{FOLDER}/{sample.name}/{folder}" for sample in samples for folder in read])
        names = [sample.name for sample in samples]
        return cached_folder(
            content_hash([FORMAT, "scenes", *told, str(files.root.resolve()), state, names])[:24], write
        )

    loose, size = LooseScenes(files, form), form.size
    beside = []
    if form.changed:
        # First of all: what was not built here has none of it.
        beside += [opened([CHANGED, size], [CHANGED], lambda work: _pack_changed(loose, samples, work))]
    if form.points:
        told = ["clouds", form.points, form.noise_m, [_placed(sample) for sample in samples]]
        read = ["RGB", "depth_exr", "segmentations"]
        beside += [opened(told, read, lambda work: _pack_clouds(loose, samples, work))]
    first = opened(["seen", size], ["RGB", "masks"], lambda work: _pack_seen(loose, samples, work))
    seen = PackedScenes([first])
    for name, digest, compute in features:
        write = partial(_pack_features, seen, samples, name, compute)
        beside += [opened(["features", name, digest, size], ["RGB"], write)]
    return PackedScenes([first, *beside])


def _placed(sample: SceneSample) -> list[object]:
    """Cameras and boxes of a scene, which its clouds depend on."""
    return [sample.K, sample.extrinsics, [thing.box for thing in sample.things]]


def _packed(samples: Sequence[SceneSample], work: Path, arrays: Form, rows: Callable[[SceneSample], Rows]) -> None:
    """Write `arrays`, of a row a scene, by what `rows` has of each; what a scene has fewer views of stays 0."""
    out = reserved_arrays(work, arrays)
    for row, sample in enumerate(samples):
        for name, values in rows(sample).items():
            out[name][row, : len(values)] = values
    for array in out.values():
        array.flush()


def _most_views(samples: Sequence[SceneSample]) -> int:
    return max(len(sample.extrinsics) for sample in samples)


def _bits(masks_VSS: np.ndarray) -> np.ndarray:
    return np.packbits(masks_VSS, axis=-1)


def _pack_seen(loose: LooseScenes, samples: Sequence[SceneSample], work: Path) -> None:
    V, S, count = _most_views(samples), loose.form.size, len(samples)

    def rows(sample: SceneSample) -> Rows:
        views = range(len(sample.extrinsics))
        return {"pictures": loose.pictures(sample, views), "masks": _bits(loose.masks(sample, views))}

    _packed(samples, work, {"pictures": ((count, V, S, S, 3), "u1"), "masks": ((count, V, S, S // 8), "u1")}, rows)
    widths = [loose.width(sample) for sample in samples]
    (work / "meta.json").write_text(json.dumps({"scenes": [s.name for s in samples], "widths": widths}))


def _pack_changed(loose: LooseScenes, samples: Sequence[SceneSample], work: Path) -> None:
    V, S = _most_views(samples), loose.form.size

    def rows(sample: SceneSample) -> Rows:
        return {"changed": _bits(loose.changed(sample, range(len(sample.extrinsics))))}

    _packed(samples, work, {"changed": ((len(samples), V, S, S // 8), "u1")}, rows)
    (work / "meta.json").write_text("{}")


def _pack_clouds(loose: LooseScenes, samples: Sequence[SceneSample], work: Path) -> None:
    N = max(len(sample.things) for sample in samples)
    shape = (len(samples), N, loose.form.points, 3)
    _packed(samples, work, {"clouds": (shape, "f4")}, lambda sample: {"clouds": loose.clouds(sample)})
    (work / "meta.json").write_text("{}")


def _pack_features(
    seen: PackedScenes, samples: Sequence[SceneSample], name: str, compute: Features, work: Path
) -> None:
    V = _most_views(samples)
    one = compute(seen.pictures(samples[0], [0])).shape[1:]

    def rows(sample: SceneSample) -> Rows:
        return {f"features_{name}": compute(seen.pictures(sample, range(len(sample.extrinsics))))}

    _packed(samples, work, {f"features_{name}": ((len(samples), V, *one), "f2")}, rows)
    (work / "meta.json").write_text("{}")
