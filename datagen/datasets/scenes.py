"""Which scenes of several objects a dataset has: their objects, labels, boxes and cameras, built here or published."""

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from datagen.core.camera import is_lens, pose_fault
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
    only_published: bool = False
    """Whether the box is of the published form because the scene has no other."""


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
    """Folders of a split by `named_split`; for `val` a tenth of the training shapes where no split validates.

    Raises BrokenFile where there is none.
    """
    told = _splits(files)
    name = named_split(files, split)
    if not told.get(name):
        names = told[next(key for key in told if "train" in key)]
        validating = _validating(names)
        return [name for name in names if _shape_of(name) in validating]
    return list(told[name])


def named_split(files: DatasetReader, split: str) -> str:
    """The split that is taken: that of the name, also of the study of object counts (split-count.json); for `test` the
    first whose name has it; `val` also where no split validates but one trains.

    Raises BrokenFile where there is none.
    """
    told = _splits(files)
    if told.get(split):
        return split
    found = next((key for key in told if "test" in key and told[key]), None) if split == "test" else None
    trains = any("train" in key for key in told)
    if found is None and not (split == "val" and trains):
        known = [*told, *(["val (a tenth of the training shapes)"] if trains and "val" not in told else [])]
        raise BrokenFile(f"{files.root}/split.json: no split {split}; it has {', '.join(known) or 'none'}")
    return found or split


def _splits(files: DatasetReader) -> dict[str, Any]:
    """Splits of split.json, then those of split-count.json whose names are not there."""
    told = read_table(files, "split.json")
    counts = read_table(files, "split-count.json") if files.has("split-count.json") else {}
    return told | {name: names for name, names in counts.items() if name not in told}


def list_scenes(files: DatasetReader, split: str, boxes: Boxes = "world", within: str = "") -> list[SceneSample]:
    """The scenes of a split by name, with boxes of one form; `within` takes those alone that are in that split too.

    Raises BrokenFile naming what is wrong.
    """
    names = split_names(files, split)
    own_val = bool(read_table(files, "split.json").get("val"))
    if split == "train" and not own_val:
        validating = _validating(names)
        names = [name for name in names if _shape_of(name) not in validating]
    if within:
        kept = set(split_names(files, within))
        names = [name for name in names if name in kept]
        if not names:
            raise BrokenFile(f"{files.root}: no scene of {split} is in split {within} (data.within); build more")
    if not names:
        told = "is of one shape; a second one has to validate" if split in ("train", "val") else "has no scene"
        raise BrokenFile(f"{files.root}: split {split} {told}; build more, or name scenes of val in split.json")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise BrokenFile(f"{files.root}/split.json: split {split} names {twice[0]} twice; restore the file")
    return [read_scene(files, name, split, boxes) for name in sorted(names)]


def _validating(names: Sequence[str]) -> set[str]:
    """The training shapes that validate: about a tenth by hash, one at least; of a single shape none."""
    drawn = {shape: fraction_of_hash(["val", shape]) for shape in map(_shape_of, names)}
    if len(drawn) < 2:
        return set()
    found = {shape for shape, at in drawn.items() if at < HELD_OUT} or {min(drawn, key=drawn.__getitem__)}
    # One is left to train on.
    return found if len(found) < len(drawn) else found - {max(drawn, key=drawn.__getitem__)}


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
    require_cameras(f"{files.root}/{path}", K, poses)
    for n, thing in enumerate(things):
        size = thing.box[1]
        if not all(map(math.isfinite, (*thing.box[0], *size))) or min(size) <= 0:
            raise BrokenFile(f"{files.root}/{path}: object {n} has the box {thing.box}; restore the file")
        if not _in_a_view(thing, K, poses):
            raise BrokenFile(f"{files.root}/{path}: no view shows object {n}; are boxes and poses of one world?")
    pictures = sum(name.endswith(".png") for name in files.list(f"{FOLDER}/{name}/RGB"))
    if pictures > len(poses):
        raise BrokenFile(f"{files.root}/{path}: {len(poses)} poses for {pictures} pictures; restore the file")
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


def require_cameras(where: str, K: Sequence[float], poses: Sequence[Sequence[float]]) -> None:
    """Raises BrokenFile for a lens that is none, and poses that are no rigid motion of right-handed axes."""
    lens = np.array(K, dtype=float).reshape(3, 3)
    if not is_lens(lens):
        raise BrokenFile(f"{where}: the lens K is {lens.tolist()}; restore the file")
    for view, pose in enumerate(poses):
        fault = pose_fault(np.array(pose, dtype=float).reshape(4, 4))
        if fault:
            raise BrokenFile(f"{where}: the pose of view {view} is {fault}; give world to camera, x right and y down")


def _in_a_view(thing: Thing, K: Sequence[float], poses: Sequence[Sequence[float]]) -> bool:
    """Whether a corner of the object's box, or its middle, is in the frame of a view, taken as the lens has it."""
    centre, size = map(np.array, thing.box)
    corners = np.array([*itertools.product((-0.5, 0.5), repeat=3), (0, 0, 0)]) * size + centre
    lens = np.array(K).reshape(3, 3)
    T = np.array(poses).reshape(-1, 4, 4)
    pixel = (T[:, None, :3, :3] @ corners[..., None] + T[:, None, :3, 3:])[..., 0] @ lens.T
    place = pixel[..., :2] / np.maximum(pixel[..., 2:], 1e-6)
    return bool(((pixel[..., 2] > 0) & (place > 0).all(-1) & (place < 2 * lens[:2, 2]).all(-1)).any())


def _thing(told: dict[str, Any], boxes: Boxes) -> Thing:
    """The label is the path's dash, as the published loader reads it: scene2d's `anomaly_labels` say the opposite."""
    asked = told.get(f"bbox_{boxes}")
    box = asked or told["bbox"]
    pose = told.get("T_world_shape")
    label = int(is_anomalous(str(told["path"])))
    if int(told.get("label", label)) != label:
        raise ValueError(f"object {told['name']} has the label {told['label']}, its path says {label}")
    kind = str(told.get("kind") or ("unknown" if label else "normal"))
    return Thing(
        box=(tuple(map(float, box[0])), tuple(map(float, box[1]))),
        label=label,
        kind=kind,
        severity=float(told.get("severity") or 0.0),
        pose=tuple(float(v) for row in pose for v in row) if pose else (),
        name=str(told["name"]),
        only_published=boxes == "world" and not asked,
    )
