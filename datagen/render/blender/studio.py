"""The rig of a studio: a ground that is white by construction (diffuse plus emission), environment and suns.

The environment is blurred and white-balanced, and all lights are at infinity: no light falls off over the ground.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import bpy
import numpy as np
from scipy.ndimage import gaussian_filter1d

from datagen.core.backdrop import Tiled
from datagen.core.colour import linear_from_srgb, luminance
from datagen.core.lamp import Backlight
from datagen.core.scene import Light, Scene, Studio, Sun, View
from datagen.render.backdrop import flat
from datagen.render.blender.backed import lay_tiles, tiled_ground
from datagen.render.blender.lamps import Lamps
from datagen.render.blender.lens import add_camera, look_through
from datagen.render.blender.world import light_by, world_path

WORLD_SIZE = (64, 32)
BLUR_PX = 4.0
WHITE_BALANCE = 0.8
FLOOR_HALF_SIZE = 2000.0
"""Far enough that no ray of a view at elevation 20 passes beyond it: the top row falls by 0.2 degrees."""
THUMBNAIL = 8
"""Pixels a side of a backdrop from which its mean colour is taken."""
IMPORTANCE_MAP = 64
"""Edge of the environment's importance map: it is blurred to that."""


class StudioRig:
    """Camera, ground and lights of a scene in a studio; `aim` sets them for a view."""

    def __init__(self, scene: bpy.types.Scene, job: Scene, materials: Mapping[str, bpy.types.Material]) -> None:
        assert isinstance(job.ground, Studio), "another rig is for floors"
        self.scene = scene
        self.settings: dict[str, Any] = dict(job.settings)
        self._room = job.ground.room
        self._lit: tuple[Light, float] | None = None
        # Lamps are made once and changed in place: removing and adding them reorders Cycles' light
        # list from one run to the next, and the noise with it.
        self._suns = [self._add_sun(k) for k in range(max(len(_setup(view).suns) for view in job.views))]
        self.floor, self._floor_sockets = self._add_floor(job.ground.z)
        self._plates = [lamp for lamp in job.ground.lamps if isinstance(lamp, Backlight)]
        tiled = tiled_ground(job)
        if tiled is not None:
            lay_tiles(self.floor, materials[tiled.material_id], tiled, job.materials[tiled.material_id].tile_size)
        self.floor.hide_render = any(plate.behind is not None for plate in self._plates)
        white = self.settings["floor_radiance"]
        self.lamps = Lamps(scene, job.ground.lamps, job.ground.z, self.irradiance, white)
        self.camera = add_camera(scene, (0.01, 10_000.0))

    def aim(self, view: View) -> None:
        """Place the camera and change the light if it differs from the last view's."""
        look_through(self.camera, view.camera)
        if (view.light, view.turn_deg) != self._lit:
            self._relight(_setup(view), view.turn_deg)
        self.lamps.aim(view)
        self._colour(view)

    @property
    def irradiance(self) -> float:
        """Irradiance on the ground that makes diffuse plus emission the wanted radiance."""
        s = self.settings
        return s["floor_radiance"] * (1 - s["floor_emission"]) * np.pi / s["floor_albedo"]

    def _colour(self, view: View) -> None:
        """The ground gives the object the light of its backdrop, and none of its own where a plate does."""
        if isinstance(view.backdrop, Tiled) or (view.backdrop is None and not self._plates):
            return
        mean = linear_from_srgb(flat(view.backdrop, THUMBNAIL)).mean(axis=(0, 1))
        albedo = self.settings["floor_albedo"] * mean
        glow = 0.0 * mean if self._plates else mean
        for socket, color in zip(self._floor_sockets, (albedo, glow), strict=True):
            socket.default_value = (*color.tolist(), 1.0)

    def _add_floor(self, ground_z: float) -> tuple[bpy.types.Object, tuple[bpy.types.NodeSocket, ...]]:
        """The ground, and the sockets of the colours that it reflects and emits."""
        h, z = FLOOR_HALF_SIZE, ground_z - 0.002
        data = bpy.data.meshes.new("floor")
        data.from_pydata([(-h, -h, z), (h, -h, z), (h, h, z), (-h, h, z)], [], [(0, 1, 2, 3)])
        material = bpy.data.materials.new("floor")
        material.use_nodes = True
        material.cycles.emission_sampling = "NONE"
        nodes, links = material.node_tree.nodes, material.node_tree.links
        nodes.clear()
        diffuse, emission = nodes.new("ShaderNodeBsdfDiffuse"), nodes.new("ShaderNodeEmission")
        add, output = nodes.new("ShaderNodeAddShader"), nodes.new("ShaderNodeOutputMaterial")
        diffuse.inputs["Color"].default_value = (*[self.settings["floor_albedo"]] * 3, 1.0)
        strength = self.settings["floor_radiance"] * self.settings["floor_emission"]
        emission.inputs["Strength"].default_value = strength
        links.new(diffuse.outputs[0], add.inputs[0])
        links.new(emission.outputs[0], add.inputs[1])
        links.new(add.outputs[0], output.inputs["Surface"])
        data.materials.append(material)
        floor = bpy.data.objects.new("floor", data)
        self.scene.collection.objects.link(floor)
        return floor, (diffuse.inputs["Color"], emission.inputs["Color"])

    def _relight(self, light: Light, turn_deg: float) -> None:
        for k, lamp in enumerate(self._suns):
            self._set_sun(lamp, light.suns[k] if k < len(light.suns) and self._room else None, turn_deg)
        self._set_world(light, turn_deg)
        self._lit = light, turn_deg

    def _add_sun(self, k: int) -> bpy.types.Object:
        lamp = bpy.data.objects.new(f"sun_{k}", bpy.data.lights.new(f"sun_{k}", "SUN"))
        self.scene.collection.objects.link(lamp)
        return lamp

    def _set_sun(self, lamp: bpy.types.Object, sun: Sun | None, turn_deg: float) -> None:
        lamp.hide_render = sun is None
        if sun is None:
            return
        elevation, azimuth = np.radians([sun.elevation_deg, sun.azimuth_deg + turn_deg])
        lamp.data.energy = float(self._room * sun.share * self.irradiance / np.sin(elevation))
        lamp.data.angle = float(np.radians(sun.angle_deg))
        lamp.data.color = sun.color
        lamp.rotation_euler = (float(np.pi / 2 - elevation), 0.0, float(azimuth + np.pi / 2))

    def _set_world(self, light: Light, turn_deg: float) -> None:
        share = self._room * (1.0 - sum(sun.share for sun in light.suns))
        pixels = _blurred(light.world)
        upper = _cosine_integral(pixels)
        level = float(luminance(upper))
        tint = (level / np.maximum(upper, 1e-9)) ** WHITE_BALANCE
        strength = share * self.irradiance / float(luminance(upper * tint))
        image = _image(light.world, pixels * tint)
        light_by(self.scene, image, float(np.radians(light.rotation_deg - turn_deg)), strength, IMPORTANCE_MAP)


