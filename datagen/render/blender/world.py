"""The environment of a scene: where its file lies, and the nodes that light by it."""

from pathlib import Path

import bpy

from datagen.core.errors import MissingDependency


def world_path(name: str) -> Path:
    """A stock environment of the bpy wheel by name, or an image file. Raises MissingDependency."""
    if Path(name).suffix:
        path = Path(name).expanduser()
    else:
        path = Path(bpy.utils.system_resource("DATAFILES")) / "studiolights" / "world" / f"{name}.exr"
    if not path.is_file():
        raise MissingDependency(f"environment '{name}' is not at {path}; name one of the stock worlds or a file")
    return path


def light_by(scene: bpy.types.Scene, image: bpy.types.Image, rotation: float, strength: float, importance: int) -> None:
    """Light the scene by an equirectangular image, turned about z by `rotation` (radians).

    `importance`: edge of the map that Cycles samples the image by.
    """
    world = scene.world or bpy.data.worlds.new("world")
    scene.world = world
    world.cycles.sampling_method, world.cycles.sample_map_resolution = "MANUAL", importance
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    nodes.clear()
    coordinates, mapping = nodes.new("ShaderNodeTexCoord"), nodes.new("ShaderNodeMapping")
    texture, background = nodes.new("ShaderNodeTexEnvironment"), nodes.new("ShaderNodeBackground")
    output = nodes.new("ShaderNodeOutputWorld")
    mapping.inputs["Rotation"].default_value[2] = rotation
    texture.image = image
    background.inputs["Strength"].default_value = strength
    links.new(coordinates.outputs["Generated"], mapping.inputs["Vector"])
    links.new(mapping.outputs["Vector"], texture.inputs["Vector"])
    links.new(texture.outputs["Color"], background.inputs["Color"])
    links.new(background.outputs["Background"], output.inputs["Surface"])
