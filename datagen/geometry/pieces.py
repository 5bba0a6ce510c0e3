"""Which surfaces hang together: loose pieces, contacts, overlaps of whole objects."""

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from datagen.core.shape import Mesh
from datagen.geometry.clean import linked, split_components, weld
from datagen.geometry.rays import RayScene
from datagen.geometry.sample import grid_samples

SPACING = 0.012
"""Distance of surface samples, object units."""


def even_samples(mesh: Mesh, spacing: float = SPACING, most: int = 20_000) -> np.ndarray:
    """Surface points about `spacing` apart, (N, 3), with the vertices: thin bars keep their ends."""
    count = int(np.clip(mesh.area / spacing**2, 60, most))
    vertices = mesh.vertices[np.unique(mesh.faces)]
    if len(vertices) > most:
        vertices = vertices[:: -(-len(vertices) // most)]
    return np.concatenate([grid_samples(mesh, count), vertices])


def components_of(meshes: Sequence[Mesh]) -> list[Mesh]:
    """Vertex-connected pieces of all meshes, seams joined."""
    return [piece for mesh in meshes for piece in split_components(weld(mesh))]


def clusters(meshes: Sequence[Mesh], reach: float, spacing: float = SPACING) -> np.ndarray:
    """Label (N,) of each mesh: those that come within `reach` of each other, or lie inside, share one."""
    points = [even_samples(mesh, spacing) for mesh in meshes]
    low = np.array([p.min(axis=0) for p in points]) - reach
    high = np.array([p.max(axis=0) for p in points]) + reach
    trees = [cKDTree(p) for p in points]
    links = []
    for i in range(len(meshes)):
        near = ((low[i] <= high[i + 1 :]) & (low[i + 1 :] <= high[i])).all(axis=1)
        for j in (i + 1 + np.flatnonzero(near)).tolist():
            small, large = (i, j) if len(points[i]) < len(points[j]) else (j, i)
            if trees[large].query(points[small], distance_upper_bound=reach + spacing)[0].min() < reach + spacing:
                links.append((i, j))
    if not links:
        return np.arange(len(meshes))
    rows, columns = np.array(links).T
    return linked(rows, columns, len(meshes))


def loose_area(meshes: Sequence[Mesh], reach: float) -> float:
    """Share of the surface that does not hang together with the largest cluster, 0..1."""
    pieces = components_of(meshes)
    labels = clusters(pieces, reach)
    area = np.array([piece.area for piece in pieces])
    totals = np.bincount(labels, area)
    return float(1 - totals.max() / totals.sum())


def inside(mesh: Mesh, points: np.ndarray) -> np.ndarray:
    """True (N,) for points inside a mesh: an odd number of surfaces above and below, by ray casts."""
    scene = RayScene([(1, mesh)])
    votes = np.zeros(len(points), dtype=int)
    for direction in (np.array([0.0123, 0.0311, 1.0]), np.array([0.0217, -0.0173, -1.0])):
        votes += _crossings(scene, points, direction / np.linalg.norm(direction)) % 2
    return votes == 2


def _crossings(scene: RayScene, points: np.ndarray, direction: np.ndarray, most: int = 64) -> np.ndarray:
    count = np.zeros(len(points), dtype=int)
    origins, alive = points.copy(), np.arange(len(points))
    for _ in range(most):
        hits = scene.cast(origins[alive], np.broadcast_to(direction, (len(alive), 3)))
        hit = hits.face >= 0
        alive = alive[hit]
        if len(alive) == 0:
            break
        count[alive] += 1
        origins[alive] = origins[alive] + (hits.t[hit, None] + 1e-5) * direction
    return count


def separation(a: Mesh, b: Mesh, spacing: float) -> float:
    """Distance between two objects by surface samples `spacing` apart; below 0 where one enters the other."""
    if (a.bounds[0] > b.bounds[1] + 10 * spacing).any() or (b.bounds[0] > a.bounds[1] + 10 * spacing).any():
        return float(np.linalg.norm(np.maximum(0, np.maximum(a.bounds[0] - b.bounds[1], b.bounds[0] - a.bounds[1]))))
    p, q = even_samples(a, spacing, 40_000), even_samples(b, spacing, 40_000)
    tree = cKDTree(p)
    # Only the least distances count: what lies beyond that of some samples need not be searched for.
    reach = max(float(tree.query(q[::64])[0].min()), 1e-7) * (1 + 1e-9)
    distance = tree.query(q, distance_upper_bound=reach)[0]
    gap = float(distance.min())
    if (distance < 1e-7).mean() > 0.5:  # one in the very place of the other: no sample lies strictly inside
        return -float(a.extents.min()) / 2
    depth = 0.0
    for mesh, points, other in ((a, q, p), (b, p, q)):
        near = ((points > mesh.bounds[0]) & (points < mesh.bounds[1])).all(axis=1)
        if near.any():
            deep = points[near][inside(mesh, points[near])]
            if len(deep):
                depth = max(depth, float(cKDTree(other).query(deep)[0].max()))
    return -depth if depth > spacing else gap
