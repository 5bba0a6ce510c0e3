"""Which files make one shape: the rules for folders of plain meshes.

1. A mesh file, or a MuJoCo XML or URDF, given by itself is one shape; plans.py says which of them in a folder are.
2. Files of one stem in several formats, and `x_nodraco` beside `x`, are one object: the most readable counts.
3. A folder is one shape when collection.json says `"files": "parts"`, when a MuJoCo XML or URDF places its files,
   or when over half of its objects have part-like names (leg_1, seat, back, part3, plain small numbers).
4. In any other folder each object is a shape of its own, and each sub-folder, up to six levels down, is looked
   at by these rules again. A sub-folder with a single object gives a shape named after the folder; `models/` and
   the like (ShapeNet's `<id>/models/model_normalized.obj`) give theirs the name of the folder above.
5. Hidden files and what systems leave behind count nowhere; links are followed, each folder once.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from datagen.core.clutter import check_name, is_clutter, real
from datagen.core.errors import MeshLoadError, UsageError
from datagen.meshfiles.load import GLTF_SUFFIXES, MESH_SUFFIXES, STEP_SUFFIXES, needs_draco
from datagen.recipe.category import Category
from datagen.shapes.classify import is_part_name
from datagen.shapes.partnet_tree import refuse_buried
from datagen.shapes.plans import PlannedShape, find_plans, is_plan
from datagen.shapes.source import natural_key

MAX_DEPTH = 6
_INNER = frozenset({"models", "model", "meshes", "mesh", "geometry"})
"""Folders that say nothing of the shape in them."""
_GENERIC_PART = re.compile(r"(part|component|piece|mesh|object|new|original)?[-_ ]?(\d{1,3})")


@dataclass(frozen=True)
class ShapeFiles:
    """The files of one shape: several part files in one frame, or one file; `plan` (MJCF, URDF) places the parts."""

    shape_id: str
    files: tuple[Path, ...]
    folder: Path
    plan: Path | None = None


def find_shapes(path: Path, category: Category, files_rule: str = "") -> tuple[ShapeFiles, ...]:
    """All shapes at a path by the rules above, in natural order; `files_rule` is 'parts', 'shapes' or ''.

    The category says which names are those of parts.
    """
    if is_plan(path):
        return (ShapeFiles(path.stem, (), path.parent, path),)
    if path.is_file():
        known = path.suffix.lower() in MESH_SUFFIXES
        return (ShapeFiles(path.stem, (path,), path.parent),) if known else ()
    plans = find_plans(path) if files_rule != "shapes" else ()
    taken = frozenset[Path]().union(*(plan.taken for plan in plans))
    found: dict[str, ShapeFiles] = {}
    for plan in plans:
        _add(found, _planned(plan), path)
    whole: list[Path] = []
    for folder in folders(path):
        if any(folder.is_relative_to(other) for other in whole):
            continue
        refuse_buried(folder)
        here = _folder_shapes(folder, files_rule, taken, telling_parts(folder, path), category)
        if here and len(here[0].files) > 1:
            whole.append(folder)
        for shape in here:
            _add(found, shape, path)
    return tuple(sorted(found.values(), key=lambda shape: natural_key(shape.shape_id)))


def _add(found: dict[str, ShapeFiles], shape: ShapeFiles, root: Path) -> None:
    """Note a shape. Raises UsageError where another has its name."""
    other = found.get(shape.shape_id)
    if other is not None:
        one, two = (s.plan or s.files[0] for s in (shape, other))
        raise UsageError(f"{root}: {one} and {two} would both be the shape {shape.shape_id}; rename one of them")
    found[shape.shape_id] = shape


def _planned(plan: PlannedShape) -> ShapeFiles:
    """A shape that an XML places; its files are those of its home and whatever else it names."""
    files = distinct_objects((*plan.files, *plan.idle))
    return ShapeFiles("-".join(plan.words), files, plan.home, plan.path)


def folders(root: Path, without: Set[Path] = frozenset()) -> Iterator[Path]:
    """A folder and those below it, sorted, six levels deep; links are followed, each real folder once.

    What lies in and below the folders `without` is not looked at.
    """
    seen: set[Path] = set()
    stack = [(root, 0)]
    while stack:
        folder, depth = stack.pop()
        place = real(folder)
        if place in seen:
            continue
        seen.add(place)
        yield folder
        if depth < MAX_DEPTH:
            inner = (c for c in folder.iterdir() if not is_clutter(c.name) and c not in without and c.is_dir())
            children = sorted(inner, reverse=True)
            for child in children:
                check_name(child)
            stack.extend((child, depth + 1) for child in children)


def reach(root: Path) -> Path:
    """How far the files of a collection may point: to the folder above it, where `../images` of its meshes lies."""
    root = root.absolute()
    return root.parent if root.is_dir() else root.parent.parent


def telling_parts(folder: Path, root: Path) -> list[str]:
    """The folders from a collection's root down to one, without `models/` and the like."""
    return [part for part in folder.relative_to(root).parts if part.lower() not in _INNER]


