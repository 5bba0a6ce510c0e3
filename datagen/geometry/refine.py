"""Finer triangles for a mesh that is to be bent, and what its texture coordinates become."""

from collections.abc import Callable, Sequence

import numpy as np

from datagen.core.shape import Mesh, Skin, concatenate
from datagen.geometry.clean import weld

MAX_FACES = 120_000
"""Refinement stops here: a deformation of a mesh this fine needs no finer one."""


Where = Callable[[np.ndarray], np.ndarray]
"""Edges' ends (N, 2, 3) -> which of them (N,) may be halved."""


def refined(mesh: Mesh, max_edge: float, where: Where | None = None) -> tuple[Mesh, np.ndarray]:
    """The mesh with no edge longer than `max_edge`, and the face (F_new,) that each new face lies in.

    Edges are halved on both of their faces alike, so no gap opens when vertices move; vertices that only a
    seam keeps apart are joined. The surface stays where it was. `where` leaves other edges as they are.
    """
    joined = weld(mesh)
    vertices, faces = joined.vertices, joined.faces.astype(np.int64)
    parent = np.arange(len(faces))
    while len(faces) < MAX_FACES:
        edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]], axis=2)
        keys = edges[..., 0] * len(vertices) + edges[..., 1]
        unique, inverse = np.unique(keys, return_inverse=True)
        ends = np.stack([unique // len(vertices), unique % len(vertices)], axis=1)
        long = np.linalg.norm(vertices[ends[:, 0]] - vertices[ends[:, 1]], axis=1) > max_edge
        if where is not None:
            long[long] = where(vertices[ends[long]])
        if not long.any():
            break
        middle = np.full(len(unique), -1)
        middle[long] = len(vertices) + np.arange(int(long.sum()))
        vertices = np.concatenate([vertices, vertices[ends[long]].mean(axis=1)])
        faces, owner = _split(faces, middle[inverse.reshape(-1, 3)])
        parent = parent[owner]
    return Mesh(vertices, faces), parent


def _split(faces: np.ndarray, middle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Faces (F, 3) with the edges (ab, bc, ca) that have a middle vertex halved, and each new face's old one."""
    count = (middle >= 0).sum(axis=1)
    new, owner = [faces[count == 0]], [np.flatnonzero(count == 0)]
    for halves in (1, 2, 3):
        rows = np.flatnonzero(count == halves)
        if len(rows) == 0:
            continue
        # Turn each face so that its halved edges come first.
        if halves == 1:
            first = (middle[rows] >= 0).argmax(axis=1)
        elif halves == 2:
            first = ((middle[rows] < 0).argmax(axis=1) + 1) % 3
        else:
            first = np.zeros(len(rows), dtype=np.int64)
        turn = (first[:, None] + np.arange(3)) % 3
        a, b, c = np.take_along_axis(faces[rows], turn, axis=1).T
        ab, bc, ca = np.take_along_axis(middle[rows], turn, axis=1).T
        pieces = {
            1: ((a, ab, c), (ab, b, c)),
            2: ((ab, b, bc), (a, ab, bc), (a, bc, c)),
            3: ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)),
        }[halves]
        for piece in pieces:
            new.append(np.stack(piece, axis=1))
            owner.append(rows)
    return np.concatenate(new), np.concatenate(owner)


def skin_at(mesh: Mesh, skin: Skin, face: np.ndarray, corners: np.ndarray) -> Skin:
    """A mesh's skin on new faces with `corners` (N, 3, 3) that lie in faces (N,) of the mesh."""
    uv, color = (
        None if values is None else corner_values_at(mesh, values, face, corners) for values in (skin.uv, skin.color)
    )
    return Skin(skin.materials, skin.slot[face], uv, None if color is None else np.clip(color, 0.0, 1.0))


def corner_values_at(mesh: Mesh, values: np.ndarray, face: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Values (N, 3, C) at `corners` (N, 3, 3) that lie in faces (N,) of a mesh with values (F, 3, C) at its corners."""
    a, b, c = mesh.triangles[face].transpose(1, 0, 2)
    u, v = b - a, c - a
    uu, uv_, vv = (np.einsum("ni,ni->n", p, q) for p, q in ((u, u), (u, v), (v, v)))
    scale = np.maximum(uu * vv - uv_**2, 1e-30)
    offset = corners - a[:, None]
    du = np.einsum("nki,ni->nk", offset, u)
    dv = np.einsum("nki,ni->nk", offset, v)
    s = (du * vv[:, None] - dv * uv_[:, None]) / scale[:, None]
    t = (dv * uu[:, None] - du * uv_[:, None]) / scale[:, None]
    weights = np.stack([1 - s - t, s, t], axis=2)
    return np.einsum("nkc,ncj->nkj", weights, values[face])


def joined_skins(pieces: Sequence[tuple[Mesh, Skin | None]]) -> tuple[Mesh, Skin | None]:
    """Several meshes with their skins as one."""
    mesh = concatenate([piece for piece, _ in pieces])
    skins = [skin for _, skin in pieces]
    if any(skin is None for skin in skins):
        return mesh, None
    names = tuple(dict.fromkeys(name for skin in skins if skin for name in skin.materials))
    slot, uv, color = [], [], []
    for piece, skin in pieces:
        assert skin is not None
        slot.append(np.array([names.index(name) for name in skin.materials])[skin.slot])
        uv.append(np.full((len(piece.faces), 3, 2), np.nan) if skin.uv is None else skin.uv)
        color.append(np.ones((len(piece.faces), 3, 3)) if skin.color is None else skin.color)
    has_uv = any(skin is not None and skin.uv is not None for skin in skins)
    has_color = any(skin is not None and skin.color is not None for skin in skins)
    joined_uv = np.concatenate(uv) if has_uv else None
    return mesh, Skin(names, np.concatenate(slot), joined_uv, np.concatenate(color) if has_color else None)
