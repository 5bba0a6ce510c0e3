"""Lamps of a station in Blender: meshes that emit on one side, unseen by the camera, seen in mirrors."""

import bpy

from datagen.core.lamp import Dome, Lamp
from datagen.core.scene import View
from datagen.render.blender.meshes import smooth_triangles
from datagen.render.emitters import frame_of, radiance, surface


class Lamps:
    """The lamps of a studio: made once, moved from view to view."""

    def __init__(
        self, scene: bpy.types.Scene, lamps: tuple[Lamp, ...], ground_z: float, irradiance: float, white: float
    ) -> None:
        self.ground_z = ground_z
        self._made = [(lamp, _add(scene, k, lamp, radiance(lamp, irradiance, white))) for k, lamp in enumerate(lamps)]

    def aim(self, view: View) -> None:
        """Stand as a view has them."""
        for lamp, thing in self._made:
            thing.matrix_world = [list(row) for row in frame_of(lamp, view, self.ground_z).T]


def _add(scene: bpy.types.Scene, number: int, lamp: Lamp, level: float) -> bpy.types.Object:
    name = f"lamp_{number}"
    data = smooth_triangles(name, surface(lamp))
    data.materials.append(_bright(name, level))
    made = bpy.data.objects.new(name, data)
    made.visible_camera = False
    if isinstance(lamp, Dome):
        # It stands between the part and every other light.
        made.visible_shadow = False
    scene.collection.objects.link(made)
    return made


def _bright(name: str, level: float) -> bpy.types.Material:
    """Emission of the front, black from behind."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    material.cycles.emission_sampling = "FRONT"
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    side, front = nodes.new("ShaderNodeNewGeometry"), nodes.new("ShaderNodeMath")
    emission, output = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeOutputMaterial")
    front.operation = "MULTIPLY_ADD"
    front.inputs[1].default_value, front.inputs[2].default_value = -level, level
    links.new(side.outputs["Backfacing"], front.inputs[0])
    links.new(front.outputs[0], emission.inputs["Strength"])
    links.new(emission.outputs[0], output.inputs["Surface"])
    return material
