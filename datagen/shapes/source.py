"""The seam: what a source of shapes offers, and how a collection's name becomes one."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from datagen.core.bundled import bundled
from datagen.core.errors import EmptyCollection, UsageError
from datagen.core.shape import Shape

DATA_VARIABLE = "DATAGEN_DATA"


@dataclass(frozen=True)
class ShapeEntry:
    """What a plan needs to know of a shape without its meshes.

    `part_classes` holds one class per leaf, sorted; it is empty where the labels cannot be read.
    """

    shape_id: str
    model_id: str
    part_classes: tuple[str, ...]
    published_split: str | None = None
    category: str = ""
    """What the shape is (`mug`); scenes are split by it. '' where the collection does not say."""


@runtime_checkable
class Source(Protocol):
    """A collection of shapes. `entries` is cheap and sorted; `load` reads one shape's meshes."""

    @property
    def name(self) -> str:
        """What the manifest's `source` column says."""

    @property
    def licence(self) -> str:
        """The licence text for the dataset card."""

    @property
    def stand_in(self) -> bool:
        """Whether this project made the shapes in place of real data."""

    @property
    def root(self) -> Path:
        """The folder (or single file) that the shapes come from."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the collection's folder holds that is no shape's, as `kind: detail`."""

    def entries(self) -> tuple[ShapeEntry, ...]:
        """All shapes in natural order of their ids, whatever the disk's order."""

    def digest(self, shape_id: str) -> str:
        """Content hash of the shape's files: part of its jobs' ids, read without parsing."""

    def load(self, shape_id: str) -> Shape:
        """One shape, normalised (+Z up). Raises ShapeError or MeshLoadError naming the file."""


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts `chair2` before `chair10`."""
    words = re.findall(r"\d+|\D+", text)
    return tuple((0, int(word), word) if word.isdecimal() else (1, 0, word) for word in words)


def open_collection(spec: str, data_root: Path | None = None, textured: bool = False) -> Source:
    """The source behind a path or a collection's name such as `partnet/chair`.

    A name is looked up under `data_root`, then $DATAGEN_DATA, then the built-in assets; below each as
    `<name>`, and as PartNet's flat `data_v0`, where the last word of the name picks the category. `toys` and
    `abc` that are found nowhere are generated. `textured` (for scenes): files keep their own materials, and every
    one of them is a shape of its own.
    Raises EmptyCollection (one line: what was looked for, and where), UsageError on a bad card and
    UnplacedParts on loose parts that nothing places.
    """
    from datagen.shapes.meshes import recognise_meshes
    from datagen.shapes.partnet import recognise_partnet
    from datagen.shapes.passed_over import passed_over
    from datagen.shapes.procedural.things.source import BUILT_IN, GeneratedThings
    from datagen.shapes.textured import recognise_things

    if data_root is not None and not data_root.is_dir():
        raise UsageError(f"--data-root {data_root} is not a folder; check the path")
    candidates = dict.fromkeys(_candidates(spec, data_root))
    there = [(path, category) for path, category in candidates if path.exists()]
    for path, category in there:
        source: Source | None = recognise_partnet(path, category)
        if source is None and category is None:
            source = recognise_things(path) if textured else recognise_meshes(path)
        if source is not None:
            return source
    built_in = BUILT_IN.get(spec.strip().lower().rstrip("/"))
    if built_in is not None:
        return GeneratedThings(built_in)
    named = [path for path, category in there if category is None]
    if not named:
        below = "" if Path(spec).is_absolute() else f" here or below {', '.join(map(str, _data_roots(data_root)))}"
        names = ", ".join(["partnet/chair", *BUILT_IN])
        raise EmptyCollection(f"{spec}: no such file or folder{below}; give a folder, a mesh file or one of {names}")
    places = ", ".join(str(path) for path in named)
    unread = [warning for path in named for warning in passed_over(path, ())]
    raise EmptyCollection(
        f"{spec}: no shape found in {places}; looked for PartNet folders (<id>/result_after_merging.json), for mesh "
        "files (obj, stl, ply, off, glb, gltf, step; blend for scenes) and for MuJoCo XML or URDF that place them"
        + (f"; {'; '.join(unread[:3])}: export it as GLB or OBJ" if unread else "")
    )


def _candidates(spec: str, data_root: Path | None) -> list[tuple[Path, str | None]]:
    """Places to look, in order; with a category only PartNet annotations of it count there."""
    if not spec.strip():
        raise UsageError("--shapes is empty; give a folder, a mesh file or a collection such as partnet/chair")
    path = Path(spec).expanduser()
    if path.exists() or path.is_absolute() or spec.startswith("."):
        return [(path, None)]
    places: list[tuple[Path, str | None]] = []
    for root in _data_roots(data_root):
        # A data root may hold the category's folder, PartNet's flat download, or be that download.
        flat = (root / path.parent / "data_v0", root / "data_v0", root)
        places += [(root / path, None), *((place, path.name.lower()) for place in flat)]
    return places


def _data_roots(data_root: Path | None) -> list[Path]:
    variable = os.environ.get(DATA_VARIABLE)
    roots = [data_root, Path(variable) if variable else None]
    return [*(Path(root).expanduser() for root in roots if root is not None), bundled("assets")]