def _folder_shapes(
    folder: Path, files_rule: str, taken: frozenset[Path], words: list[str], category: Category
) -> list[ShapeFiles]:
    objects = distinct_objects(path for path in folder.iterdir() if not taken or real(path) not in taken)
    if not objects:
        return []
    if files_rule != "shapes" and len(objects) > 1 and (files_rule == "parts" or _parts(objects, category)):
        return [ShapeFiles("-".join(words) or folder.name, objects, folder)]
    if len(objects) == 1:
        return [ShapeFiles("-".join(words) or objects[0].stem, objects, folder)]
    return [ShapeFiles("-".join([*words, path.stem]), (path,), folder) for path in objects]


def loose_parts(shapes: Iterable[ShapeFiles], root: Path) -> tuple[str, ...]:
    """Warnings of folders whose files are shapes of their own, but are called as those of other folders are.

    `mill_01/{tower,sail_1}.stl` beside `mill_02/{tower,sail_1}.stl` are rather two mills than four shapes.
    """
    stems: dict[Path, dict[str, None]] = {}
    for shape in shapes:
        if len(shape.files) == 1 and shape.plan is None and shape.folder != root:
            stems.setdefault(shape.folder, {})[re.sub(r"[\d\W_]+", "", shape.files[0].stem.lower())] = None
    times = Counter(stem for words in stems.values() for stem in words if stem)
    kind = (
        "files read as a shape each, though called like parts of one; where they are, name their category= or write "
        '"files":"parts" in collection.json'
    )
    return tuple(
        f"{kind}: {folder.relative_to(root).as_posix()} ({', '.join(words)})"
        for folder, words in stems.items()
        if len(words) > 1 and 2 * sum(times[word] > 1 for word in words) > len(words)
    )


def distinct_objects(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Mesh files with twins of one object dropped, in natural order."""
    chosen: dict[str, Path] = {}
    meshes = (p for p in paths if p.suffix.lower() in MESH_SUFFIXES and not is_clutter(p.name) and p.is_file())
    for path in sorted(meshes, key=_readability):
        check_name(path)
        chosen.setdefault(path.stem.removesuffix("_nodraco"), path)
    return tuple(sorted(chosen.values(), key=lambda path: natural_key(path.name)))


def _readability(path: Path) -> tuple[int, str]:
    """Formats that keep part names first, files that need an extra last."""
    suffix = path.suffix.lower()
    if suffix in GLTF_SUFFIXES:
        try:
            return (6 if needs_draco(path) else 0), path.name
        except MeshLoadError:
            return 7, path.name
    if suffix in STEP_SUFFIXES:
        return 5, path.name
    return 1 + [".obj", ".ply", ".off", ".stl"].index(suffix), path.name


def _parts(objects: tuple[Path, ...], category: Category) -> bool:
    stems = [path.stem.lower() for path in objects]
    told = (bool(_GENERIC_PART.fullmatch(stem) or is_part_name(stem, category)) for stem in stems)
    return 2 * sum(told) > len(stems)
