"""Placing plans: files that say which mesh stands where, and what of them is to be seen.

mujoco.py and urdf.py read the two formats; plans.py finds the files. All plans are z up.
"""

import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datagen.core.errors import ShapeError
from datagen.core.listed import listed
from datagen.core.shape import Mesh
from datagen.meshfiles.load import MESH_SUFFIXES

MAX_PLACEMENTS = 4_000
MAX_FACES = 40_000_000
DOUBLE_MARGIN = 0.1
"""A collider counts as a double of the visible geometry when it reaches beyond it by less than this of its size."""
COLLISION_WORD = re.compile(r"collision|collider|noviz|vhacd|coacd")


@dataclass(frozen=True, eq=False)
class Placement:
    """One visible geometry: a mesh file, or a mesh of the plan's own, and T_world_mesh (4, 4) with the mesh scale.

    `hints` is every name it goes by. `collides` tells bodies' colliders from what is only seen.
    """

    name: str
    hints: str
    T_world_mesh: np.ndarray
    file: Path | None = None
    mesh: Mesh | None = None
    body: int = 0
    collides: bool = False


@dataclass(frozen=True, eq=False)
class PlacingPlan:
    """What a plan's file says. `xmls` are the files read, `named` every mesh file of it that is named, seen or not."""

    path: Path
    placements: tuple[Placement, ...]
    xmls: tuple[Path, ...]
    named: tuple[Path, ...]
    warnings: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that are placed, in order of their first placement."""
        return tuple(dict.fromkeys(p.file for p in self.placements if p.file is not None))


def distinct(placements: Sequence[Placement], path: Path) -> tuple[Placement, ...]:
    """Placements with repeats of one file in one place dropped. Raises ShapeError when there are too many."""
    if len(placements) > MAX_PLACEMENTS:
        raise ShapeError(f"{path}: it places over {MAX_PLACEMENTS:,} geometries; take replicas out")
    unique: dict[tuple[object, bytes], Placement] = {}
    for placement in placements:
        key = str(placement.file) if placement.file else id(placement.mesh)
        unique.setdefault((key, np.round(placement.T_world_mesh, 9).tobytes()), placement)
    return tuple(unique.values())


def placed_meshes(
    plan: PlacingPlan, load: Callable[[Path], Mesh]
) -> tuple[list[tuple[Placement, Mesh]], tuple[str, ...]]:
    """Every visible placement with its mesh in the plan's frame, and warnings of what is left out.

    A file is loaded once. Raises ShapeError naming plan and file, and what `load` raises.
    """
    meshes: dict[Path, Mesh] = {}
    placed: list[tuple[Placement, Mesh]] = []
    faces = 0
    for placement in plan.placements:
        mesh = placement.mesh
        if placement.file is not None:
            if placement.file.suffix.lower() not in MESH_SUFFIXES:
                raise ShapeError(
                    f"{plan.path}: it places {placement.file}, a format that is not read; export it as OBJ, STL or GLB "
                    "and name that file"
                )
            if not placement.file.is_file():
                raise ShapeError(f"{plan.path}: it places {placement.file}, which is missing; restore that file")
            if placement.file not in meshes:
                meshes[placement.file] = load(placement.file)
            mesh = meshes[placement.file]
        assert mesh is not None
        faces += len(mesh.faces)
        if faces > MAX_FACES:
            raise ShapeError(f"{plan.path}: it places over {MAX_FACES:,} triangles; take replicas out")
        placed.append((placement, mesh.transformed(placement.T_world_mesh)))
    if not placed:
        left_out = f" ({'; '.join(plan.warnings)})" if plan.warnings else ""
        raise ShapeError(f"{plan.path}: it places no mesh to be seen{left_out}; add visual meshes to it or remove it")
    return _without_doubles(plan, placed)


def _without_doubles(
    plan: PlacingPlan, placed: list[tuple[Placement, Mesh]]
) -> tuple[list[tuple[Placement, Mesh]], tuple[str, ...]]:
    """Drops colliders that stand for what their body shows by geometry that does not collide."""
    seen: dict[int, list[Mesh]] = {}
    for placement, mesh in placed:
        if not placement.collides:
            seen.setdefault(placement.body, []).append(mesh)
    kept: list[tuple[Placement, Mesh]] = []
    dropped: list[tuple[Placement, Mesh]] = []
    for placement, mesh in placed:
        double = placement.collides and placement.body in seen and _covered(mesh, seen[placement.body])
        (dropped if double else kept).append((placement, mesh))
    said = [left_out(plan.path, "colliders of what is seen", [p.name for p, _ in dropped])] if dropped else []
    return kept, (*plan.warnings, *said)


def _covered(mesh: Mesh, others: Sequence[Mesh]) -> bool:
    low = np.min([other.bounds[0] for other in others], axis=0)
    high = np.max([other.bounds[1] for other in others], axis=0)
    margin = DOUBLE_MARGIN * float(np.linalg.norm(high - low))
    return bool((mesh.bounds[0] >= low - margin).all() and (mesh.bounds[1] <= high + margin).all())


def left_out(path: Path, what: str, names: Sequence[str]) -> str:
    """A warning of what a plan holds and a shape does not."""
    return f"{what} left out: {path.name} ({listed(list(dict.fromkeys(names)))})"


@dataclass(frozen=True)
class Reach:
    """Which files a plan may name: those below its own folder or below the collection's."""

    plan: Path
    collection: Path | None = None

    def file(self, candidates: Sequence[Path], said: str) -> Path:
        """The first candidate that is there, else the first, whatever the case of its letters on this disk.

        Raises ShapeError when a candidate leads outside the folders, also by a link.
        """
        allowed = [self.plan.parent.resolve(), *([self.collection.resolve()] if self.collection else [])]
        # `..` goes out of what a link leads to, not out of the link: the short path is kept where it is the same file.
        plain = [Path(os.path.normpath(path)) for path in candidates]
        candidates = [p if _resolved(p) == _resolved(c) else c for p, c in zip(plain, candidates, strict=True)]
        inside = [path for path in candidates if any(_resolved(path).is_relative_to(root) for root in allowed)]
        for path in inside:
            if path.is_file():
                return path
        for path in inside:
            found = _spelled_otherwise(path)
            if found is not None and any(_resolved(found).is_relative_to(root) for root in allowed):
                return found
        if not inside:
            raise ShapeError(f"{self.plan}: {said!r} lies outside the folder; move it (no link) beside the XML")
        return inside[0]


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        # A loop of links or a zero byte: no file of the collection.
        return Path("/")


def _spelled_otherwise(path: Path) -> Path | None:
    """The one file whose path differs in case or in how accents are composed, or None."""
    missing: list[str] = []
    while not path.exists() and path != path.parent:
        missing.insert(0, path.name)
        path = path.parent
    for word in missing:
        if not path.is_dir():
            return None
        same = [child for child in path.iterdir() if _plain(child.name) == _plain(word)]
        if len(same) != 1:
            return None
        path = same[0]
    return path if path.is_file() else None


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
