"""Cycles materials from SVBRDF values: Principled BSDF, images where there are maps."""

from pathlib import Path

import bpy

from datagen.core.errors import MaterialError
from datagen.core.material import Material

_GREY_INPUTS = {"roughness": "Roughness", "metallic": "Metallic"}
COLORS = "Color"
"""The attribute in which meshes keep corner colours."""
_SHEEN_ROUGHNESS = 0.5
_COAT_ROUGHNESS = 0.12


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
    base = bsdf.inputs["Base Color"]
    product = tree.nodes.new("ShaderNodeVectorMath")
    product.operation = "MULTIPLY"
    if base.links:
        tree.links.new(base.links[0].from_socket, product.inputs[0])
    else:
        product.inputs[0].default_value = base.default_value[:3]
    painted = tree.nodes.new("ShaderNodeVertexColor")
    painted.layer_name = COLORS
    tree.links.new(painted.outputs["Color"], product.inputs[1])
    tree.links.new(product.outputs["Vector"], base)


def _link_normal(tree: bpy.types.NodeTree, bsdf: bpy.types.Node, material: Material) -> None:
    image = _image_node(tree, material.maps["normal"], "Non-Color")
    normal = tree.nodes.new("ShaderNodeNormalMap")
    normal.inputs["Strength"].default_value = material.normal_strength
    tree.links.new(image.outputs["Color"], normal.inputs["Color"])
    tree.links.new(normal.outputs["Normal"], bsdf.inputs["Normal"])


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
