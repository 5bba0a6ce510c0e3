"""Open, double-sided, self-touching parts into solids that a boolean can cut.

A chain of three steps: manifold3d as the part is; repair per
connected component with pymeshlab; a one-sided thickness for what stays open. Results are judged,
never statuses: the surface that was there must still be there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import manifold3d
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order

from datagen.core.errors import MeshLoadError
from datagen.core.shape import Mesh, concatenate
from datagen.geometry.clean import clean, compact, linked, split_components
from datagen.geometry.sample import distances, grid_samples

SHEET_THICKNESS = 0.012
"""What an open sheet is given, object units (about 6 mm of real furniture)."""


@dataclass(frozen=True, eq=False)
class SolidPart:
    """Oriented closed manifolds, one a component, and the path that made them: direct, repaired, solidified."""

    manifolds: tuple[manifold3d.Manifold, ...]
    method: str

    @property
    def volume(self) -> float:
        """Sum of the components' volumes."""
        return sum(m.volume() for m in self.manifolds)

    def mesh(self) -> Mesh:
        """All components as one mesh."""
        return concatenate([manifold_mesh(m) for m in self.manifolds])


def to_manifold(mesh: Mesh) -> manifold3d.Manifold | None:
    """The mesh as a solid of positive volume, or None when manifold3d cannot take it either way round."""
    if not is_paired(mesh.faces):
        return None
    for faces in (mesh.faces, mesh.faces[:, ::-1]):
        solid = manifold3d.Manifold(
            manifold3d.Mesh(
                np.ascontiguousarray(mesh.vertices, dtype=np.float32), np.ascontiguousarray(faces, dtype=np.uint32)
            )
        )
        if solid.status() != manifold3d.Error.NoError or solid.is_empty():
            return None
        if solid.volume() > 1e-9:
            return solid
    return None


def is_paired(faces: np.ndarray) -> bool:
    """Whether every directed edge of faces (F, 3) has one that runs against it.

    manifold3d refuses other meshes, or dies: an odd number of half-edges is a segmentation fault (3.5.4).
    """
    edges = _directed_edges(faces).astype(np.int64)
    count = int(edges.max()) + 1
    forward, backward = edges[:, 0] * count + edges[:, 1], edges[:, 1] * count + edges[:, 0]
    return bool(np.array_equal(np.sort(forward), np.sort(backward)))


def manifold_mesh(solid: manifold3d.Manifold) -> Mesh:
    """A manifold's triangles. Raises MeshLoadError when it is empty."""
    out = solid.to_mesh()
    return Mesh(np.asarray(out.vert_properties)[:, :3], np.asarray(out.tri_verts).astype(np.int64))


def solidify_part(mesh: Mesh) -> SolidPart | None:
    """The chain. None when no step gives a solid that keeps the part's surface."""
    try:
        cleaned = clean(mesh)
    except MeshLoadError:
        return None
    direct = to_manifold(cleaned)
    if direct is not None and keeps_surface(cleaned, manifold_mesh(direct)):
        return SolidPart((direct,), "direct")
    manifolds: list[manifold3d.Manifold] = []
    method = "repaired"
    for component in split_components(cleaned):
        solid = _repaired(component)
        if solid is None:
            method = "solidified"
            thick = list(_thickened(component))
            if not thick:
                return None
            manifolds += thick
        else:
            manifolds.append(solid)
    result = SolidPart(tuple(manifolds), method)
    return result if keeps_surface(cleaned, result.mesh(), spurious=None) else None


def keeps_surface(before: Mesh, after: Mesh, spurious: float | None = 0.05) -> bool:
    """At least 95 % of `before` lies on `after`, and (unless None) at most `spurious` of `after` is new."""
    spacing = np.sqrt(max(before.area, after.area) / 6000)  # samples of one surface lie this far apart
    tolerance = 0.006 + 0.01 * before.diagonal + spacing
    old, new = grid_samples(before, 3000), grid_samples(after, 6000)
    if (distances(old, new) > tolerance).mean() > 0.05:
        return False
    return spurious is None or bool((distances(new[::2], grid_samples(before, 6000)) > tolerance).mean() <= spurious)


def _repaired(component: Mesh) -> manifold3d.Manifold | None:
    direct = to_manifold(component)
    if direct is not None:
        return direct
    closed = _close_with_meshlab(component)
    if closed is None:
        return None
    solid = to_manifold(closed)
    return solid if solid is not None and keeps_surface(component, manifold_mesh(solid), 0.35) else None


def _close_with_meshlab(component: Mesh) -> Mesh | None:
    import pymeshlab  # costs a second: only parts that need it pay

    meshes = pymeshlab.MeshSet(verbose=False)
    meshes.add_mesh(pymeshlab.Mesh(component.vertices.copy(), component.faces.copy()))
    try:
        for method in ("Remove Faces", "Split Vertices"):
            meshes.meshing_repair_non_manifold_edges(method=method)
        meshes.meshing_repair_non_manifold_vertices()
        meshes.meshing_re_orient_faces_coherently()
        meshes.meshing_close_holes(maxholesize=3000)
        out = meshes.current_mesh()
        return clean(Mesh(out.vertex_matrix(), out.face_matrix()))
    except (pymeshlab.PyMeshLabException, MeshLoadError):
        return None


