"""Cycles materials from SVBRDF values: Principled BSDF, images where there are maps."""

import math
from pathlib import Path

import bpy

from datagen.core.errors import MaterialError
from datagen.core.material import Material

_GREY_INPUTS = {"roughness": "Roughness", "metallic": "Metallic"}
COLORS = "Color"
"""The attribute in which meshes keep corner colours."""
_SHEEN_ROUGHNESS = 0.5
_COAT_ROUGHNESS = 0.12
_PATCHES = 6.0
"""Patches of wear along an object's radius."""
_WORN_ROUGHNESS = 0.85


def build(material: Material) -> bpy.types.Material:
    """A node material for a prepared `Material`; base colour sRGB, the other maps Non-Color.

    Images are loaded once per Blender session by path. A height map is not used: libraries turn it
    into a normal map. Raises MaterialError when a map is missing or cannot be read.
    """
    built = bpy.data.materials.new(material.material_id)
    built.use_nodes = True
    tree = built.node_tree
    bsdf = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    _set_constants(bsdf, material)
    if "base_color" in material.maps:
        image = _image_node(tree, material.maps["base_color"], "sRGB")
        tree.links.new(image.outputs["Color"], bsdf.inputs["Base Color"])
    if material.vertex_color:
        _link_vertex_color(tree, bsdf)
    for channel, socket in _GREY_INPUTS.items():
        if channel in material.maps:
            image = _image_node(tree, material.maps[channel], "Non-Color")
            tree.links.new(image.outputs["Color"], bsdf.inputs[socket])
    if "normal" in material.maps:
        _link_normal(tree, bsdf, material)
    if material.rougher:
        _link_rougher(tree, bsdf, material)
    if material.tilt_deg != (0.0, 0.0):
        _link_tilt(tree, bsdf, material)
    if material.tint != (1.0, 1.0, 1.0):
        _link_tint(tree, bsdf, material)
    if material.wear:
        _link_wear(tree, bsdf, material)
    return built


def _set_constants(bsdf: bpy.types.Node, material: Material) -> None:
    inputs = bsdf.inputs
    inputs["Base Color"].default_value = (*material.base_color, 1.0)
    inputs["Roughness"].default_value = material.roughness
    inputs["Metallic"].default_value = material.metallic
    inputs["Specular IOR Level"].default_value = material.specular
    inputs["Sheen Weight"].default_value = material.sheen
    inputs["Sheen Roughness"].default_value = _SHEEN_ROUGHNESS
    inputs["Sheen Tint"].default_value = (*_sheen_tint(material), 1.0)
    inputs["Coat Weight"].default_value = material.coat
    inputs["Coat Roughness"].default_value = _COAT_ROUGHNESS


def _sheen_tint(material: Material) -> tuple[float, float, float]:
    """Half way from the cloth's own hue to white: white sheen alone looks like dust on dark cloth."""
    top = max(*material.mean_color, 1e-6)
    r, g, b = (0.5 + 0.5 * channel / top for channel in material.mean_color)
    return (r, g, b)


def _link_vertex_color(tree: bpy.types.NodeTree, bsdf: bpy.types.Node) -> None:
    """Multiply what the base colour is by now with the corners' colours."""
    painted = tree.nodes.new("ShaderNodeVertexColor")
    painted.layer_name = COLORS
    tree.links.new(painted.outputs["Color"], _multiplied(tree, bsdf).inputs[1])


def _multiplied(tree: bpy.types.NodeTree, bsdf: bpy.types.Node) -> bpy.types.Node:
    """A node that multiplies what the base colour is by now; its second factor is free."""
    base = bsdf.inputs["Base Color"]
    product = tree.nodes.new("ShaderNodeVectorMath")
    product.operation = "MULTIPLY"
    if base.links:
        tree.links.new(base.links[0].from_socket, product.inputs[0])
    else:
        product.inputs[0].default_value = base.default_value[:3]
    tree.links.new(product.outputs["Vector"], base)
    return product


def _link_tint(tree: bpy.types.NodeTree, bsdf: bpy.types.Node, material: Material) -> None:
    _multiplied(tree, bsdf).inputs[1].default_value = material.tint


