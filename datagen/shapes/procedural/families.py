"""The families by name, and one chair of any of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from datagen.core.errors import UsageError
from datagen.core.shape import Mesh
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
ROUND = frozenset({"office", "stool", "tulip"})
"""Families with a round base or seat."""


@dataclass(frozen=True)
class Chair:
    """A generated chair: its family and its leaves, in metres, y up, front +z."""

    family: str
    pieces: tuple[Piece, ...]


def known_family(name: str) -> str:
    """The name again. Raises UsageError where there is no such family."""
    if name not in FAMILIES:
        raise UsageError(f"no family {name!r}; there are {', '.join(FAMILIES)}")
    return name


def chair(family: str, rng: np.random.Generator) -> Chair:
    """One chair of a family. Raises UsageError on an unknown name."""
    pieces = FAMILIES[known_family(family)](rng)
    drop = min(float(piece.mesh.bounds[0, 1]) for piece in pieces)
    return Chair(family, tuple(replace(piece, mesh=moved(piece.mesh, (0, -drop, 0))) for piece in pieces))


def stretched(made: Chair, rng: np.random.Generator) -> Chair:
    """The same chair in other proportions.

    Width, height and depth change by factors of 0.80 to 1.25 each; towards the floor it widens or narrows
    by up to a quarter. Families with a turned or swivelling base keep width and depth alike, so that what
    is round stays round.
    """
    width, height, depth = np.exp(rng.uniform(np.log(0.80), np.log(1.25), 3))
    factors = np.array([width, height, width if made.family in ROUND else depth])
    top = max(float(piece.mesh.bounds[1, 1]) for piece in made.pieces)
    splay = rng.uniform(-0.25, 0.25)

    def move(vertices: np.ndarray) -> np.ndarray:
        across = 1 + splay * (0.5 - vertices[:, 1] / top)
        return vertices * factors * np.stack([across, np.ones_like(across), across], axis=1)

    return Chair(made.family, tuple(replace(p, mesh=Mesh(move(p.mesh.vertices), p.mesh.faces)) for p in made.pieces))
