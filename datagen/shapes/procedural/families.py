"""The families by name, and one chair of any of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from datagen.core.errors import UsageError
from datagen.shapes.procedural import (
    armchair,
    bench,
    cantilever,
    dining,
    folding,
    ladder_back,
    office,
    rocking,
    slat_back,
    sofa,
    stool,
    tulip,
    windsor,
)
from datagen.shapes.procedural.body import Piece
from datagen.shapes.procedural.shaping import moved

FAMILIES: dict[str, Callable[[np.random.Generator], list[Piece]]] = {
    "dining": dining.build,
    "slat_back": slat_back.build,
    "ladder_back": ladder_back.build,
    "cantilever": cantilever.build,
    "office": office.build,
    "armchair": armchair.build,
    "sofa": sofa.build,
    "stool": stool.build,
    "bench": bench.build,
    "folding": folding.build,
    "windsor": windsor.build,
    "rocking": rocking.build,
    "tulip": tulip.build,
}
"""Name -> builder. Metres; y up, front +z, standing on y = 0."""


@dataclass(frozen=True)
class Chair:
    """A generated chair: its family and its leaves, in metres, y up, front +z."""

    family: str
    pieces: tuple[Piece, ...]


def chair(family: str, rng: np.random.Generator) -> Chair:
    """One chair of a family. Raises UsageError on an unknown name."""
    if family not in FAMILIES:
        raise UsageError(f"no family {family!r}; there are {', '.join(FAMILIES)}")
    pieces = FAMILIES[family](rng)
    drop = min(float(piece.mesh.bounds[0, 1]) for piece in pieces)
    return Chair(family, tuple(replace(piece, mesh=moved(piece.mesh, (0, -drop, 0))) for piece in pieces))
