"""A shape's reference views on disk: pictures, patch positions, correspondences."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image, UnidentifiedImageError

from datagen.core.errors import BrokenFile, DatagenError
from datagen.datasets.geometry import ViewGeometry, corresponding_patches, patch_pixels, patch_positions
from datagen.formats.brokenchairs import reference_name
from datagen.formats.cameras import read_camera
from datagen.formats.images import ImageError, eight_bits
from datagen.formats.safe_npy import parse_npy_dict
from datagen.store.reader import DatasetReader

Image.MAX_IMAGE_PIXELS = 64_000_000


@contextmanager
def _opened(files: DatasetReader, path: str) -> Iterator[Image.Image]:
    """The picture, whose header alone is read; what is wrong with it in the block too is BrokenFile."""
    try:
        with Image.open(io.BytesIO(files.read(path))) as picture:
            yield picture
    except UnidentifiedImageError as error:
        raise BrokenFile(f"{files.root}/{path}: no picture; restore the file and run again") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BrokenFile(f"{files.root}/{path}: {error}; restore the file and run again") from error


def read_picture(files: DatasetReader, path: str, mode: str, size: int, *, over_white: bool = False) -> np.ndarray:
    """uint8 (S, S, 3) or (S, S) for mode RGB or L, resized if need be; 16-bit greys are scaled to 8 bits.

    `over_white` lays what is transparent over white; else alpha is left out. Raises BrokenFile.
    """
    with _opened(files, path) as picture:
        picture.load()
        try:
            converted = eight_bits(picture, f"{files.root}/{path}", over_white=over_white).convert(mode)
        except ImageError as error:
            raise BrokenFile(str(error.args[0])) from error
    return resized(np.asarray(converted), size)


def resized(picture: np.ndarray, size: int) -> np.ndarray:
    """A picture (H, W) or (H, W, 3) uint8 at `size` px a side, as every stored picture is brought to it."""
    if picture.shape[:2] == (size, size):
        return picture
    return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC))


def picture_width(files: DatasetReader, path: str) -> int:
    """Pixels across a picture as it is on disk. Raises BrokenFile."""
    with _opened(files, path) as picture:
        return picture.size[0]


@dataclass(frozen=True)
class ReferenceView:
    """Relative paths of one view, and its azimuth where the name tells it."""

    stem: str
    azimuth_deg: float | None


def list_views(files: DatasetReader, folder: str) -> list[ReferenceView]:
    """Distinct views of `<folder>`, by azimuth: 360 repeats 0 in the published bundles and is left out."""
    stems = [path[:-4] for path in files.list(folder) if path.endswith(".png")]
    views: dict[object, ReferenceView] = {}
    for stem in stems:
        _, azimuth, elevation = reference_name(stem)
        if azimuth is None:
            views[stem] = ReferenceView(stem, None)
        else:
            views.setdefault((azimuth % 360, elevation), ReferenceView(stem, azimuth % 360))
    if not views:
        raise BrokenFile(f"{files.root}/{folder}: no reference view; the shape's bundle is missing")
    return sorted(views.values(), key=lambda view: (view.azimuth_deg is None, view.azimuth_deg or 0.0, view.stem))


@dataclass(frozen=True, eq=False)
class Tracks:
    """What a view's npy says of surface points and patches.

    The same index is the same surface point in every view of a shape. `pxy` (T, 2) are its rounded [row, col] in the
    view's picture, of `side_px` pixels a side whatever size is trained on, and `is_visible` (T,) whether it is seen.
    `xyz` (h, h, 3) float32 holds a position for each of h * h cells, NaN where the file says -1, -1, -1.
    """

    pxy: np.ndarray
    is_visible: np.ndarray
    xyz: np.ndarray
    side_px: int

    def pixels(self, size: int) -> np.ndarray:
        """[row, col] (T, 2) of the points in the picture resized to `size` px a side.

        They are rounded coordinates, not numbers of pixels, so no half pixel is added.
        """
        return self.pxy if size == self.side_px else self.pxy * size // self.side_px


class ReferenceBundle:
    """The views of one shape, read on demand; `grid` patches a side.

    Pictures, depth maps and position maps may have any size, of each view its own: what is asked for is given at
    `size` px. Reading raises BrokenFile naming a file that cannot be used.
    """

    def __init__(self, files: DatasetReader, folder: str, size: int) -> None:
        self.files, self.size, self.grid = files, size, size // 8
        self.folder = folder
        self.views = list_views(files, folder)
        self._read: dict[int, ViewGeometry | None] = {}
        self._side: dict[int, int] = {}
        self._points: int | None = None

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
        geometry = self.geometry(view)
        if geometry is not None:
            return patch_positions(geometry, self.grid).astype(np.float32)
        return self.published_positions(view)

    def published_positions(self, view: int) -> np.ndarray:
        """Patch positions (P, 3) float32 from the npy's `xyz`; NaN = none."""
        return regridded(self.tracks(view).xyz, self.grid)

    def tracks(self, view: int) -> Tracks:
        """What the npy says, as the published layout has it: `pxy`, `is_visible` and `xyz` that belong together."""
        path = self.views[view].stem + ".npy"
        name = f"{self.files.root}/{path}"
        try:
            found = parse_npy_dict(self.files.read(path), name)
        except BrokenFile:
            raise
        except DatagenError as error:
            raise BrokenFile(f"{name}: {error}") from error
        if not {"pxy", "is_visible", "xyz"} <= set(found):
            raise BrokenFile(f"{name}: has {sorted(found)}, not pxy, is_visible and xyz")
        pxy, seen, xyz = (np.asarray(found[key]) for key in ("pxy", "is_visible", "xyz"))
        if xyz.ndim != 3 or xyz.shape[0] != xyz.shape[1] or xyz.shape[2] != 3 or not xyz.size or xyz.dtype.kind != "f":
            raise BrokenFile(f"{name}: xyz is {xyz.dtype} {xyz.shape}, not a square map of points; restore the file")
        if pxy.shape != (*seen.shape, 2) or seen.ndim != 1 or pxy.dtype.kind not in "iu" or seen.dtype.kind != "b":
            raise BrokenFile(
                f"{name}: pxy is {pxy.dtype} {pxy.shape} and is_visible {seen.dtype} {seen.shape}, not whole numbers "
                "(T, 2) and truth values (T,); restore the file"
            )
        self._points = len(pxy) if self._points is None else self._points
        if len(pxy) != self._points:
            raise BrokenFile(f"{name}: tracks {len(pxy)} points, other views {self._points}; restore the file")
        xyz = xyz.astype(np.float32)
        xyz = np.where((xyz == -1).all(axis=-1, keepdims=True), np.float32(np.nan), xyz)
        return Tracks(pxy.astype(np.int64), seen, xyz, self._side_px(view))

    def points(self) -> int:
        """How many surface points every view tracks."""
        return len(self.tracks(0).pxy) if self._points is None else self._points

    def correspondences(self, first: int, second: int) -> np.ndarray:
        """For each patch of `first` the patch of `second` showing the same point, (P,) int64, -1 = none."""
        geometry, other = self.geometry(first), self.geometry(second)
        if geometry is not None and other is not None:
            return corresponding_patches(patch_positions(geometry, self.grid), other, self.grid)
        return tracked_patches(self.tracks(first), self.tracks(second), self.grid)

    def forget(self) -> None:
        """Drop the depth maps that were read."""
        self._read.clear()

    def _side_px(self, view: int) -> int:
        """Pixels along a side of the view's picture as it is on disk."""
        if view not in self._side:
            path = self.views[view].stem + ".png"
            with _opened(self.files, path) as picture:
                width, height = picture.size
            if width != height:
                raise BrokenFile(f"{self.files.root}/{path}: is {width} x {height} px, not square; restore the file")
            self._side[view] = width
        return self._side[view]

    def _camera(self, view: int) -> tuple[np.ndarray, np.ndarray] | None:
        path = self.views[view].stem + ".json"
        if not self._has_depth and not self.files.has(path):
            return None
        try:
            camera = read_camera(json.loads(self.files.read(path)))
        except ValueError as error:
            raise BrokenFile(f"{self.files.root}/{path}: {error!r}") from error
        if camera is None:
            raise BrokenFile(f"{self.files.root}/{path}: holds no K, RT and RT_ of finite numbers; restore the file")
        return camera.K, camera.RT_

    @cached_property
    def _has_depth(self) -> bool:
        """Whether the views come with depth and cameras: where some do, one without has lost them."""
        return any(self.files.has(view.stem + "_depth.npy") for view in self.views)

    def geometry(self, view: int) -> ViewGeometry | None:
        """Depth and camera of a view, as large as it is on disk; None where there is no depth."""
        if view in self._read:
            return self._read[view]
        camera, path = self._camera(view), self.views[view].stem + "_depth.npy"
        geometry = None
        if camera is not None and self._has_depth:
            try:
                depth = np.load(io.BytesIO(self.files.read(path)), allow_pickle=False)
            except (ValueError, OSError, EOFError) as error:
                raise BrokenFile(f"{self.files.root}/{path}: {error}") from error
            if depth.ndim != 2 or depth.shape[0] != depth.shape[1] or not depth.size or depth.dtype.kind != "f":
                raise BrokenFile(f"{self.files.root}/{path}: is {depth.dtype} {depth.shape}, not a square depth map")
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


def tracked_patches(first: Tracks, second: Tracks, grid: int) -> np.ndarray:
    """Patch correspondences from tracked surface points where there is no depth (published data): (P,), -1 = none."""
    pixels = [np.clip(view.pxy, 0, view.side_px - 1) * grid // view.side_px for view in (first, second)]
    both = np.flatnonzero(first.is_visible & second.is_visible)[::-1]
    found = np.full(grid * grid, -1, dtype=np.int64)
    cells = [pixel[both, 0] * grid + pixel[both, 1] for pixel in pixels]
    found[cells[0]] = cells[1]
    return found
