"""Parts as Blender objects: cleaned, sharp where they should be, unwrapped, dressed."""

import bpy
import numpy as np

from datagen.core.errors import MeshLoadError
from datagen.core.scene import RenderPart
from datagen.core.shape import Mesh
from datagen.geometry.clean import clean
from datagen.render.blender import uv

SHARP_ANGLE_DEG = 30.0
COINCIDENCE_SHRINK = 2e-4
"""Parts with coincident faces speckle: each shrinks about its own centre by this share (lookdev, 2)."""


def add(part: RenderPart, material: bpy.types.Material, tile_size: float) -> bpy.types.Object | None:
    """The part in the scene, or None if cleaning leaves nothing to see."""
    try:
        mesh = clean(part.mesh)
    except MeshLoadError:
        return None
    mesh = _shrunk(mesh, part.part_id)
    data = smooth_triangles(f"part_{part.part_id}", mesh)
    data.validate()
    data.materials.append(material)
    mark_sharp(data, mesh)
    thing = bpy.data.objects.new(data.name, data)
    bpy.context.scene.collection.objects.link(thing)
    uv.unwrap(thing, part.dress.projection, tile_size, part.dress.offset)
    return thing


def smooth_triangles(name: str, mesh: Mesh) -> bpy.types.Mesh:
    """The mesh as Blender's own, smooth all over, without materials."""
    data = bpy.data.meshes.new(name)
    count = len(mesh.faces)
    data.vertices.add(len(mesh.vertices))
    data.vertices.foreach_set("co", mesh.vertices.astype(np.float32).ravel())
    data.loops.add(3 * count)
    data.loops.foreach_set("vertex_index", mesh.faces.astype(np.int32).ravel())
    data.polygons.add(count)
    data.polygons.foreach_set("loop_start", np.arange(0, 3 * count, 3, dtype=np.int32))
    data.polygons.foreach_set("use_smooth", np.ones(count, dtype=bool))
    data.update(calc_edges=True)
    return data


def _shrunk(mesh: Mesh, part_id: int) -> Mesh:
    scale = 1.0 - COINCIDENCE_SHRINK * (1 + part_id % 5)
    centre = mesh.centre
    return Mesh((mesh.vertices - centre) * scale + centre, mesh.faces)


def mark_sharp(data: bpy.types.Mesh, mesh: Mesh) -> None:
    """Sharp: an edge of other than two faces, wound the same way in both, or bent beyond the angle."""
    pairs = np.empty(2 * len(data.edges), dtype=np.int32)
    data.edges.foreach_get("vertices", pairs)
    sharp = _sharp_edges(mesh, pairs.reshape(-1, 2))
    attribute = data.attributes.new("sharp_edge", "BOOLEAN", "EDGE")
    attribute.data.foreach_set("value", sharp)


def _sharp_edges(mesh: Mesh, edges: np.ndarray) -> np.ndarray:
    """Which of the edges (E, 2) are sharp, (E,) bool: "robust sharp" of lookdev.md, section 2."""
    faces, count = mesh.faces, len(mesh.vertices)
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    owner = np.tile(np.arange(len(faces)), 3)
    keys = np.sort(directed, axis=1) @ np.array([count, 1])
    order = np.argsort(keys, kind="stable")
    unique, first, counts = np.unique(keys[order], return_index=True, return_counts=True)
    a, b, c = mesh.triangles.transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    two = counts == 2
    i, j = order[first[two]], order[first[two] + 1]
    bent = np.einsum("ei,ei->e", normals[owner[i]], normals[owner[j]]) < np.cos(np.radians(SHARP_ANGLE_DEG))
    same_way = directed[i, 0] == directed[j, 0]
    sharp = np.ones(len(unique), dtype=bool)
    sharp[two] = bent | same_way
    wanted = np.sort(edges.astype(np.int64), axis=1) @ np.array([count, 1])
    return sharp[np.clip(np.searchsorted(unique, wanted), 0, len(unique) - 1)]
