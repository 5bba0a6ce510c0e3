"""Which files make one shape: the rules for folders of plain meshes.

1. A mesh file, or a MuJoCo XML, given by itself is one shape.
2. Files of one stem in several formats, and `x_nodraco` beside `x`, are one object: the most readable counts.
3. A folder is one shape when collection.json says `"files": "parts"`, when a MuJoCo XML places its files,
   or when over half of its objects have part-like names (leg_1, seat, back, part3, plain small numbers).
4. In any other folder each object is a shape of its own, and each sub-folder with meshes is looked at by
   these rules again; a sub-folder with a single object gives a shape named after the folder.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from datagen.core.errors import MeshLoadError
from datagen.geometry.load import MESH_SUFFIXES, SCENE_SUFFIXES, STEP_SUFFIXES, needs_draco
from datagen.shapes.classify import PART_WORD
from datagen.shapes.mujoco import find_xml
from datagen.shapes.source import natural_key

_GENERIC_PART = re.compile(r"(part|component|piece|mesh|object|new|original)?[-_ ]?(\d{1,3})")


@dataclass(frozen=True)
class ShapeFiles:
    """The files of one shape: several part files in one frame, or one file; `xml` places the parts."""

    shape_id: str
    files: tuple[Path, ...]
    folder: Path
    xml: Path | None = None


def find_shapes(path: Path, files_rule: str = "") -> tuple[ShapeFiles, ...]:
    """All shapes at a path by the rules above, in natural order; `files_rule` is 'parts', 'shapes' or ''."""
    if path.suffix.lower() == ".xml" and path.is_file():
        return (ShapeFiles(path.stem, (), path.parent, path),)
    if path.is_file():
        known = path.suffix.lower() in MESH_SUFFIXES
        return (ShapeFiles(path.stem, (path,), path.parent),) if known else ()
    found = list(_folder_shapes(path, files_rule, is_root=True))
    if not (len(found) == 1 and found[0].folder == path and len(found[0].files) > 1):
        for child in sorted(path.iterdir()):
            if child.is_dir() and not child.name.startswith("."):
                found += _folder_shapes(child, files_rule, is_root=False)
    unique = {shape.shape_id: shape for shape in found}
    return tuple(sorted(unique.values(), key=lambda shape: natural_key(shape.shape_id)))


def _folder_shapes(folder: Path, files_rule: str, is_root: bool) -> list[ShapeFiles]:
    objects = distinct_objects(folder.iterdir())
    if not objects:
        return []
    xml = find_xml(folder)
    if files_rule != "shapes" and (len(objects) > 1 or xml) and (files_rule == "parts" or xml or _parts(objects)):
        return [ShapeFiles(folder.name, objects, folder, xml)]
    if len(objects) == 1:
        return [ShapeFiles(objects[0].stem if is_root else folder.name, objects, folder)]
    prefix = "" if is_root else f"{folder.name}-"
    return [ShapeFiles(f"{prefix}{path.stem}", (path,), folder) for path in objects]


def distinct_objects(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Mesh files with twins of one object dropped, in natural order."""
    chosen: dict[str, Path] = {}
    for path in sorted((p for p in paths if p.suffix.lower() in MESH_SUFFIXES and p.is_file()), key=_readability):
        chosen.setdefault(path.stem.lower().removesuffix("_nodraco"), path)
    return tuple(sorted(chosen.values(), key=lambda path: natural_key(path.name)))


def _readability(path: Path) -> tuple[int, str]:
    """Formats that keep part names first, files that need an extra last."""
    suffix = path.suffix.lower()
    if suffix in SCENE_SUFFIXES:
        try:
            return (6 if needs_draco(path) else 0), path.name
        except MeshLoadError:
            return 7, path.name
    if suffix in STEP_SUFFIXES:
        return 5, path.name
    return 1 + [".obj", ".ply", ".off", ".stl"].index(suffix), path.name


def _parts(objects: tuple[Path, ...]) -> bool:
    stems = [path.stem.lower() for path in objects]
    return 2 * sum(bool(_GENERIC_PART.fullmatch(stem) or PART_WORD.search(stem)) for stem in stems) > len(stems)
