"""Parts of a mesh that names none: connected components, else convex segments cut off as solids."""

from collections.abc import Sequence

import manifold3d
import numpy as np
from scipy.spatial import ConvexHull, QhullError

from datagen.core.shape import Mesh
from datagen.geometry.clean import face_components, linked, weld
from datagen.geometry.solid import manifold_mesh, to_manifold

SMALL = 0.004
"""Components below this share of the surface go with the nearest large one."""
MOST = 24
CREASE_DEG = 18.0


def component_labels(mesh: Mesh) -> np.ndarray:
    """Label (F,) of each face's connected component, seams joined; crumbs take the label of the nearest large one.

    Labels run from 0 by falling area; at most 24.
    """
    labels = face_components(weld(mesh).faces, len(mesh.vertices))
    areas = np.bincount(labels, mesh.face_areas)
    # Rounded: components of one size keep their order in the file, whatever the last digits of their areas.
    order = np.argsort(-np.round(areas / max(mesh.area, 1e-300), 9), kind="stable")
    large = [k for k in order[:MOST] if areas[k] >= SMALL * mesh.area] or [order[0]]
    centres = np.array([mesh.triangles[labels == k].mean(axis=(0, 1)) for k in range(len(areas))])
    target = np.empty(len(areas), dtype=np.int64)
    for k in range(len(areas)):
        gaps = [np.linalg.norm(centres[k] - centres[j]) for j in large]
        target[k] = large.index(k) if k in large else int(np.argmin(gaps))
    return target[labels]


def convex_segments(mesh: Mesh, most: int = 6) -> list[Mesh]:
    """A closed mesh cut into solids where its concave creases say so; [] where that gives a single piece.

    The faces between concave creases are grown into regions; the convex hull of a region takes its solid off.
    """
    solid = to_manifold(weld(mesh))
    if solid is None:
        return []
    regions = _regions(weld(mesh))
    pieces: list[manifold3d.Manifold] = []
    whole = solid.volume()
    for points in regions[: 2 * most]:
        try:
            hull = ConvexHull(points)
        except QhullError:
            continue
        tool = manifold3d.Manifold.hull_points(np.ascontiguousarray(points[hull.vertices], np.float64))
        piece, rest = solid ^ tool, solid - tool
        if not 0.01 * whole < piece.volume() < 0.6 * whole or rest.volume() < 0.2 * whole:
            continue
        if len(piece.decompose()) > 2 or len(pieces) >= most - 1:
            continue
        pieces.append(piece)
        solid = rest
    if not pieces:
        return []
    return [manifold_mesh(part) for part in [solid, *pieces]]


def _regions(mesh: Mesh) -> Sequence[np.ndarray]:
    """Vertices of the face regions between concave creases, largest area first, the largest left out."""
    import trimesh

    shape = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    pairs, angles = shape.face_adjacency, shape.face_adjacency_angles
    joined = np.asarray(shape.face_adjacency_convex) | (angles < np.radians(CREASE_DEG))
    rows = np.asarray(pairs)[joined]
    label = linked(rows[:, 0], rows[:, 1], len(mesh.faces))
    areas = np.bincount(label, mesh.face_areas)
    order = [k for k in np.argsort(-areas, kind="stable") if areas[k] > 0.01 * mesh.area]
    return [mesh.vertices[np.unique(mesh.faces[label == k])] for k in order[1:]]
