"""The files of one scene as they are read to be judged: whatever is damaged is noted, never raised."""

import io
import json
from typing import Any

import numpy as np
from PIL import Image

from datagen.core.errors import BrokenFile
from datagen.core.ids import bytes_hash
from datagen.formats.exr import read_exr
from datagen.store.reader import DatasetReader
from datagen.verify.damage import DAMAGE


def scene_folders(files: DatasetReader) -> tuple[str, ...]:
    """Folders that hold a scene3d.metadata.json, sorted."""
    ending = "/scene3d.metadata.json"
    return tuple(sorted(name.removesuffix(ending) for name in files.sizes if name.endswith(ending)))


class SceneFiles:
    """Files of one scene, every damage noted."""

    def __init__(self, files: DatasetReader, folder: str) -> None:
        self.files, self.folder = files, folder
        self.problems: dict[str, str] = {}
        self.hashes: dict[str, str] = {}

    def has(self, name: str) -> bool:
        return f"{self.folder}/{name}" in self.files.sizes

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

    def image(self, name: str, mode: str = "L", wanted: bool = True) -> np.ndarray | None:
        data = self.data(name)
        if data is None:
            if wanted:
                self.problems.setdefault(name, "is missing")
            return None
        try:
            with Image.open(io.BytesIO(data)) as image:
                return np.asarray(image.convert(mode))
        except DAMAGE as error:
            self.problems[name] = f"cannot be decoded ({error})"
            return None

    def picture(self, name: str) -> np.ndarray | None:
        """A picture (H, W, 4) uint8 with its alpha, 255 where it has none; None where it cannot be read."""
        return self.image(name, "RGBA")

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
            return np.asarray(list(channels.values())[0], dtype=np.float64)  # noqa: RUF015  no channel is damage too
        except DAMAGE as error:
            self.problems[name] = str(error)
            return None
