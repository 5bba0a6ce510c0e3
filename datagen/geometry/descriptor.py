"""A shape seen from all sides: pictures of it, and a descriptor of them for finding similar shapes (section A.1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from datagen.core.shape import Mesh, concatenate
from datagen.geometry.rays import RayScene

SIZE = 20
"""Pixels along the edge of a view of the descriptor."""
VIEWS = 10


@dataclass(frozen=True, eq=False)
class DescriptorView:
    """What N = size * size orthographic rays met, row by row from the top; misses have depth 0 and normal 0."""

    hit: np.ndarray
    """(N,) bool."""
    depth: np.ndarray
    """(N,) from 0 at the far side of the bounding sphere to 2 at the near one."""
    normal: np.ndarray
    """(N, 3) unit, turned to the viewer, in axes right, up, towards the viewer."""


def directions() -> np.ndarray:
    """View directions (10, 3) on a spiral over the sphere: half of them would see the same silhouettes."""
    k = np.arange(VIEWS) + 0.5
    z, angle = 1 - 2 * k / VIEWS, np.pi * (1 + 5**0.5) * k
    return np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z], axis=1)


def views(meshes: Sequence[Mesh], size: int) -> Iterator[DescriptorView]:
    """The shape, scaled to its bounding sphere about its box centre, from ten sides, z up in each."""
    whole = concatenate(meshes)
    radius = max(float(np.linalg.norm(whole.vertices - whole.centre, axis=1).max()), 1e-9)
    scene = RayScene([(1, Mesh((whole.vertices - whole.centre) / radius, whole.faces))])
    side = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(side, -side)
    for direction in directions():
        right = np.cross([0.0, 0.0, 1.0], direction)
        right /= np.linalg.norm(right)
        axes = np.stack([right, np.cross(direction, right), direction])
        origins = np.stack([x.ravel(), y.ravel(), np.full(size * size, 2.0)], axis=1) @ axes
        hits = scene.cast(origins, np.broadcast_to(-direction, origins.shape))
        hit = hits.face >= 0
        normal = np.zeros((len(hit), 3))
        normal[hit] = scene.normals[hits.face[hit]] @ axes.T
        normal *= np.where(normal[:, 2:] < 0, -1.0, 1.0)
        yield DescriptorView(hit, np.where(hit, np.clip(3 - hits.t, 0, 2), 0.0), normal)


def describe(meshes: Sequence[Mesh]) -> np.ndarray:
    """Unit vector (D,) of depth, silhouette and facing ratio from ten sides; not invariant to turns."""
    features = []
    for view in views(meshes, SIZE):
        features += [view.depth, 0.7 * view.hit, 0.7 * view.normal[:, 2]]
    vector = np.concatenate(features)
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


def shaded(meshes: Sequence[Mesh], size: int) -> np.ndarray:
    """Pictures (10, size, size) in [0, 1]: matt grey lit over the viewer's shoulder, before white."""
    light = np.array([0.35, 0.6, 1.0]) / np.linalg.norm([0.35, 0.6, 1.0])
    lit = (np.where(view.hit, 0.2 + 0.6 * np.maximum(view.normal @ light, 0.0), 1.0) for view in views(meshes, size))
    return np.stack([picture.reshape(size, size) for picture in lit])
