"""What a scan of a folder of meshes leaves unread, in words: nothing is dropped without one."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from datagen.core.clutter import is_clutter
from datagen.meshfiles.load import MESH_SUFFIXES
from datagen.shapes.layout import MAX_DEPTH, folders

UNREAD_SUFFIXES = (
    *(".3dm", ".3ds", ".3mf", ".abc", ".amf", ".blend", ".brep", ".dae", ".dxf", ".fbx", ".iges", ".igs", ".ifc"),
    *(".lwo", ".max", ".mesh", ".msh", ".skp", ".sldprt", ".usd", ".usda", ".usdc", ".usdz", ".vrml"),
    *(".vtk", ".vtp", ".wrl", ".x", ".x3d"),
)
"""Formats of meshes that are not read."""
MOST_SEEN = 2000
"""Files that are looked at below a folder that is too deep to be searched."""


def passed_over(root: Path, read: Iterable[Path]) -> tuple[str, ...]:
    """Warnings of the mesh files in and below a folder that are no shape's, and of folders that are not searched.

    `read` are the files that shapes are made of. A `root` that is itself a file leaves nothing out.
    """
    if not root.is_dir():
        return ()
    known = {path.resolve() for path in read}
    return tuple(_warnings(root, known))


def _warnings(root: Path, known: set[Path]) -> Iterator[str]:
    for folder in folders(root):
        depth = len(folder.relative_to(root).parts)
        for path in sorted(folder.iterdir()):
            if is_clutter(path.name):
                continue
            name, suffix = path.relative_to(root).as_posix(), path.suffix.lower()
            if path.is_dir():
                if depth == MAX_DEPTH and _holds_meshes(path):
                    yield f"folder below six levels not searched: {name}"
            elif suffix in UNREAD_SUFFIXES and path.resolve() not in known:
                yield f"mesh format not read: {name}"
            elif suffix in MESH_SUFFIXES and path.resolve() not in known:
                yield f"mesh file left out: {name}"


def _holds_meshes(folder: Path) -> bool:
    return any(path.suffix.lower() in MESH_SUFFIXES for path in islice(folder.rglob("*"), MOST_SEEN))
