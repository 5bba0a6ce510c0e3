"""Objects on a floor under a visible environment: the rig of odd-one-out scenes."""

import math
from collections.abc import Mapping

import bpy
import numpy as np

from datagen.core.colour import luminance
from datagen.core.errors import MissingDependency, RenderError
from datagen.core.material import Material
from datagen.core.scene import FLOOR_SIZE_M, Floor, Light, Scene, Sky, View
from datagen.render.blender.lens import add_camera, look_through
from datagen.render.blender.uv import LAYER
from datagen.render.blender.world import light_by, world_path

IMPORTANCE_MAP = 256
"""Edge of the environment's importance map: suns are found, and it costs a tenth of a second."""
SKY = 1.5
"""With strength 0.8 and Filmic a grey floor comes out as bright as the published one (mean grey 156)."""


class FloorRig:
    """Floor, sky and camera of a scene; `aim` sets the camera for a view. One sky lights all views."""

    def __init__(self, scene: bpy.types.Scene, job: Scene, materials: Mapping[str, bpy.types.Material]) -> None:
        assert isinstance(job.ground, Floor), "another rig is for studios"
        self.floor = _add_floor(scene, job.ground, job.materials[job.ground.material_id], materials)
        skies = {view.light for view in job.views}
        if len(skies) > 1:
            raise RenderError(f"the views of a scene on a floor share one sky; these have {len(skies)}")
        _add_sky(scene, job.views[0].light)
        self.camera = add_camera(scene, (0.01, 1000.0))

    def aim(self, view: View) -> None:
        """Look through a view's camera."""
        look_through(self.camera, view.camera)


def _add_floor(
    scene: bpy.types.Scene, floor: Floor, material: Material, materials: Mapping[str, bpy.types.Material]
) -> bpy.types.Object:
    half = FLOOR_SIZE_M / 2
    corners = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
    data = bpy.data.meshes.new("floor")
    data.from_pydata([(x, y, 0.0) for x, y in corners.tolist()], [], [(0, 1, 2, 3)])
    c, s = math.cos(math.radians(floor.rotation_deg)), math.sin(math.radians(floor.rotation_deg))
    uv = corners @ np.array([[c, s], [-s, c]]) / material.tile_size + np.array(floor.offset)
    layer = data.uv_layers.new(name=LAYER)
    layer.uv.foreach_set("vector", uv.ravel().astype(np.float32))
    data.materials.append(materials[floor.material_id])
    made = bpy.data.objects.new("floor", data)
    scene.collection.objects.link(made)
    return made


def _add_sky(scene: bpy.types.Scene, sky: Light | Sky) -> None:
    """The environment as it is: seen behind the floor's edge, mirrored in it, and the only light."""
    assert isinstance(sky, Sky), "a floor is lit by a sky"
    path = world_path(sky.world)
    try:
        image = bpy.data.images.load(str(path), check_existing=True)
    except RuntimeError as error:
        raise MissingDependency(f"environment {path}: {error}; give a readable .hdr or .exr") from error
    light_by(scene, image, math.radians(sky.rotation_deg), sky.strength * _gain(image), IMPORTANCE_MAP)


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
