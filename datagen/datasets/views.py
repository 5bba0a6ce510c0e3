"""A shape's reference views on disk: pictures, patch positions, correspondences."""

import io
import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image, UnidentifiedImageError

from datagen.core.errors import DatagenError
from datagen.datasets.files import BrokenSample, Files
from datagen.datasets.geometry import ViewGeometry, corresponding_patches, patch_pixels, patch_positions
from datagen.formats.safe_npy import parse_npy_dict

Image.MAX_IMAGE_PIXELS = 64_000_000


def read_picture(files: Files, path: str, mode: str, size: int) -> np.ndarray:
    """uint8 (S, S, 3) or (S, S) for mode RGB or L, resized if need be. Raises BrokenSample."""
    try:
        with Image.open(io.BytesIO(files.read(path))) as picture:
            picture.load()
            converted = picture.convert(mode)
    except UnidentifiedImageError as error:
        raise BrokenSample(f"{files.root}/{path}: no picture; restore the file and run again") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BrokenSample(f"{files.root}/{path}: {error}; restore the file and run again") from error
    if converted.size != (size, size):
        converted = converted.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(converted)


@dataclass(frozen=True)
class View:
    """Relative paths of one view, and its azimuth where the name tells it."""

    stem: str
    azimuth_deg: float | None


def list_views(files: Files, folder: str) -> list[View]:
    """Distinct views of `<folder>`, by azimuth: 360 repeats 0 in the published bundles and is left out."""
    stems = [path[:-4] for path in files.list(folder) if path.endswith(".png")]
    views: dict[object, View] = {}
    for stem in stems:
        fields = stem.rsplit("/", 1)[1].split("_")
        try:
            azimuth, elevation = float(fields[-2]) % 360, float(fields[-1])
            views.setdefault((azimuth, elevation), View(stem, azimuth))
        except (ValueError, IndexError):
            views[stem] = View(stem, None)
    if not views:
        raise BrokenSample(f"{files.root}/{folder}: no reference view; the shape's bundle is missing")
    return sorted(views.values(), key=lambda view: (view.azimuth_deg is None, view.azimuth_deg or 0.0, view.stem))


class Bundle:
    """The views of one shape, read on demand; `grid` patches a side."""

    def __init__(self, files: Files, folder: str, size: int) -> None:
        self.files, self.size, self.grid = files, size, size // 8
        self.folder = folder
        self.views = list_views(files, folder)
        self._read: dict[int, ViewGeometry | None] = {}

    def azimuths(self) -> np.ndarray:
        """(V,) degrees from the views' names; NaN where unknown."""
        return np.array([np.nan if view.azimuth_deg is None else view.azimuth_deg for view in self.views])

    def picture(self, view: int) -> np.ndarray:
        """Grey (S, S) uint8."""
        return read_picture(self.files, self.views[view].stem + ".png", "L", self.size)

    def pose(self, view: int) -> np.ndarray | None:
        """Camera-to-world (4, 4) from the view's JSON, None where there is none."""
        camera = self._camera(view)
        return None if camera is None else camera[1]

    def positions(self, view: int) -> np.ndarray:
        """Patch positions (P, 3) float32: from depth and camera, else from the published `xyz`; NaN = none."""
        geometry = self._geometry(view)
        if geometry is not None:
            return patch_positions(geometry, self.grid).astype(np.float32)
        return regridded(self.published_positions(view), self.grid)

    def published_positions(self, view: int) -> np.ndarray:
        """The `xyz` of the npy as (32, 32, 3) float32, NaN where it says -1, -1, -1."""
        xyz = self.tracks(view)["xyz"].astype(np.float32)
        return np.where((xyz == -1).all(axis=-1, keepdims=True), np.nan, xyz)

    def tracks(self, view: int) -> dict[str, np.ndarray]:
        """The npy's dict: pxy (2000, 2), is_visible (2000,), xyz (32, 32, 3)."""
        path = self.views[view].stem + ".npy"
        try:
            found = parse_npy_dict(self.files.read(path), f"{self.files.root}/{path}")
        except BrokenSample:
            raise
        except DatagenError as error:
            raise BrokenSample(f"{self.files.root}/{path}: {error}") from error
        if not {"pxy", "is_visible", "xyz"} <= set(found):
            raise BrokenSample(f"{self.files.root}/{path}: has {sorted(found)}, not pxy, is_visible and xyz")
        return found

    def correspondences(self, first: int, second: int) -> np.ndarray:
        """For each patch of `first` the patch of `second` showing the same point, (P,) int64, -1 = none."""
        geometry, other = self._geometry(first), self._geometry(second)
        if geometry is not None and other is not None:
            return corresponding_patches(patch_positions(geometry, self.grid), other, self.grid)
        return tracked_patches(self.tracks(first), self.tracks(second), self.grid)

    def forget(self) -> None:
        """Drop the depth maps that were read."""
        self._read.clear()

    def _camera(self, view: int) -> tuple[np.ndarray, np.ndarray] | None:
        path = self.views[view].stem + ".json"
        if not self._has_depth and not self.files.has(path):
            return None
        try:
            camera = json.loads(self.files.read(path))
            return np.array(camera["K"], dtype=np.float64), np.array(camera["RT_"], dtype=np.float64)
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenSample(f"{self.files.root}/{path}: {error!r}") from error

    @cached_property
    def _has_depth(self) -> bool:
        """Whether the views come with depth and cameras: where some do, one without has lost them."""
        return any(self.files.has(view.stem + "_depth.npy") for view in self.views)

    def _geometry(self, view: int) -> ViewGeometry | None:
        if view in self._read:
            return self._read[view]
        camera, path = self._camera(view), self.views[view].stem + "_depth.npy"
        geometry = None
        if camera is not None and self._has_depth:
            try:
                depth = np.load(io.BytesIO(self.files.read(path)), allow_pickle=False)
            except (ValueError, OSError, EOFError) as error:
                raise BrokenSample(f"{self.files.root}/{path}: {error}") from error
            geometry = ViewGeometry(depth, *camera)
        self._read[view] = geometry
        return geometry


def regridded(xyz_hw3: np.ndarray, grid: int) -> np.ndarray:
    """A position map (h, h, 3) as (grid * grid, 3) of any grid; NaN = none.

    The first known of the cells whose centres a patch holds, row by row; a patch finer than the cells takes the one
    that covers it.
    """
    side = xyz_hw3.shape[0]
    cells, counts = patch_pixels(side, grid)
    order = np.where(counts, cells, side * side).argsort(axis=1, kind="stable")
    cells, counts = np.take_along_axis(cells, order, axis=1), np.take_along_axis(counts, order, axis=1)
    xyz = xyz_hw3.reshape(-1, 3)
    known = np.isfinite(xyz).all(axis=1)[cells] & counts
    return xyz[cells[np.arange(grid * grid), known.argmax(axis=1)]]


def tracked_patches(first: dict[str, np.ndarray], second: dict[str, np.ndarray], grid: int) -> np.ndarray:
    """Patch correspondences from tracked surface points where there is no depth (published data): (P,), -1 = none.

    `pxy` are rounded coordinates of a 256 px picture, not numbers of pixels, so no half pixel is added.
    """
    pixels = [np.clip(view["pxy"], 0, 255) * grid // 256 for view in (first, second)]
    both = np.flatnonzero(first["is_visible"] & second["is_visible"])[::-1]
    found = np.full(grid * grid, -1, dtype=np.int64)
    cells = [pixel[both, 0] * grid + pixel[both, 1] for pixel in pixels]
    found[cells[0]] = cells[1]
    return found
