"""The solids of a product, taken apart: OpenCASCADE writes the faces of all of them one after the other."""

import numpy as np

from datagen.core.shape import Mesh


def solid_faces(mesh: Mesh) -> list[np.ndarray]:
    """Numbers of the faces (N,) of each closed solid, in order; what follows the last closed one is one more.

    A solid ends where every edge has been met in both directions. A hollow, which is a closed surface turned inside out
    within the solid before it, belongs to that. Solids may touch: points that coincide are told by the order of faces.
    """
    _, points = np.unique(mesh.vertices, axis=0, return_inverse=True)
    corners = points.reshape(-1)[mesh.faces]
    ends = _closed_after(corners)
    groups: list[np.ndarray] = []
    start = 0
    for end in ends:
        faces = np.arange(start, end)
        if groups and _is_hollow(mesh, faces, groups[-1]):
            groups[-1] = np.concatenate([groups[-1], faces])
        else:
            groups.append(faces)
        start = end
    if start < len(corners):
        groups.append(np.arange(start, len(corners)))
    return groups


def _closed_after(corners: np.ndarray) -> list[int]:
    """Counts of faces (F, 3) after which no edge is open."""
    open_edges: dict[tuple[int, int], int] = {}
    ends = []
    for count, (a, b, c) in enumerate(corners.tolist(), 1):
        for x, y in ((a, b), (b, c), (c, a)):
            if x == y:
                continue
            waiting = open_edges.get((y, x), 0)
            if waiting > 1:
                open_edges[y, x] = waiting - 1
            elif waiting:
                del open_edges[y, x]
            else:
                open_edges[x, y] = open_edges.get((x, y), 0) + 1
        if not open_edges:
            ends.append(count)
    return ends


def _is_hollow(mesh: Mesh, faces: np.ndarray, around: np.ndarray) -> bool:
    """Whether a closed surface is turned inside out and lies within the bounds of another."""
    inner, outer = mesh.triangles[faces], mesh.triangles[around].reshape(-1, 3)
    volume = float(np.einsum("ij,ij->i", inner[:, 0], np.cross(inner[:, 1], inner[:, 2])).sum())
    points = inner.reshape(-1, 3)
    inside = (points.min(axis=0) >= outer.min(axis=0)).all() and (points.max(axis=0) <= outer.max(axis=0)).all()
    return volume < 0 and bool(inside)