def _link_wear(tree: bpy.types.NodeTree, bsdf: bpy.types.Node, material: Material) -> None:
    """Patches of noise in which the base colour goes to the grey of dust and the surface to matt."""
    place = tree.nodes.new("ShaderNodeTexCoord")
    noise = tree.nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = _PATCHES
    noise.inputs["Detail"].default_value = 4.0
    tree.links.new(place.outputs["Object"], noise.inputs["Vector"])
    patches = tree.nodes.new("ShaderNodeMapRange")
    for name, value in (("From Min", 0.45), ("From Max", 0.6), ("To Min", 0.0), ("To Max", material.wear)):
        patches.inputs[name].default_value = value
    tree.links.new(noise.outputs["Fac"], patches.inputs["Value"])
    grey = 0.6 * sum(material.mean_color) / 3 + 0.05
    _mixed(tree, patches, bsdf.inputs["Base Color"], "RGBA", (grey, grey, grey, 1.0))
    _mixed(tree, patches, bsdf.inputs["Roughness"], "FLOAT", _WORN_ROUGHNESS)


def _mixed(
    tree: bpy.types.NodeTree,
    patches: bpy.types.Node,
    target: bpy.types.NodeSocket,
    kind: str,
    worn: float | tuple[float, float, float, float],
) -> None:
    """Mix what a socket is given by now with what it is where the surface is worn."""
    mix = tree.nodes.new("ShaderNodeMix")
    mix.data_type = kind
    factor, before, after = (
        next(socket for socket in mix.inputs if socket.name == name and socket.enabled) for name in ("Factor", "A", "B")
    )
    if target.links:
        tree.links.new(target.links[0].from_socket, before)
    else:
        before.default_value = target.default_value
    after.default_value = worn
    tree.links.new(patches.outputs["Result"], factor)
    tree.links.new(next(socket for socket in mix.outputs if socket.enabled), target)


def _link_normal(tree: bpy.types.NodeTree, bsdf: bpy.types.Node, material: Material) -> None:
    image = _image_node(tree, material.maps["normal"], "Non-Color")
    normal = tree.nodes.new("ShaderNodeNormalMap")
    normal.inputs["Strength"].default_value = material.normal_strength
    tree.links.new(image.outputs["Color"], normal.inputs["Color"])
    tree.links.new(normal.outputs["Normal"], bsdf.inputs["Normal"])


def _link_rougher(tree: bpy.types.NodeTree, bsdf: bpy.types.Node, material: Material) -> None:
    shifted, rough = tree.nodes.new("ShaderNodeMath"), bsdf.inputs["Roughness"]
    shifted.operation, shifted.use_clamp = "ADD", True
    shifted.inputs[1].default_value = material.rougher
    if rough.links:
        tree.links.new(rough.links[0].from_socket, shifted.inputs[0])
    else:
        shifted.inputs[0].default_value = rough.default_value
    tree.links.new(shifted.outputs[0], rough)


def _link_tilt(tree: bpy.types.NodeTree, bsdf: bpy.types.Node, material: Material) -> None:
    """Turn what the shading normal is by now; the coat's with it."""
    turned, normal = tree.nodes.new("ShaderNodeVectorRotate"), bsdf.inputs["Normal"]
    turned.rotation_type = "EULER_XYZ"
    turned.inputs["Rotation"].default_value = (*(math.radians(angle) for angle in material.tilt_deg), 0.0)
    own = normal.links[0].from_socket if normal.links else tree.nodes.new("ShaderNodeNewGeometry").outputs["Normal"]
    tree.links.new(own, turned.inputs["Vector"])
    for name in ("Normal", "Coat Normal"):
        tree.links.new(turned.outputs["Vector"], bsdf.inputs[name])


def _image_node(tree: bpy.types.NodeTree, path: str, colour_space: str) -> bpy.types.Node:
    if not Path(path).is_file():
        raise MaterialError(f"the texture {path} is not there; prepare the material again")
    try:
        image = bpy.data.images.load(path, check_existing=True)
    except RuntimeError as error:
        raise MaterialError(f"Blender cannot read the texture {path}: {error}; delete it and run again") from error
    image.colorspace_settings.name = colour_space
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    return node
