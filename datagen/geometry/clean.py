"""Cleaning that PartNet needs before anything else: weld, degenerate and duplicate faces.

Two PartNet parts in three are double-sided copies. Kept, they render as
black patches and a boolean takes them for an empty solid.
"""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from datagen.core.errors import MeshLoadError
from datagen.core.shape import Mesh

WELD_GRID = 1e-5
"""Vertices closer than this (object units) are one vertex."""


def weld(mesh: Mesh, grid: float = WELD_GRID) -> Mesh:
    """Merge vertices that fall on one grid cell; the first one's position stays."""
    # Coordinates beyond 4e18 cells are absurd, but must not overflow.
    keys = np.clip(np.round(mesh.vertices / grid), -4e18, 4e18).astype(np.int64)
    first, inverse = unique_rows(keys)
    return Mesh(mesh.vertices[first], inverse[mesh.faces])


def unique_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First index of every distinct row of (N, K) int64, in the rows' order, and each row's number among them.

    What np.unique(axis=0) says, several times faster where the columns' ranges fit into one integer.
    """
    low = rows.min(axis=0) if len(rows) else np.zeros(rows.shape[1], dtype=np.int64)
    spans = [int(high) - int(least) + 1 for high, least in zip(rows.max(axis=0, initial=0), low, strict=True)]
    if np.prod([float(span) for span in spans]) > 2**62:
        _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        return first, inverse.reshape(-1)
    keys = np.zeros(len(rows), dtype=np.int64)
    for column, span in enumerate(spans):
        keys = keys * span + (rows[:, column] - low[column])
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return first, inverse.reshape(-1)


def good_faces(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Mask (F,) of faces that have an area and are the first of their vertex set."""
    a, b, c = vertices[faces].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    distinct = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 0] != faces[:, 2])
    first, _ = unique_rows(np.sort(faces, axis=1).astype(np.int64))
    unique = np.zeros(len(faces), dtype=bool)
    unique[first] = True
    return distinct & (area > 1e-14) & unique


def compact(vertices: np.ndarray, faces: np.ndarray) -> Mesh:
    """A mesh without unused vertices."""
    used, inverse = np.unique(faces, return_inverse=True)
    return Mesh(vertices[used], inverse.reshape(faces.shape))


def clean(mesh: Mesh) -> Mesh:
    """Weld, drop degenerate and duplicate faces. Raises MeshLoadError when nothing is left."""
    welded = weld(mesh)
    keep = good_faces(welded.vertices, welded.faces)
    if not keep.any():
        raise MeshLoadError("no face has an area after cleaning")
    return compact(welded.vertices, welded.faces[keep])


def face_components(faces: np.ndarray, vertex_count: int) -> np.ndarray:
    """Label (F,) of the vertex-connected component of each face."""
    i = np.concatenate([faces[:, 0], faces[:, 1]])
    j = np.concatenate([faces[:, 1], faces[:, 2]])
    _, compacted = np.unique(linked(i, j, vertex_count)[faces[:, 0]], return_inverse=True)
    return compacted


def split_components(mesh: Mesh) -> list[Mesh]:
    """One mesh a vertex-connected component, in order of first face."""
    labels = face_components(mesh.faces, len(mesh.vertices))
    _, first = np.unique(labels, return_index=True)
    return [compact(mesh.vertices, mesh.faces[labels == labels[face]]) for face in np.sort(first)]


def corner_normals(mesh: Mesh, angle_deg: float = 35.0) -> np.ndarray:
    """Normals (F, 3, 3) per face corner: smooth across edges that bend by less than the angle, so that flat faces stay
    flat up to a sharp edge.

    The corners about a vertex that such edges join have one normal, the mean by area. Edges of other than two faces
    are sharp; so is a corner that its mean leaves by more than the angle (the tip of a cone).
    """
    a, b, c = mesh.triangles.transpose(1, 0, 2)
    weighted = np.cross(b - a, c - a)
    face_normals = weighted / np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-30)
    least = np.cos(np.radians(angle_deg))
    i, j = _over_smooth_edges(weld(mesh).faces, face_normals, least)
    label = linked(i, j, 3 * len(mesh.faces))
    corners = np.repeat(weighted, 3, axis=0)
    sums = np.stack([np.bincount(label, weights=corners[:, axis]) for axis in range(3)], axis=1)
    normals = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-30)
    smooth = normals[label].reshape(-1, 3, 3)
    flat = np.repeat(face_normals[:, None, :], 3, axis=1)
    agrees = np.einsum("fci,fci->fc", smooth, flat) > least
    return np.where(agrees[..., None], smooth, flat)


def _over_smooth_edges(faces: np.ndarray, normals: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Corners (3 f + k) that lie at one vertex on either side of an edge whose two normals' cosine is above `least`."""
    start, end = faces.reshape(-1).astype(np.int64), np.roll(faces, -1, axis=1).reshape(-1).astype(np.int64)
    first = np.arange(len(start))
    second = first - first % 3 + (first + 1) % 3
    keys = np.minimum(start, end) * (int(faces.max(initial=0)) + 1) + np.maximum(start, end)
    order = np.argsort(keys, kind="stable")
    ends = np.flatnonzero(np.diff(keys[order], append=-1))
    begins = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64)
    twice = begins[ends - begins == 1]
    one, two = order[twice], order[twice + 1]
    bends = np.einsum("ni,ni->n", normals[one // 3], normals[two // 3])
    one, two = one[bends > least], two[bends > least]
    same_way = start[one] == start[two]
    other_first, other_second = np.where(same_way, first[two], second[two]), np.where(same_way, second[two], first[two])
    return np.concatenate([first[one], second[one]]), np.concatenate([other_first, other_second])


def linked(i: np.ndarray, j: np.ndarray, count: int) -> np.ndarray:
    """Label (count,), from 0, of each of `count` things, of which i[k] and j[k] hang together for every k."""
    graph = coo_matrix((np.ones(len(i), dtype=np.int8), (i, j)), shape=(count, count))
    return connected_components(graph, directed=False)[1]
