"""What a scan of a folder of meshes leaves unread, in words: nothing is dropped without one."""

import os
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path

from datagen.core.clutter import is_clutter, real
from datagen.meshfiles.load import MESH_SUFFIXES
from datagen.shapes.layout import MAX_DEPTH, folders
from datagen.shapes.plans import PLAN_SUFFIXES, is_plan

UNREAD_SUFFIXES = (
    *(".3dm", ".3ds", ".3mf", ".abc", ".amf", ".blend", ".brep", ".c4d", ".dae", ".drc", ".dxf", ".fbx", ".gz"),
    *(".iges", ".igs", ".ifc", ".jt", ".lwo", ".ma", ".max", ".mesh", ".msh", ".pcd", ".prt", ".skp", ".sldprt"),
    *(".usd", ".usda", ".usdc", ".usdz", ".vox", ".vrml", ".vtk", ".vtp", ".wrl", ".x", ".x3d", ".x_t", ".xyz"),
)
"""Formats of meshes that are not read."""
MOST_SEEN = 2000
"""Files that are looked at below a folder that is too deep to be searched."""


def passed_over(root: Path, read: Iterable[Path], whole: Iterable[Path] = ()) -> tuple[str, ...]:
    """Warnings of the mesh files in and below a folder that are no shape's, and of folders that are not searched.

    `read` are the files that shapes are made of, `whole` folders that are read by rules of their own. A `root` that
    is itself a file leaves nothing out.
    """
    if not root.is_dir():
        return ()
    return tuple(_warnings(root, _Read(read), frozenset(whole)))


class _Read:
    """The files that are read. Links are followed only where a path is not among them as it is written."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = frozenset(paths)

    @cached_property
    def _real(self) -> frozenset[Path]:
        return frozenset(map(real, self._paths))

    def __contains__(self, path: Path) -> bool:
        return path in self._paths or real(path) in self._real


def _warnings(root: Path, known: _Read, whole: frozenset[Path]) -> Iterator[str]:
    for folder in folders(root, without=whole):
        depth = len(folder.relative_to(root).parts)
        for path in sorted(folder.iterdir()):
            if is_clutter(path.name):
                continue
            name, suffix = _shown(path.relative_to(root)), path.suffix.lower()
            if path.is_symlink() and not path.exists():
                yield f"broken link left out: {name}"
            elif path.is_dir():
                if depth == MAX_DEPTH and _holds_meshes(path):
                    yield f"folder below six levels not searched: {name}"
            elif suffix in UNREAD_SUFFIXES and path not in known:
                yield f"mesh format not read: {name}"
            elif suffix in MESH_SUFFIXES and path not in known:
                yield f"mesh file left out: {name}"
            elif suffix in PLAN_SUFFIXES and path not in known and is_plan(path):
                yield f"placing file left out: {name}"


def _holds_meshes(folder: Path) -> bool:
    seen = (*MESH_SUFFIXES, *UNREAD_SUFFIXES, *PLAN_SUFFIXES)
    return any(path.suffix.lower() in seen for path in islice(folder.rglob("*"), MOST_SEEN))


def _shown(path: Path) -> str:
    """A path as text, also where its name is not UTF-8."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")