def _thickened(component: Mesh) -> Iterator[manifold3d.Manifold]:
    """Each orientable sheet of the component, closed by a parallel copy and walls along its border."""
    for sheet in _oriented_sheets(component):
        solid = to_manifold(_extrude(sheet, SHEET_THICKNESS))
        if solid is not None:
            yield solid


def _extrude(sheet: Mesh, thickness: float) -> Mesh:
    normals = np.zeros_like(sheet.vertices)
    a, b, c = sheet.triangles.transpose(1, 0, 2)
    weighted = np.cross(b - a, c - a)
    for corner in range(3):
        np.add.at(normals, sheet.faces[:, corner], weighted)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    count = len(sheet.vertices)
    border = _border_edges(sheet.faces)
    walls = np.concatenate(
        [
            np.stack([border[:, 1], border[:, 0], border[:, 0] + count], axis=1),
            np.stack([border[:, 1], border[:, 0] + count, border[:, 1] + count], axis=1),
        ]
    )
    vertices = np.concatenate([sheet.vertices, sheet.vertices - thickness * normals])
    return Mesh(vertices, np.concatenate([sheet.faces, sheet.faces[:, ::-1] + count, walls]))


def _directed_edges(faces: np.ndarray) -> np.ndarray:
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def _border_edges(faces: np.ndarray) -> np.ndarray:
    edges = _directed_edges(faces)
    _, inverse, counts = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    return edges[counts[inverse.reshape(-1)] == 1]


def _paired(edges: np.ndarray) -> np.ndarray:
    """Rows (K, 2) of directed edges (E, 2): the two of each edge that exactly two faces share."""
    _, inverse, counts = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    inverse = inverse.reshape(-1)
    order = np.argsort(inverse, kind="stable")
    return order[counts[inverse[order]] == 2].reshape(-1, 2)


def _oriented_sheets(mesh: Mesh) -> list[Mesh]:
    """Pieces of the mesh that meet only along two-face edges, consistently wound, vertices not shared."""
    faces = mesh.faces
    edges = _directed_edges(faces)
    owner = np.tile(np.arange(len(faces)), 3)
    forward = edges[:, 0] < edges[:, 1]
    paired = _paired(edges)
    i, j = owner[paired[:, 0]], owner[paired[:, 1]]
    same_way = forward[paired[:, 0]] == forward[paired[:, 1]]
    graph = coo_matrix((np.ones(len(i)), (i, j)), shape=(len(faces),) * 2).tocsr()
    flip = _parities(graph, i, j, same_way, len(faces))
    labels = linked(i, j, len(faces))
    wound = np.where(flip[:, None], faces[:, ::-1], faces)
    sheets = []
    for label in np.unique(labels):
        sheets += _split_pinched(compact(mesh.vertices, wound[labels == label]))
    return sheets


def _parities(graph: coo_matrix, i: np.ndarray, j: np.ndarray, same_way: np.ndarray, count: int) -> np.ndarray:
    """Which faces to turn so that neighbours wind alike: breadth-first from the first face of each piece."""
    sign = {(int(a), int(b)): bool(s) for a, b, s in zip(i, j, same_way, strict=True)}
    flip, seen = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    for start in range(count):
        if seen[start]:
            continue
        order, previous = breadth_first_order(graph, start, directed=False)
        seen[order] = True
        for face in order[1:]:
            parent = int(previous[face])
            turn = sign.get((parent, int(face)), sign.get((int(face), parent), False))
            flip[face] = flip[parent] ^ turn
    return flip


def _split_pinched(sheet: Mesh) -> list[Mesh]:
    """Give each fan of faces about a pinched vertex its own copy, so that every vertex is manifold."""
    faces = sheet.faces.copy()
    edges = _directed_edges(faces)
    owner = np.tile(np.arange(len(faces)), 3)
    paired = _paired(edges)
    corners = 3 * len(faces)
    links = []
    for vertex in (0, 1):  # the two ends of a shared edge join the same corner of both faces
        first = edges[paired[:, 0], vertex]
        links.append([_corner(faces, owner[paired[:, 0]], first), _corner(faces, owner[paired[:, 1]], first)])
    i, j = np.concatenate([link[0] for link in links]), np.concatenate([link[1] for link in links])
    _, first, new_faces = np.unique(linked(i, j, corners), return_index=True, return_inverse=True)
    return [Mesh(sheet.vertices[faces.reshape(-1)[first]], new_faces.reshape(-1, 3))]


def _corner(faces: np.ndarray, face: np.ndarray, vertex: np.ndarray) -> np.ndarray:
    return 3 * face + (faces[face] == vertex[:, None]).argmax(axis=1)
