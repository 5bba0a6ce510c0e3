"""Which MuJoCo XMLs and URDFs of a folder are shapes, and which mesh files they take.

1. An XML or URDF whose root is <mujoco> or <robot> and that places mesh files is one shape.
2. One that another includes is a piece of that other; one that includes several shapes is a scene of them.
3. Of two that name the same files, or some of the other's, the one with more counts, then the one named like its
   folder, then MuJoCo's.
4. A shape's home is the folder that holds its XML and its meshes, or the folder beside the XML that has its name.
   A home with one shape gives it its name; else it is named after the XML.
5. Meshes beside placed ones that no XML names belong to nothing and are told of, unless the only XML of a folder
   places a single file that is not named like the folder: then they are shapes of their own.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from datagen.core.clutter import real
from datagen.core.errors import ShapeError
from datagen.meshfiles.load import MESH_SUFFIXES
from datagen.shapes.mujoco import read_mujoco
from datagen.shapes.placing import PlacingPlan
from datagen.shapes.urdf import EXPAND, read_urdf
from datagen.shapes.xmlfile import root_tag

MAX_PLAN_DEPTH = 6
PLAN_SUFFIXES = (".xml", ".urdf", ".mjcf", ".xacro", ".sdf")


@dataclass(frozen=True)
class PlannedShape:
    """A shape that a plan's file places. `words` is its name below the collection's root, folder by folder.

    `files` are the mesh files it names and `idle` those beside them that nothing names.
    """

    words: tuple[str, ...]
    path: Path
    home: Path
    files: tuple[Path, ...]
    idle: tuple[Path, ...] = ()
    xmls: tuple[Path, ...] = ()
    placed: frozenset[Path] = frozenset()
    broken: bool = False

    @property
    def taken(self) -> frozenset[Path]:
        """Files that are no shapes of their own, as they are on disk."""
        return frozenset(real(path) for path in (*self.files, *self.idle))


def is_plan(path: Path) -> bool:
    """Whether a file is MJCF or URDF (or xacro, which is refused when it is read)."""
    if path.suffix.lower() not in PLAN_SUFFIXES or path.name.startswith(".") or not path.is_file():
        return False
    if path.suffix.lower() in (".urdf", ".xacro", ".sdf"):
        return True
    return _is_lost(path) or root_tag(path) in ("mujoco", "robot")


def _is_lost(path: Path) -> bool:
    """Whether an XML is empty or a git-lfs pointer: what it placed cannot be known, and is no shape meanwhile."""
    with path.open("rb") as file:
        start = file.read(40)
    return not start.strip() or start.startswith(b"version https://git-lfs")


def read_plan(path: Path, collection: Path | None = None) -> PlacingPlan:
    """A MuJoCo XML or URDF as its root says. Raises ShapeError naming the file."""
    if path.suffix.lower() == ".xacro":
        raise ShapeError(f"{path}: it is written in xacro; {EXPAND}")
    if path.suffix.lower() == ".sdf":
        raise ShapeError(f"{path}: SDF is not read; convert it to URDF or MuJoCo XML")
    if path.is_file() and _is_lost(path):
        raise ShapeError(f"{path}: it is empty or a git-lfs pointer; run `git lfs pull` or remove it")
    if path.is_file() and root_tag(path) == "robot":
        return read_urdf(path, collection)
    return read_mujoco(path, collection)


def plan_files(path: Path, collection: Path | None = None) -> tuple[Path, ...]:
    """The files that a plan's shape depends on: its XMLs and placed meshes. Broken ones count by themselves."""
    try:
        plan = read_plan(path, collection)
    except ShapeError:
        return (path,)
    return (*plan.xmls, *plan.files)


def find_plans(root: Path) -> tuple[PlannedShape, ...]:
    """Every shape below a folder that an XML or URDF places, by the rules above."""
    meshes: dict[Path, list[Path]] = {}
    found: list[PlannedShape] = []
    paths: list[Path] = []
    for folder, names, files in os.walk(root, followlinks=True):
        here = Path(folder)
        deep = len(here.relative_to(root).parts) >= MAX_PLAN_DEPTH
        names[:] = [] if deep else sorted(n for n in names if not n.startswith((".", "__")))
        meshes[here] = [here / n for n in sorted(files) if _is_mesh(n)]
        paths += [here / n for n in sorted(files) if is_plan(here / n)]
    expanded = {path.with_suffix("").stem for path in paths if path.suffix.lower() == ".urdf"}
    for path in paths:
        if path.suffix.lower() == ".xacro" and (expanded or not (meshes[path.parent] or named_in(path, meshes))):
            continue
        shape = _read(path, root, meshes)
        if shape is not None:
            found.append(shape)
    chosen = _without_variants(_without_pieces(found), root)
    return tuple(_named(chosen, root, meshes))


