"""Parts as Blender objects: cleaned, sharp where they should be, unwrapped, in their materials."""

from collections.abc import Mapping

import bpy
import numpy as np

from datagen.core.errors import MeshLoadError, RenderError
from datagen.core.material import PartMaterial
from datagen.core.scene import Scene, SceneObject, ScenePart
from datagen.core.shape import Mesh, Skin
from datagen.geometry.clean import clean, good_faces, weld
from datagen.geometry.uv import box_projection
from datagen.render.blender import shader, uv

SHARP_ANGLE_DEG = 30.0
COINCIDENCE_SHRINK = 2e-4
"""Parts with coincident faces speckle: each shrinks about its own centre by this share."""


def add_objects(job: Scene, materials: Mapping[str, bpy.types.Material]) -> list[bpy.types.Object]:
    """Every part of every object that is left after cleaning. Parts of equal mesh and skin share Blender's mesh.

    Raises RenderError for a part without a surface.
    """
    made: list[bpy.types.Object] = []
    shared: dict[str, bpy.types.Mesh] = {}
    for thing in job.objects:
        for part in thing.parts:
            match part.surface:
                case PartMaterial():
                    added = _add_unwrapped(part, part.surface, materials, job)
                case Skin():
                    added = _add_skinned(thing, part, part.surface, materials, job, shared)
                case _:
                    raise RenderError(f"part {part.part_id} of {thing.name} wears nothing; give it a material or skin")
            if added is None:
                continue
            added.matrix_world = [list(row) for row in thing.T_world_object.T]
            made.append(added)
    return made


def _add_unwrapped(
    part: ScenePart, worn: PartMaterial, materials: Mapping[str, bpy.types.Material], job: Scene
) -> bpy.types.Object | None:
    """The part in one material unwrapped over it, or None if cleaning leaves nothing to see."""
    try:
        mesh = clean(part.mesh)
    except MeshLoadError:
        return None
    mesh = _shrunk(mesh, part.part_id)
    data = smooth_triangles(f"part_{part.part_id}", mesh)
    data.validate()
    data.materials.append(materials[worn.material_id])
    mark_sharp(data, mesh)
    thing = bpy.data.objects.new(data.name, data)
    bpy.context.scene.collection.objects.link(thing)
    uv.unwrap(thing, worn.projection, job.materials[worn.material_id].tile_size, worn.offset)
    return thing


def _add_skinned(
    thing: SceneObject,
    part: ScenePart,
    skin: Skin,
    materials: Mapping[str, bpy.types.Material],
    job: Scene,
    shared: dict[str, bpy.types.Mesh],
) -> bpy.types.Object:
    key = f"{part.mesh.digest}{skin.digest}"
    if key not in shared:
        shared[key] = _skinned_mesh(part, skin, materials, job)
    added = bpy.data.objects.new(f"{thing.name}_{part.part_id}", shared[key])
    bpy.context.scene.collection.objects.link(added)
    return added


def _skinned_mesh(
    part: ScenePart, skin: Skin, materials: Mapping[str, bpy.types.Material], job: Scene
) -> bpy.types.Mesh:
    """Blender's mesh of a part: welded for smooth normals, sharp where it should be, in its skin face by face."""
    joined = weld(part.mesh)
    keep = good_faces(joined.vertices, joined.faces)
    if not keep.any():
        keep = np.ones(len(joined.faces), bool)
    mesh = Mesh(joined.vertices, joined.faces[keep])
    slot = skin.slot[keep]
    tiles = np.array([job.materials[name].tile_size for name in skin.materials])[slot]
    corners = box_projection(mesh) / tiles[:, None, None]
    if skin.uv is not None:
        own = skin.uv[keep]
        told = np.isfinite(own).all(axis=(1, 2))
        corners[told] = own[told]
    data = smooth_triangles(f"part_{part.part_id}", mesh)
    data.polygons.foreach_set("material_index", slot.astype(np.int32))
    layer = data.uv_layers.new(name=uv.LAYER)
    layer.uv.foreach_set("vector", corners.reshape(-1).astype(np.float32))
    if any(job.materials[name].vertex_color for name in skin.materials):
        count = len(mesh.faces)
        tint = np.ones((count, 3, 3)) if skin.color is None else skin.color[keep]
        colors = np.concatenate([tint.reshape(-1, 3), np.ones((3 * count, 1))], axis=1)
        painted = data.color_attributes.new(shader.COLORS, "FLOAT_COLOR", "CORNER")
        painted.data.foreach_set("color", colors.astype(np.float32).ravel())
    for name in skin.materials:
        data.materials.append(materials[name])
    mark_sharp(data, mesh)
    return data


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
    """Which of the edges (E, 2) are sharp, (E,) bool: where smooth normals would smear a crease."""
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
