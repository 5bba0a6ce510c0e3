"""A multi-view descriptor of a shape: what it looks like from all sides, for finding similar ones (section A.1)."""

from collections.abc import Sequence

import numpy as np

from datagen.core.shape import Mesh, concatenate
from datagen.geometry.rays import RayScene

SIZE = 20
"""Pixels along the edge of a view."""
VIEWS = 10


def directions() -> np.ndarray:
    """View directions (10, 3) on a spiral over the sphere: half of them would see the same silhouettes."""
    k = np.arange(VIEWS) + 0.5
    z, angle = 1 - 2 * k / VIEWS, np.pi * (1 + 5**0.5) * k
    return np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z], axis=1)


def describe(meshes: Sequence[Mesh]) -> np.ndarray:
    """Unit vector (D,) of orthographic depth, silhouette and facing ratio from ten sides.

    Of the shape scaled to its bounding sphere about its box centre; not invariant to turns.
    """
    whole = concatenate(meshes)
    centre = whole.centre
    radius = max(float(np.linalg.norm(whole.vertices - centre, axis=1).max()), 1e-9)
    scene = RayScene([(1, Mesh((whole.vertices - centre) / radius, whole.faces))])
    side = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    x, y = np.meshgrid(side, side)
    features = []
    for direction in directions():
        start = np.eye(3)[np.argmin(np.abs(direction))]
        u = np.cross(start, direction)
        u /= np.linalg.norm(u)
        v = np.cross(direction, u)
        origins = x.reshape(-1, 1) * u + y.reshape(-1, 1) * v + 2 * direction
        hits = scene.cast(origins, np.broadcast_to(-direction, origins.shape))
        hit = hits.face >= 0
        depth = np.where(hit, np.clip(3 - hits.t, 0, 2), 0.0)
        facing = np.zeros(len(hit))
        facing[hit] = np.abs(scene.normals[hits.face[hit]] @ direction)
        features += [depth, 0.7 * hit, 0.7 * facing]
    vector = np.concatenate(features)
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
