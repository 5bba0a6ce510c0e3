"""Objects on a floor under a visible environment: the stage of odd-one-out scenes (formats, 1.9)."""

import math
from pathlib import Path

import bpy
import numpy as np

from datagen.core.camera import TabletopCamera
from datagen.core.colour import luminance
from datagen.core.errors import MissingDependency
from datagen.core.shape import Mesh, Part
from datagen.core.tabletop import FLOOR_SIZE_M, TabletopJob
from datagen.geometry.clean import good_faces, weld
from datagen.geometry.uv import box_projection
from datagen.render.blender import shader
from datagen.render.blender.lens import add_camera, look_through
from datagen.render.blender.meshes import mark_sharp, smooth_triangles
from datagen.render.blender.world import light_by, world_path

IMPORTANCE_MAP = 256
"""Edge of the environment's importance map: suns are found, and it costs a tenth of a second."""
SKY = 1.5
"""With strength 0.8 and Filmic a grey floor comes out as bright as the published one (mean grey 156)."""
LAYER = "uv"


class TabletopStage:
    """Floor, sky, camera and objects of one job."""

    def __init__(self, scene: bpy.types.Scene, job: TabletopJob) -> None:
        self.scene = scene
        self._materials = {key: shader.build(job.materials[key]) for key in sorted(job.materials)}
        self._data: dict[str, bpy.types.Mesh] = {}
        for thing in job.objects:
            for part in thing.shape.parts:
                self._stand(thing.name, part, thing.T_world_shape, job)
        self._floor(job)
        _sky(scene, job)
        self.camera = add_camera(scene, (0.01, 1000.0))

    def aim(self, camera: TabletopCamera) -> None:
        """Look through a camera."""
        look_through(self.camera, camera)

    def _stand(self, name: str, part: Part, T: np.ndarray, job: TabletopJob) -> None:
        """A part in the world; equal parts of several objects share their mesh."""
        assert part.skin is not None, "objects of a scene are dressed"
        key = f"{part.mesh.digest}{part.skin.digest}"
        if key not in self._data:
            self._data[key] = _mesh(part, self._materials, job)
        thing = bpy.data.objects.new(f"{name}_{part.part_id}", self._data[key])
        self.scene.collection.objects.link(thing)
        thing.matrix_world = [list(row) for row in T.T]

    def _floor(self, job: TabletopJob) -> None:
        material = job.materials[job.floor.material_id]
        half = FLOOR_SIZE_M / 2
        corners = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
        data = bpy.data.meshes.new("floor")
        data.from_pydata([(x, y, 0.0) for x, y in corners.tolist()], [], [(0, 1, 2, 3)])
        c, s = math.cos(math.radians(job.floor.rotation_deg)), math.sin(math.radians(job.floor.rotation_deg))
        uv = corners @ np.array([[c, s], [-s, c]]) / material.tile_size + np.array(job.floor.offset)
        layer = data.uv_layers.new(name=LAYER)
        layer.uv.foreach_set("vector", uv.ravel().astype(np.float32))
        data.materials.append(self._materials[job.floor.material_id])
        self.scene.collection.objects.link(bpy.data.objects.new("floor", data))


def _mesh(part: Part, materials: dict[str, bpy.types.Material], job: TabletopJob) -> bpy.types.Mesh:
    """Blender's mesh of a part: welded for smooth normals, sharp where it should be, dressed face by face."""
    skin = part.skin
    assert skin is not None
    joined = weld(part.mesh)
    keep = good_faces(joined.vertices, joined.faces)
    if not keep.any():
        keep = np.ones(len(joined.faces), bool)
    mesh = Mesh(joined.vertices, joined.faces[keep])
    slot = skin.slot[keep]
    tiles = np.array([job.materials[name].tile_size for name in skin.materials])[slot]
    uv = box_projection(mesh) / tiles[:, None, None]
    if skin.uv is not None:
        own = skin.uv[keep]
        told = np.isfinite(own).all(axis=(1, 2))
        uv[told] = own[told]
    data = smooth_triangles(f"part_{part.part_id}", mesh)
    data.polygons.foreach_set("material_index", slot.astype(np.int32))
    layer = data.uv_layers.new(name=LAYER)
    layer.uv.foreach_set("vector", uv.reshape(-1).astype(np.float32))
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


def _sky(scene: bpy.types.Scene, job: TabletopJob) -> None:
    """The environment as it is: seen behind the floor's edge, mirrored in it, and the only light."""
    path: Path = world_path(job.sky.world)
    try:
        image = bpy.data.images.load(str(path), check_existing=True)
    except RuntimeError as error:
        raise MissingDependency(f"environment {path}: {error}; give a readable .hdr or .exr") from error
    light_by(scene, image, math.radians(job.sky.rotation_deg), job.sky.strength * _gain(image), IMPORTANCE_MAP)


def _gain(image: bpy.types.Image) -> float:
    """What brings the floor's irradiance to that of a white sky of radiance SKY: photographs differ tenfold."""
    width, height = image.size
    flat = np.empty(width * height * image.channels, dtype=np.float32)
    image.pixels.foreach_get(flat)
    pixels = flat.reshape(height, width, image.channels)[..., :3].astype(np.float64)
    elevation = (np.arange(height) + 0.5) / height * np.pi - np.pi / 2
    weight = np.clip(np.sin(elevation), 0, None) * np.cos(elevation) * (np.pi / height) * (2 * np.pi / width)
    irradiance = float(luminance(np.einsum("hwc,h->c", pixels, weight)))
    return float(np.clip(SKY * np.pi / max(irradiance, 1e-6), 0.05, 20.0))
