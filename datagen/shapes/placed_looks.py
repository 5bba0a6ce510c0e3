"""What a placing plan shows, in the materials of its mesh files."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from datagen.core.shape import Mesh, Skin, concatenate
from datagen.shapes.layout import reach
from datagen.shapes.looks import TexturedPiece, load_textured
from datagen.shapes.placing import Placement, placed_meshes
from datagen.shapes.plans import read_plan


@dataclass(frozen=True, eq=False)
class PlacedLooks:
    """Pieces, T_plan_pieces (4, 4) that still has to be applied to them, and warnings of what is left out.

    A single file's pieces come in its own frame and units: they may have to be cut into parts there first.
    """

    pieces: list[TexturedPiece]
    T_plan_pieces: np.ndarray
    warnings: tuple[str, ...]


def load_placed(path: Path, collection: Path) -> PlacedLooks:
    """Every visible piece of a plan (z up). Raises ShapeError, MeshLoadError, MissingDependency naming the file."""
    loaded: dict[Path, list[TexturedPiece]] = {}
    told: list[str] = []

    def load(file: Path) -> Mesh:
        loaded[file], noted = load_textured(file, reach(collection))
        told.extend(noted)
        return concatenate(piece.mesh for piece in loaded[file])

    placed, warnings = placed_meshes(read_plan(path, collection), load)
    warnings = (*warnings, *told)
    first = placed[0][0]
    if len(placed) == 1 and first.file is not None:
        return PlacedLooks(loaded[first.file], first.T_world_mesh, warnings)
    pieces: list[TexturedPiece] = []
    for placement, mesh in placed:
        if placement.file is None:
            pieces.append(TexturedPiece(placement.name, mesh, None))
        else:
            pieces += _placed(placement, loaded[placement.file])
    return PlacedLooks(pieces, np.eye(4), warnings)


def _placed(placement: Placement, pieces: list[TexturedPiece]) -> list[TexturedPiece]:
    """A file's pieces where the plan puts them; files of several pieces put their name before the pieces'."""
    T = placement.T_world_mesh
    names = [placement.name if len(pieces) == 1 else f"{placement.name}_{piece.name}" for piece in pieces]
    return [
        replace(piece, name=name, mesh=piece.mesh.transformed(T), skin=turned_skin(piece.skin, T))
        for name, piece in zip(names, pieces, strict=True)
    ]


def turned_skin(skin: Skin | None, T: np.ndarray) -> Skin | None:
    """A skin whose face corners run the way that `Mesh.transformed` leaves them."""
    if skin is None or np.linalg.det(T[:3, :3]) > 0:
        return skin
    uv, color = (None if values is None else values[:, ::-1] for values in (skin.uv, skin.color))
    return replace(skin, uv=uv, color=color)
