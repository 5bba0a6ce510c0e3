"""Which scenes of several objects a dataset has: their objects, labels, boxes and cameras, built here or published."""

from dataclasses import dataclass
from typing import Any, Literal

from datagen.core.errors import BrokenFile
from datagen.core.ids import fraction_of_hash
from datagen.datasets.samples import read_table
from datagen.formats.oddoneout import FOLDER, is_anomalous
from datagen.store.reader import DatasetReader

Boxes = Literal["world", "published"]
HELD_OUT = 0.1
"""Share of the training shapes that validate where a dataset has no split of its own for that."""


@dataclass(frozen=True)
class Thing:
    """One object of a scene: its box in the world (centre and size, metres), label, kind, and how it stands."""

    box: tuple[tuple[float, ...], tuple[float, ...]]
    label: int
    kind: str
    severity: float
    pose: tuple[float, ...]
    """World from the shape's own frame (4 x 4, row-major); empty where unknown."""
    name: str
    """Of its folder below segmentations/."""


@dataclass(frozen=True)
class SceneSample:
    """A scene of a split."""

    name: str
    shape: str
    """The shape whose instances it shows: intervals are drawn over these."""
    category: str
    split: str
    things: tuple[Thing, ...]
    K: tuple[float, ...]
    """3 x 3 row-major, in pixels of the pictures as they are on disk."""
    extrinsics: tuple[tuple[float, ...], ...]
    """World to camera, OpenCV axes, of every view."""
    twin: str = ""
    """The scene of which this one has the majority swapped; empty where there is none."""


def split_names(files: DatasetReader, split: str) -> list[str]:
    """Folders of a split: of that name, also of the study of object counts (split-count.json); for `test` the first
    whose name has it, for `val` a tenth of the training shapes where no split validates.

    Raises BrokenFile where there is none.
    """
    told = read_table(files, "split.json")
    if split not in told and files.has("split-count.json"):
        told = told | read_table(files, "split-count.json")
    if told.get(split):
        return list(told[split])
    train = next((key for key in told if "train" in key), None)
    if split == "test":
        found = next((key for key in told if "test" in key and told[key]), None)
        if found is not None:
            return list(told[found])
    if split == "val" and train is not None:
        return [name for name in told[train] if _validates(name)]
    raise BrokenFile(f"{files.root}/split.json: no split {split}; it has {', '.join(told) or 'none'}")


def list_scenes(files: DatasetReader, split: str, boxes: Boxes = "world") -> list[SceneSample]:
    """The scenes of a split by name, with boxes of one form. Raises BrokenFile naming what is wrong."""
    names = split_names(files, split)
    own_val = bool(read_table(files, "split.json").get("val"))
    if split == "train" and not own_val and any(_validates(name) for name in names):
        kept = [name for name in names if not _validates(name)]
        names = kept or names
    if not names:
        raise BrokenFile(f"{files.root}: split {split} has no scene; build more")
    return [read_scene(files, name, split, boxes) for name in sorted(names)]


def _validates(name: str) -> bool:
    return fraction_of_hash(["val", _shape_of(name)]) < HELD_OUT


def _shape_of(name: str) -> str:
    """The shape in a folder's name: what stands before the scene's number."""
    return name.split("-")[0]


def read_scene(files: DatasetReader, name: str, split: str = "", boxes: Boxes = "world") -> SceneSample:
    """A scene's tables, with boxes of one form. Raises BrokenFile."""
    path = f"{FOLDER}/{name}/scene3d.metadata.json"
    told = read_table(files, path)
    try:
        own = told.get("datagen") or {}
        things = tuple(_thing(one, boxes) for one in told["objects"])
        K = tuple(float(v) for row in told["camera"]["K"] for v in row)
        poses = tuple(tuple(float(v) for row in p["rotation"] for v in row) for p in told["camera"]["poses"])
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenFile(f"{files.root}/{path}: {error!r}; restore the file") from error
    if len(K) != 9 or not poses or any(len(pose) != 16 for pose in poses) or not things:
        raise BrokenFile(f"{files.root}/{path}: K, poses or objects are not what they should be; restore the file")
    shape = _shape_of(name)
    return SceneSample(
        name,
        shape,
        str(own.get("category") or shape.rpartition("_")[0]),
        split,
        things,
        K,
        poses,
        str(own.get("twin") or ""),
    )


def _thing(told: dict[str, Any], boxes: Boxes) -> Thing:
    """The label is the path's dash, as the published loader reads it: scene2d's `anomaly_labels` say the opposite."""
    box = told.get(f"bbox_{boxes}") or told["bbox"]
    pose = told.get("T_world_shape")
    label = int(told["label"]) if "label" in told else int(is_anomalous(str(told["path"])))
    kind = str(told.get("kind") or ("unknown" if label else "normal"))
    return Thing(
        box=(tuple(map(float, box[0])), tuple(map(float, box[1]))),
        label=label,
        kind=kind,
        severity=float(told.get("severity") or 0.0),
        pose=tuple(float(v) for row in pose for v in row) if pose else (),
        name=str(told["name"]),
    )
