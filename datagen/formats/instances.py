"""Pictures with instances: what a dataset of any kind shows, as values that exporters read."""

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from datagen.core.errors import BrokenFile
from datagen.formats.pictures import decoded
from datagen.formats.posed import PosedViews
from datagen.formats.solids import Depth, Solids
from datagen.formats.stages import Stages
from datagen.store.reader import DatasetReader

Record = Mapping[str, Any]
"""A row of the manifest."""


@dataclass(frozen=True, eq=False)
class Instance:
    """One anomaly as one picture shows it: its mask (H, W) bool, never empty, and plain JSON `attributes`."""

    kind: str
    mask: np.ndarray = field(repr=False)
    attributes: Mapping[str, Any]

    @property
    def area(self) -> int:
        """Pixels of the mask."""
        return int(self.mask.sum())

    @property
    def box_xywh(self) -> tuple[float, float, float, float]:
        """The tight box in pixels of the picture; x + w and y + h are exclusive."""
        rows, columns = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        x, y = float(columns[0]), float(rows[0])
        return x, y, float(columns[-1]) + 1 - x, float(rows[-1]) + 1 - y

    def to_json(self) -> dict[str, Any]:
        """`kind`, `bbox` (x, y, w, h), `area` and `attributes` as plain values."""
        attributes = dict(self.attributes)
        return {"kind": self.kind, "bbox": list(self.box_xywh), "area": self.area, "attributes": attributes}


@dataclass(frozen=True, eq=False)
class Picture:
    """One sample: a PNG of the dataset, and the anomalies that it shows.

    `name` is flat, holds no dot and no suffix, and is unique in the dataset. `path` is below the dataset's folder.
    """

    name: str
    path: str
    width: int
    height: int
    split: str
    label: int
    sample_id: str
    instances: tuple[Instance, ...]
    shape_id: str = ""
    category: str = ""
    """What is seen, as the collection says it (`mug`); '' where it does not say."""
    references: tuple[str, ...] = ()
    """Paths of the reference views that the picture is to be held against; () for kinds without."""

    @property
    def kind(self) -> str:
        """The kind of its anomalies: `good` without, `several` where they differ."""
        kinds = {instance.kind for instance in self.instances}
        return "good" if not kinds else kinds.pop() if len(kinds) == 1 else "several"

    @property
    def mask(self) -> np.ndarray:
        """All its anomalies (H, W) bool."""
        found = np.zeros((self.height, self.width), dtype=bool)
        for instance in self.instances:
            found |= instance.mask
        return found

    def to_json(self) -> dict[str, Any]:
        """What is told beside the pixels: label, kind, split, names, and each instance, as plain values."""
        return {
            "label": self.label,
            "kind": self.kind,
            "split": self.split,
            "category": self.category,
            "shape_id": self.shape_id,
            "sample_id": self.sample_id,
            "source_path": self.path,
            "instances": [instance.to_json() for instance in self.instances],
        }


@dataclass(frozen=True, eq=False)
class SeenObject:
    """An object that stands among others: the mask of each view that may show it, by the path of the view's picture.

    `size` is (width, height) of the pictures.
    """

    stage: str
    name: str
    split: str
    label: int
    size: tuple[int, int]
    masks: Mapping[str, str] = field(repr=False)


Depths = Callable[[DatasetReader, Sequence[Record], str], Callable[[Picture], Depth]]
"""What gives the depth of each picture of the rows; the text names the shapes, as of `Solids`.

Raises UsageError, BrokenFile.
"""


@dataclass(frozen=True)
class Instances:
    """What a kind of dataset tells about its pictures: the published `kinds` of anomaly, and rows as `Picture`s.

    `pictures` yields the samples among the rows in the order of their names. It raises BrokenFile for a file that
    cannot be read.
    """

    kinds: tuple[str, ...]
    pictures: Callable[[DatasetReader, Sequence[Record]], Iterator[Picture]]
    row_type: str = "sample"
    """The rows that tell of anomalies."""
    posed: PosedViews | None = None
    """The views of one still thing with their cameras; None for kinds without."""
    solids: Solids | None = None
    """Meshes of normal and anomalous things; None for kinds without."""
    depths: Depths | None = None
    """Depth of pictures; None for kinds without."""
    stages: Stages | None = None
    """Scenes with the meshes of their objects; None for kinds without."""
    objects: Callable[[DatasetReader, Sequence[Record]], Iterator[SeenObject]] | None = None
    """Objects that stand side by side, normal ones too; None for kinds of single things."""

    def kinds_in(self, rows: Sequence[Record]) -> tuple[str, ...]:
        """All kinds that a dataset may show, sorted: the published ones, and others that its rows name."""
        told = {row["kind"] for row in rows if row["row_type"] == self.row_type and row["label"]}
        return tuple(sorted({*self.kinds, *told}))


def flat_name(*words: str) -> str:
    """Words joined by '-', as a file name without dots and slashes: readers cut a name at its first dot.

    Letters and digits of any script stay: two words of another one are not to become one.
    """
    return re.sub(r"[^\w-]", "_", "-".join(words))


def read_size(reader: DatasetReader, path: str) -> tuple[int, int]:
    """(width, height) of a picture. Raises BrokenFile."""
    data = reader.read(path)
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.size
    except (OSError, ValueError, SyntaxError) as error:
        raise _broken(reader, path, "picture") from error


def read_mask(reader: DatasetReader, path: str, size: tuple[int, int]) -> np.ndarray:
    """A mask as (H, W) bool: what is above 127. `size` is (width, height) of its picture. Raises BrokenFile."""
    data = reader.read(path)
    try:
        mask = decoded(data, "L") > 127
    except (OSError, ValueError, SyntaxError) as error:
        raise _broken(reader, path, "mask") from error
    if mask.shape != (size[1], size[0]):
        raise BrokenFile(
            f"{reader.root / path} is {mask.shape[1]} x {mask.shape[0]} and its picture {size[0]} x {size[1]}; "
            "`datagen verify` says which of them is wrong"
        )
    return mask


def read_json(reader: DatasetReader, path: str) -> Any:
    """A JSON file of the dataset. Raises BrokenFile."""
    try:
        return json.loads(reader.read(path))
    except ValueError as error:
        raise _broken(reader, path, "JSON file") from error


def _broken(reader: DatasetReader, path: str, what: str) -> BrokenFile:
    return BrokenFile(f"{reader.root / path} is no {what} that can be read; restore it, or build the dataset again")
