"""The files of one scene as they are read to be judged: whatever is damaged is noted, never raised."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from datagen.core.errors import BrokenFile
from datagen.core.ids import bytes_hash
from datagen.formats.exr import read_exr
from datagen.formats.oddoneout import BACKGROUND_DEPTH
from datagen.store.reader import DatasetReader
from datagen.verify.damage import DAMAGE

SOFT = (8, 200)
"""Levels between which a pixel of a segmentation is neither of its object nor not."""


def scene_folders(files: DatasetReader) -> tuple[str, ...]:
    """Folders that hold a scene3d.metadata.json, sorted."""
    ending = "/scene3d.metadata.json"
    return tuple(sorted(name.removesuffix(ending) for name in files.sizes if name.endswith(ending)))


def _plain(image: Image.Image, pixels: np.ndarray) -> str:
    return ""


def _mask_fault(image: Image.Image, pixels: np.ndarray) -> str:
    """Loaders take one channel of a mask and multiply by it."""
    if image.mode not in ("1", "L"):
        return f"is of mode {image.mode}, not one channel"
    return "has levels between 0 and 255" if ((pixels > 0) & (pixels < 255)).any() else ""


def _segmentation_fault(image: Image.Image, pixels: np.ndarray) -> str:
    """The published ones are 0-1 and 205-207, alpha 255."""
    if "A" in image.getbands() and image.getchannel("A").getextrema() != (255, 255):
        return "is not opaque"
    return "has soft edges" if ((pixels > SOFT[0]) & (pixels < SOFT[1])).any() else ""


def _depth_fault(channels: Mapping[str, np.ndarray]) -> str:
    """Viewers read any of three equal channels."""
    if set(channels) != set("RGB") or any(depth.dtype != np.float32 for depth in channels.values()):
        return (
            f"has the channels {', '.join(channels)} of {', '.join(sorted({str(d.dtype) for d in channels.values()}))}"
        )
    depth = channels["R"]
    if any(not np.array_equal(depth, channels[c], equal_nan=True) for c in "GB"):
        return "differs between R, G and B"
    sky = ~(depth < BACKGROUND_DEPTH / 2)
    return "has a sky that is not 1e10" if (depth[sky] != BACKGROUND_DEPTH).any() else ""


class SceneFiles:
    """Files of one scene, every damage noted."""

    def __init__(self, files: DatasetReader, folder: str) -> None:
        self.files, self.folder = files, folder
        self.problems: dict[str, str] = {}
        self.hashes: dict[str, str] = {}
        self.unplain: dict[str, str] = {}
        """Files that can be decoded and are stored otherwise than the published loaders read them."""

    def data(self, name: str) -> bytes | None:
        path = f"{self.folder}/{name}"
        if path not in self.files.sizes:
            return None
        try:
            data = self.files.read(path)
        except BrokenFile as error:
            self.problems[name] = f"cannot be read ({error.args[0]})"
            return None
        self.hashes[path] = bytes_hash(data)
        return data

    def table(self, name: str) -> dict[str, Any]:
        data = self.data(name)
        if data is None:
            self.problems.setdefault(name, "is missing")
            return {}
        try:
            value = json.loads(data)
        except ValueError as error:
            self.problems[name] = f"is no JSON ({error})"
            return {}
        return value if isinstance(value, dict) else {}

    def image(
        self, name: str, mode: str = "L", wanted: bool = True, judge: Callable[[Image.Image, np.ndarray], str] = _plain
    ) -> np.ndarray | None:
        """A picture in a mode. `judge` says of the file and its pixels how it is stored wrongly, or ''."""
        data = self.data(name)
        if data is None:
            if wanted:
                self.problems.setdefault(name, "is missing")
            return None
        try:
            with Image.open(io.BytesIO(data)) as image:
                found = np.asarray(image.convert(mode))
                if told := judge(image, found):
                    self.unplain[name] = told
                return found
        except DAMAGE as error:
            self.problems[name] = f"cannot be decoded ({error})"
            return None

    def picture(self, name: str) -> np.ndarray | None:
        """A picture (H, W, 4) uint8 with its alpha, 255 where it has none; None where it cannot be read."""
        return self.image(name, "RGBA")

    def mask(self, name: str) -> np.ndarray | None:
        """A mask (H, W) uint8; None where it is not there or cannot be read."""
        return self.image(name, wanted=False, judge=_mask_fault)

    def segmentation(self, name: str) -> np.ndarray | None:
        """The mask (H, W) uint8 of one object; None where it cannot be read."""
        return self.image(name, judge=_segmentation_fault)

    def labels(self, name: str) -> np.ndarray | None:
        """A 16-bit picture as it is, or None."""
        data = self.data(name)
        if data is None:
            return None
        try:
            with Image.open(io.BytesIO(data)) as image:
                if not image.mode.startswith("I"):
                    raise ValueError(f"it is of mode {image.mode}, not 16-bit grey")
                return np.asarray(image).astype(np.int64)
        except DAMAGE as error:
            self.problems[name] = f"cannot be decoded ({error})"
            return None

    def depth(self, name: str) -> np.ndarray | None:
        data = self.data(name)
        if data is None:
            return None
        try:
            channels = read_exr(data, name)
            if told := _depth_fault(channels):
                self.unplain[name] = told
            return np.asarray(list(channels.values())[0], dtype=np.float64)  # noqa: RUF015  no channel is damage too
        except DAMAGE as error:
            self.problems[name] = str(error)
            return None
