"""What a training sample is made of, whether it is read file by file or from the packed cache."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from datagen.core.errors import BrokenFile
from datagen.core.statistics import evenly
from datagen.datasets.samples import Sample
from datagen.datasets.views import ReferenceBundle, read_picture
from datagen.store.reader import DatasetReader

MASKED = 128
"""Grey level from which a pixel of a mask counts, also of one that was resized."""


class SampleSource(Protocol):
    """Arrays of samples and shapes at one size S with P = (S/8)^2 patches."""

    @property
    def root(self) -> Path:
        """The dataset's folder."""

    def query(self, sample: Sample) -> np.ndarray:
        """(S, S, 3) uint8."""

    def changed(self, sample: Sample) -> np.ndarray | None:
        """(S, S) bool: the pixels that an anomaly's masks cover, none for a normal sample; None where unknown."""

    def own_view(self, sample: Sample) -> np.ndarray:
        """(S, S) uint8, grey: the reference from the query's own camera. Raises BrokenFile where there is none."""

    def count(self, shape: str) -> int:
        """How many distinct views the shape has."""

    def pictures(self, shape: str, views: Sequence[int]) -> np.ndarray:
        """(N, S, S) uint8, grey."""

    def positions(self, shape: str, views: Sequence[int]) -> np.ndarray:
        """(N, P, 3) float32, NaN where a patch has no surface."""

    def poses(self, shape: str) -> np.ndarray:
        """Camera-to-world (V, 4, 4) of all views; NaN where unknown."""

    def azimuths(self, shape: str) -> np.ndarray:
        """(V,) degrees from the views' names; NaN where unknown."""

    def correspondences(self, shape: str, first: int, second: int) -> np.ndarray:
        """(P,) int64: the patch of `second` that shows what a patch of `first` shows, -1 = none."""

    def published_positions(self, shape: str, views: Sequence[int]) -> np.ndarray:
        """(N, P, 3) float32: as `positions`, from the published position maps alone."""

    def tracks(self, shape: str, view: int) -> tuple[np.ndarray, np.ndarray]:
        """[row, col] (T, 2) of the shape's tracked points in the view at S px, and whether each is visible (T,)."""


class LooseSource:
    """Read from a dataset's files. A few shapes' bundles are kept open per process."""

    def __init__(self, files: DatasetReader, size: int) -> None:
        self.files, self.size, self.root = files, size, files.root
        self._bundles: dict[str, ReferenceBundle] = {}

    def bundle(self, shape: str) -> ReferenceBundle:
        """The shape's reference views."""
        if shape not in self._bundles:
            if len(self._bundles) >= 4:
                self._bundles.pop(next(iter(self._bundles)))
            self._bundles[shape] = ReferenceBundle(self.files, f"shapes/shape_{shape}/mv_images", self.size)
        return self._bundles[shape]

    def query(self, sample: Sample) -> np.ndarray:
        return read_picture(self.files, sample.query_path, "RGB", self.size)

    def changed(self, sample: Sample) -> np.ndarray | None:
        if sample.label and not sample.masks:
            return None
        return self.mask(sample.masks)

    def own_view(self, sample: Sample) -> np.ndarray:
        require_own_view(self.files.root, sample)
        return read_picture(self.files, sample.own_view, "L", self.size)

    def mask(self, paths: Sequence[str]) -> np.ndarray:
        """(S, S) bool: what any of these masks covers."""
        whole = np.zeros((self.size, self.size), dtype=bool)
        for path in paths:
            whole |= read_picture(self.files, path, "L", self.size) >= MASKED
        return whole

    def count(self, shape: str) -> int:
        return len(self.bundle(shape).views)

    def pictures(self, shape: str, views: Sequence[int]) -> np.ndarray:
        return np.stack([self.bundle(shape).picture(view) for view in views])

    def positions(self, shape: str, views: Sequence[int]) -> np.ndarray:
        return np.stack([self.bundle(shape).positions(view) for view in views])

    def poses(self, shape: str) -> np.ndarray:
        bundle = self.bundle(shape)
        poses = [bundle.pose(view) for view in range(len(bundle.views))]
        return np.stack([np.full((4, 4), np.nan) if pose is None else pose for pose in poses])

    def azimuths(self, shape: str) -> np.ndarray:
        return self.bundle(shape).azimuths()

    def correspondences(self, shape: str, first: int, second: int) -> np.ndarray:
        return self.bundle(shape).correspondences(first, second)

    def published_positions(self, shape: str, views: Sequence[int]) -> np.ndarray:
        return np.stack([self.bundle(shape).published_positions(view) for view in views])

    def tracks(self, shape: str, view: int) -> tuple[np.ndarray, np.ndarray]:
        found = self.bundle(shape).tracks(view)
        return found.pixels(self.size), found.is_visible


def require_own_view(where: Path, sample: Sample) -> None:
    """Raises BrokenFile for a sample without a picture of the reference from its own camera."""
    if not sample.own_view:
        raise BrokenFile(
            f"{where}: no view of the reference from the camera of {sample.query_path}; "
            "build with reference.at_query=true, or leave data.own_camera and data.against=own_camera out"
        )


@lru_cache(maxsize=32)
def spread(count: int, wanted: int, shape: str) -> tuple[int, ...]:
    """`wanted` of `count` views, evenly spread. Raises BrokenFile when there are fewer."""
    if wanted > count:
        raise BrokenFile(f"shape {shape} has {count} distinct reference views, {wanted} are wanted; lower data.views")
    return evenly(count, wanted)


def require_equal_views(azimuths: Mapping[str, np.ndarray]) -> None:
    """Every shape's distinct views, by their azimuths in degrees (V,), NaN where unknown, are equally many.

    Raises BrokenFile naming a shape whose number is not the most common one, of equally common ones the larger.
    """
    counts = Counter(len(found) for found in azimuths.values())
    usual = max(counts, key=lambda count: (counts[count], count), default=0)
    others = [set(found.tolist()) for found in azimuths.values() if len(found) == usual]
    for shape, found in azimuths.items():
        if len(found) == usual:
            continue
        # What all the others have: of shapes seen from azimuths of their own nothing is known to be missing.
        missing = sorted(a for a in set.intersection(*others) - set(found.tolist()) if np.isfinite(a))
        told = f" (none at azimuth {', '.join(f'{a:g}' for a in missing)} deg)" if missing else ""
        raise BrokenFile(
            f"shape {shape} has {len(found)} distinct reference views, not {usual} as most of the split{told}; "
            f"restore shapes/shape_{shape}/mv_images and run again"
        )
