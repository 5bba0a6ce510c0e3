"""UV layers: Blender's Smart UV projection (section 3.2) at one texel density, and box projection."""

import math

import bpy
import numpy as np

from datagen.core.shape import Mesh
from datagen.geometry.clean import linked, unique_rows
from datagen.geometry.uv import box_projection

LAYER = "uv"
SMART_ANGLE_DEG = 66.0
_GRID = 1e-5


def unwrap(
    obj: bpy.types.Object,
    projection: str,
    tile_size: float,
    offset: tuple[float, float] = (0.0, 0.0),
    box_uv: np.ndarray | None = None,
    unit: float = 1.0,
) -> None:
    """Write the UV layer of a triangle mesh object: one repeat of the texture covers `tile_size` units.

    `box_uv` (F, 3, 2) in units saves computing the box projection again. `unit` is the length of one
    unit of a unit-sphere object in the object's own coordinates, where it has been scaled. `offset` in
    tiles. Raises ValueError for an unknown projection or a mesh that is not made of triangles.
    """
    if projection not in ("box", "smart"):
        raise ValueError(f"no projection is called {projection!r}; use 'box' or 'smart'")
    mesh = obj.data
    if len(mesh.loops) != 3 * len(mesh.polygons):
        raise ValueError(f"{obj.name} has faces that are no triangles")
    if projection == "smart":
        uv = scaled_islands(_corners(mesh), _loop_vertices(mesh), _smart(obj)) / unit
    elif box_uv is None:
        uv = box_projection(Mesh(_vertices(mesh), _loop_vertices(mesh))) / unit
    else:
        uv = box_uv
    uv = np.asarray(uv, dtype=np.float64) / tile_size + np.asarray(offset)
    _layer(mesh).uv.foreach_set("vector", uv.reshape(-1).astype(np.float32))


def scaled_islands(corners: np.ndarray, faces: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """UV (F, 3, 2) with every island scaled about its first corner so that its area is its surface's.

    Smart UV projection packs each part into 0..1, whatever its size: without this the texel density
    varies fifteenfold over one object. corners (F, 3, 3), faces (F, 3).
    """
    island = _islands(faces, uv)
    surface = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    a, b = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    flat = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    whole = math.sqrt(surface.sum() / flat.sum()) if flat.sum() > 0 else 1.0
    surface, flat = np.bincount(island, surface), np.bincount(island, flat)
    usable = (flat > 1e-14) & (surface > 0)
    scale = np.where(usable, np.sqrt(surface / np.where(usable, flat, 1.0)), whole)
    scale = np.clip(scale, whole / 4, whole * 4)
    _, first = np.unique(island, return_index=True)
    anchor = uv[first, 0][island][:, None]
    return (uv - anchor) * scale[island][:, None, None] + anchor * whole


def _islands(faces: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Island number (F,) of each face: faces whose corners share a vertex and its UV are joined."""
    keys = np.concatenate([faces.reshape(-1, 1), np.round(uv.reshape(-1, 2) / _GRID)], axis=1).astype(np.int64)
    _, corner = unique_rows(keys)
    face = np.repeat(np.arange(len(faces)), 3)
    nodes = len(faces) + int(corner.max()) + 1
    return linked(face, len(faces) + corner, nodes)[: len(faces)]


def _smart(obj: bpy.types.Object) -> np.ndarray:
    """Smart UV projection of the whole object, (F, 3, 2) in 0..1."""
    _layer(obj.data)
    view_layer = bpy.context.view_layer
    for other in view_layer.objects:
        other.select_set(other == obj)
    view_layer.objects.active = obj
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        bpy.ops.mesh.select_all(action="SELECT")
        bpy.ops.uv.smart_project(angle_limit=math.radians(SMART_ANGLE_DEG), island_margin=0.0)
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
    uv = np.empty(2 * len(obj.data.loops), dtype=np.float32)
    _layer(obj.data).uv.foreach_get("vector", uv)
    return uv.astype(np.float64).reshape(-1, 3, 2)


def _layer(mesh: bpy.types.Mesh) -> bpy.types.MeshUVLoopLayer:
    layer = mesh.uv_layers.get(LAYER) or mesh.uv_layers.new(name=LAYER)
    mesh.uv_layers.active = layer
    return layer


def _vertices(mesh: bpy.types.Mesh) -> np.ndarray:
    out = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    mesh.vertices.foreach_get("co", out)
    return out.astype(np.float64).reshape(-1, 3)


def _loop_vertices(mesh: bpy.types.Mesh) -> np.ndarray:
    out = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", out)
    return out.reshape(-1, 3)


def _corners(mesh: bpy.types.Mesh) -> np.ndarray:
    return _vertices(mesh)[_loop_vertices(mesh)]