def _setup(view: View) -> Light:
    assert isinstance(view.light, Light), "a studio is lit by light set-ups"
    return view.light


@lru_cache(maxsize=32)
def _blurred(name: str) -> np.ndarray:
    """Environment reduced to 64 x 32 and blurred, (32, 64, 3) linear, row 0 at the bottom."""
    image = bpy.data.images.load(str(world_path(name)), check_existing=False)
    width, height = image.size
    flat = np.empty(width * height * image.channels, dtype=np.float32)
    image.pixels.foreach_get(flat)
    pixels = flat.reshape(height, width, image.channels)[..., :3].astype(np.float64)
    bpy.data.images.remove(image)
    columns, rows = WORLD_SIZE
    edges_y = np.linspace(0, height, rows + 1).astype(int)
    edges_x = np.linspace(0, width, columns + 1).astype(int)
    box = np.add.reduceat(np.add.reduceat(pixels, edges_y[:-1], axis=0), edges_x[:-1], axis=1)
    box /= (np.diff(edges_y)[:, None] * np.diff(edges_x)[None, :])[..., None]
    blurred = gaussian_filter1d(box, BLUR_PX, axis=1, mode="wrap")
    return gaussian_filter1d(blurred, BLUR_PX, axis=0, mode="nearest")


def _cosine_integral(pixels: np.ndarray) -> np.ndarray:
    """Irradiance (3,) on a level ground: the cosine-weighted integral over the upper half."""
    rows, columns = pixels.shape[:2]
    elevation = (np.arange(rows) + 0.5) / rows * np.pi - np.pi / 2
    weight = np.clip(np.sin(elevation), 0, None) * np.cos(elevation) * (np.pi / rows) * (2 * np.pi / columns)
    return np.einsum("rci,r->i", pixels, weight)


def _image(name: str, pixels: np.ndarray) -> bpy.types.Image:
    rows, columns = pixels.shape[:2]
    image = bpy.data.images.new(f"world {name}", columns, rows, float_buffer=True, is_data=True)
    image.colorspace_settings.name = "Non-Color"
    rgba = np.concatenate([pixels, np.ones((rows, columns, 1))], axis=2).astype(np.float32)
    image.pixels.foreach_set(rgba.ravel())
    image.update()
    return image
