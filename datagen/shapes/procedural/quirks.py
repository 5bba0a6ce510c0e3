"""How PartNet's files misbehave, as a plan for writing a chair: cuts, gaps, leftovers, dirty meshes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datagen.core.shape import Mesh
from datagen.shapes.procedural.body import Piece
from datagen.shapes.procedural.families import Chair


@dataclass(frozen=True)
class PiecePlan:
    """How one piece reaches the disk.

    `meshes`: one obj each. `gap`: obj numbers skipped before each. `depth`: how many words of the label
    path are kept (fewer makes an inner label a leaf). `leftover`: named by the root alone, by no leaf.
    """

    meshes: tuple[Mesh, ...]
    prefix: str = "original"
    gap: int = 0
    depth: int = 16
    leftover: bool = False


@dataclass(frozen=True)
class Quirks:
    """Plans for all pieces, in order; `rng` shuffles JSON keys and sprinkles conf_score (None: tidy)."""

    plans: tuple[PiecePlan, ...]
    rng: np.random.Generator | None = None


def no_quirks(made: Chair) -> Quirks:
    """One clean obj a piece."""
    return tidy(made.pieces)


def tidy(pieces: Sequence[Piece]) -> Quirks:
    """One clean obj for each of some pieces."""
    return Quirks(tuple(PiecePlan((piece.mesh,)) for piece in pieces))


def random_quirks(rng: np.random.Generator, made: Chair) -> Quirks:
    """Every quirk of the format somewhere on a handful of chairs, most of them on each."""
    inner_leaf = "chair_arm" if rng.random() < 0.5 else "back_surface"
    plans = []
    for index, piece in enumerate(made.pieces):
        words = piece.path.split("/")
        depth = next((k + 1 for k, word in enumerate(words[:-1]) if word == inner_leaf), len(words))
        plans.append(
            PiecePlan(
                meshes=_dirty(rng, piece.mesh),
                prefix="new" if rng.random() < 0.4 else "original",
                gap=int(rng.integers(0, 3)),
                depth=depth,
                leftover=words[-1] in ("caster_stem", "bar_stretcher", "back_support") and bool(rng.random() < 0.4),
            )
        )
        if index == 0:
            plans[-1] = PiecePlan((*plans[-1].meshes,), depth=len(words))
    return Quirks(tuple(plans), rng)


def _dirty(rng: np.random.Generator, mesh: Mesh) -> tuple[Mesh, ...]:
    """The mesh in one or several objs, now and then open, doubled, or cut into halves."""
    draw = rng.random()
    vertices, faces = np.array(mesh.vertices), np.array(mesh.faces)
    if draw < 0.25:
        axis = int(np.argmax(mesh.extents))
        high = vertices[faces].mean(axis=1)[:, axis] > mesh.centre[axis]
        halves = [Mesh(vertices, part) for part in (faces[high], faces[~high]) if len(part)]
        return tuple(_compact(half) for half in halves)
    if draw < 0.5:
        return (Mesh(vertices, np.concatenate([faces, faces[: max(1, len(faces) * 2 // 5), ::-1]])),)
    if draw < 0.75:
        lowest = vertices[faces].mean(axis=1)[:, 1] > mesh.bounds[0, 1] + 0.02 * mesh.extents[1]
        return (_compact(Mesh(vertices, faces[lowest])),) if lowest.any() else (mesh,)
    return (mesh,)


def _compact(mesh: Mesh) -> Mesh:
    used, inverse = np.unique(mesh.faces, return_inverse=True)
    return Mesh(mesh.vertices[used], inverse.reshape(-1, 3))
