"""Resting poses by rigid-body simulation, cached on disk by mesh hash: the drop of a shape is paid once."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from datagen.core.ids import code_hash, content_hash
from datagen.core.shape import Shape, concatenate
from datagen.recipe.scenes import LayoutRecipe
from datagen.scenes.layout import RestingBody, lay_out
from datagen.scenes.rest import centre_of_mass, nearest_rest, snapped, stable_rotation, tilt_between
from datagen.store.files import write_cache

SOURCES = ("scenes/rest.py", "scenes/poses.py", "render/blender/physics.py")
"""What decides a pose: a cached one counts only for the code that made it."""
ALIKE_DEG = 5.0
"""Drops that end up no further apart than this came to lie alike."""


@runtime_checkable
class Physics(Protocol):
    """Lets bodies fall on the floor z = 0."""

    def drop(self, bodies: Sequence[tuple[np.ndarray, np.ndarray]], starts: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Final transforms (4, 4) of bodies (vertices (V, 3) about their mass centre, faces (F, 3)).

        `starts` are their first transforms, above the floor; bodies meet each other.
        """
        ...


class PhysicsOpener(Protocol):
    """Starts the simulation where it is needed."""

    def __call__(self) -> Physics:
        """The physics."""
        ...


@dataclass(frozen=True)
class Rest:
    """Resting poses of single shapes. `physics` is called for on the first miss only."""

    folder: Path
    open_physics: PhysicsOpener

    def most_reached(self, shape: Shape, starts: Iterable[np.ndarray], method: str) -> np.ndarray:
        """Rotation (3, 3) from the shape's frame to how it lies most often, let go from each of `starts`.

        `method` as in the recipe's `layout.poses`. Of poses reached as often the one reached first counts.
        """
        starts = list(starts)
        if method in ("upright", "stable"):
            return starts[0] if method == "upright" else stable_rotation(shape, starts[0])
        ways: list[list[np.ndarray]] = []
        for start in starts:
            found = self._simulated(shape, start)
            way = next((way for way in ways if tilt_between(way[0], found) <= ALIKE_DEG), None)
            if way is None:
                way = []
                ways.append(way)
            way.append(found)
            if 2 * len(way) > len(starts):
                break
        return max(ways, key=len)[0]

    def from_pose(self, shape: Shape, start: np.ndarray, method: str) -> np.ndarray:
        """Rotation (3, 3) of a shape that is let go from how another lies, `start`; `method` as above."""
        if method == "upright":
            return start
        if method == "stable":
            return stable_rotation(shape, start)
        return nearest_rest(shape, start) if method == "shared" else self._simulated(shape, start)

    def _simulated(self, shape: Shape, start: np.ndarray) -> np.ndarray:
        key = content_hash([code_hash(*SOURCES), shape.digest, np.round(start, 9).tolist()])
        path = self.folder / key[:2] / f"{key}.json"
        found = _read(path)
        if found is None:
            found = snapped(shape, self._dropped(shape, start))
            write_cache(path, json.dumps(found.tolist()).encode())
        return found

    def _dropped(self, shape: Shape, start: np.ndarray) -> np.ndarray:
        whole, centre = concatenate([part.mesh for part in shape.parts]), centre_of_mass([p.mesh for p in shape.parts])
        T = np.eye(4)
        T[:3, :3] = start
        T[2, 3] = 0.02 - float(((whole.vertices - centre) @ start.T)[:, 2].min())
        (after,) = self.open_physics().drop([(whole.vertices - centre, whole.faces)], [T])
        return orthonormal(after[:3, :3])


def drop_together(
    physics: Physics, bodies: Sequence[RestingBody], scale: float, recipe: LayoutRecipe, rng: np.random.Generator
) -> list[np.ndarray]:
    """Rigid poses (4, 4) of bodies dropped in one heap of layers: they may end up leaning on each other.

    The simulation runs at unit size; what rests on the floor is brought to touch it.
    """
    places = lay_out(bodies, 1.0, recipe.model_copy(update={"gap_m": 0.0, "spread": 0.6 * recipe.spread}), rng)
    centres = [
        body.baked(1.0)[:3, :3] @ centre_of_mass([p.mesh for p in body.shape.parts]) + body.baked(1.0)[:3, 3]
        for body in bodies
    ]
    solids, starts = [], []
    for k, (body, place, centre) in enumerate(zip(bodies, places, centres, strict=True)):
        faces = concatenate([part.mesh for part in body.shape.parts])
        vertices = faces.transformed(body.baked(1.0)).vertices
        solids.append((vertices - centre, faces.faces))
        T = place.matrix
        T[:3, 3] += T[:3, :3] @ centre + [0, 0, 0.05 + 0.3 * k]
        starts.append(T)
    poses = []
    for body, centre, after in zip(bodies, centres, physics.drop(solids, starts), strict=True):
        T = np.eye(4)
        T[:3, :3] = orthonormal(after[:3, :3])
        T[:3, 3] = scale * (after[:3, 3] - T[:3, :3] @ centre)
        low = float((scale * body.points() @ T[:3, :3].T)[:, 2].min() + T[2, 3])
        if low < 0.004:
            T[2, 3] -= low
        poses.append(T)
    return poses


def orthonormal(matrix: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) nearest a matrix that rounding has spoilt."""
    u, _, vt = np.linalg.svd(matrix)
    return u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt


def _read(path: Path) -> np.ndarray | None:
    try:
        matrix = np.array(json.loads(path.read_text()), dtype=float)
    except (OSError, ValueError):
        return None
    return matrix if matrix.shape == (3, 3) and np.isfinite(matrix).all() else None