def _is_mesh(name: str) -> bool:
    return name.lower().endswith(MESH_SUFFIXES) and not name.startswith(".")


def named_in(path: Path, meshes: dict[Path, list[Path]]) -> list[Path]:
    """Mesh files below a plan's folder (or below the one above) whose names stand in its text."""
    text = path.read_bytes().decode("utf-8", "replace")
    for top in (path.parent, path.parent.parent):
        found = [m for folder, files in meshes.items() if folder.is_relative_to(top) for m in files if m.name in text]
        if found:
            return found
    # Names without their suffix, as MJCF's meshes may have.
    return [m for m in meshes.get(path.parent / "meshes", []) if m.stem in text]


def _read(path: Path, root: Path, meshes: dict[Path, list[Path]]) -> PlannedShape | None:
    """A plan as a shape, or None where it places nothing and no mesh waits for it."""
    beside = path.parent / path.stem
    near = meshes.get(beside) or meshes[path.parent]
    try:
        plan = read_plan(path, root)
    except ShapeError:
        # Reading the shape says what is wrong; its neighbours must not pass for shapes meanwhile.
        near = near or named_in(path, meshes)
        return (
            PlannedShape((), path, beside if meshes.get(beside) else path.parent, tuple(near), broken=True)
            if near
            else None
        )
    if not plan.files and ((near and plan.placements) or (not near and not plan.placements)):
        return None
    placed = frozenset(real(file) for file in plan.files)
    return PlannedShape((), path, _home(path, plan, root), plan.named or tuple(near), (), plan.xmls[1:], placed)


def _home(path: Path, plan: PlacingPlan, root: Path) -> Path:
    folders = [file.parent for file in plan.files]
    beside = path.parent / path.stem
    if beside.is_dir() and folders and all(folder.is_relative_to(beside) for folder in folders):
        return beside
    common = Path(os.path.commonpath([path.parent, *folders]))
    return common if common.is_relative_to(root) else path.parent


def _without_pieces(found: list[PlannedShape]) -> list[PlannedShape]:
    """Included files and scenes of several shapes taken out."""
    own = {real(shape.path): shape for shape in found}
    scenes, pieces = set(), set()
    for shape in found:
        inner = [own[real(xml)] for xml in shape.xmls if real(xml) in own and real(xml) != real(shape.path)]
        whole = [piece for piece in inner if piece.placed]
        if len(whole) > 1 and shape.placed == frozenset().union(*(piece.placed for piece in whole)):
            scenes.add(shape.path)
        else:
            pieces |= {piece.path for piece in inner}
    return [shape for shape in found if shape.path not in scenes | pieces]


def _without_variants(found: list[PlannedShape], root: Path) -> list[PlannedShape]:
    def order(shape: PlannedShape) -> tuple:
        inside = shape.path.parent == shape.home
        return (
            -len(shape.placed),
            not inside,
            shape.path.stem != shape.home.name,
            shape.path.suffix.lower() != ".xml",
            len(shape.path.parts),
            str(shape.path),
        )

    chosen: list[PlannedShape] = []
    for shape in sorted(found, key=order):
        if shape.broken and any(other.home == shape.home for other in chosen):
            continue
        if not shape.placed or not any(shape.placed <= other.placed for other in chosen):
            chosen.append(shape)
    return chosen


def _named(chosen: list[PlannedShape], root: Path, meshes: dict[Path, list[Path]]) -> Iterable[PlannedShape]:
    """Shapes with their names and the idle meshes beside theirs."""
    every = {real(file) for shape in chosen for file in shape.files}
    for shape in sorted(chosen, key=lambda s: str(s.path)):
        words = shape.home.relative_to(root).parts
        at_home = [other for other in chosen if other.home == shape.home]
        folders = {shape.home, *(file.parent for file in shape.files)}
        stems = {(file.parent, file.stem.lower()) for file in shape.files}
        twins = [p for f in folders for p in meshes.get(f, []) if (p.parent, p.stem.lower()) in stems]
        idle = [p for f in sorted(folders) for p in meshes.get(f, []) if real(p) not in every and p not in twins]
        named_like_home = shape.path.stem in (shape.home.name, real(shape.home).name)
        alone = len(at_home) == 1 and (named_like_home or len(shape.placed) > 1 or not idle)
        if not alone:
            words, idle = (*words, shape.path.stem), []
        elif not words:
            words = (real(shape.home).name,)
        yield replace(shape, words=words, idle=(*idle, *(t for t in twins if real(t) not in every)))
