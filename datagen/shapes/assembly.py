"""How loose geometry hangs together: heaps of unplaced parts, connected components."""

from collections.abc import Sequence

import numpy as np

from datagen.core.shape import Mesh, concatenate
from datagen.geometry.clean import linked

MAX_COMPONENTS = 40
SMALLEST_SHARE = 0.002
"""Components below this share of the surface go to the remainder."""
WELD = 1e-5
"""Vertices closer than this share of the diagonal are one."""


def is_heap(meshes: Sequence[Mesh]) -> bool:
    """Whether parts lie on top of each other, each in its own frame, instead of making up one object.

    Two signs, either is enough: (nearly) all boxes hold the origin, as only parts about one point can;
    or three quarters of the parts are centred on the origin to 2 % of their size. In an assembled object
    opposite legs or a seat above its legs break both. Two parts count as a heap only when their centres
    coincide too: a seat on a pedestal may share a point.
    """
    if len(meshes) < 2:
        return False
    bounds = np.array([mesh.bounds for mesh in meshes])
    size = np.linalg.norm(bounds[:, 1] - bounds[:, 0], axis=1)
    centres = bounds.mean(axis=1)
    holds_origin = ((bounds[:, 0] <= 0) & (bounds[:, 1] >= 0)).all(axis=1)
    centred = np.linalg.norm(centres, axis=1) < 0.02 * size
    if len(meshes) == 2:
        apart = float(np.linalg.norm(centres[0] - centres[1]))
        return bool(holds_origin.all() and apart < 0.15 * size.min())
    return bool(holds_origin.mean() >= 0.9 or centred.mean() >= 0.75)


def components(mesh: Mesh) -> tuple[list[Mesh], Mesh | None]:
    """Connected components (joined at coincident vertices), largest first, and the small rest or None."""
    cell = max(mesh.diagonal * WELD, 1e-12)
    _, weld = np.unique(np.round(mesh.vertices / cell).astype(np.int64), axis=0, return_inverse=True)
    faces = weld.reshape(-1)[mesh.faces]
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    count = int(weld.max()) + 1
    label = linked(edges[:, 0], edges[:, 1], count)[faces[:, 0]]
    area = np.bincount(label, weights=mesh.face_areas)
    share = np.round(area / max(mesh.area, 1e-300), 9)
    order = sorted((k for k in range(len(area)) if area[k] > 0), key=lambda k: (-share[k], k))
    large = [k for k in order if area[k] >= SMALLEST_SHARE * mesh.area][:MAX_COMPONENTS]
    rest = ~np.isin(label, large)
    pieces = [_subset(mesh, label == k) for k in large] or [mesh]
    return pieces, _subset(mesh, rest) if rest.any() and large else None


def _subset(mesh: Mesh, keep: np.ndarray) -> Mesh:
    used, inverse = np.unique(mesh.faces[keep], return_inverse=True)
    return concatenate([Mesh(mesh.vertices[used], inverse.reshape(-1, 3))])
