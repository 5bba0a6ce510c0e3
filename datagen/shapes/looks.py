"""Mesh files with what they look like: their materials baked into maps that the renderers take.

Kept are base colour, roughness, metalness and normals; what a file says beyond that becomes a warning.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from datagen.core.colour import linear_from_srgb, srgb_from_linear
from datagen.core.ids import bytes_hash, content_hash
from datagen.core.material import Material
from datagen.core.shape import Mesh, Skin
from datagen.formats.images import ImageError, read_color, read_image, rgb
from datagen.meshfiles.load import read_mesh_file
from datagen.meshfiles.values import FileMaterial, FilePart, SpecularGlossiness, Texture
from datagen.shapes.files import cached

TEXTURE_EDGE = 1024
LEAST_ROUGHNESS = 0.15
"""Smoother surfaces sparkle at the samples that pictures take."""
_DIELECTRIC = 0.04


@dataclass(frozen=True, eq=False)
class TexturedPiece:
    """A named mesh with its skin (None: to be dressed) and the materials that it wears."""

    name: str
    mesh: Mesh
    skin: Skin | None
    materials: tuple[Material, ...] = ()


def load_textured(path: Path, within: Path | None = None) -> tuple[list[TexturedPiece], tuple[str, ...]]:
    """Every part of a file in its own materials, and what was left out.

    A part with faces of no material, or of one whose image cannot be read, is bare: it is dressed later.
    Raises MeshLoadError, MissingDependency.
    """
    file = read_mesh_file(path, within)
    warnings = list(file.warnings)
    baked: dict[int, Material | None] = {}
    pieces = []
    for part in file.parts:
        for number in np.unique(part.slot).tolist():
            if number >= 0 and number not in baked:
                baked[number] = _baked(file.materials[number], path, warnings)
        pieces.append(_piece(part, file.materials, baked, path, warnings))
    return pieces, tuple(dict.fromkeys(warnings))


def _piece(
    part: FilePart,
    materials: tuple[FileMaterial, ...],
    baked: dict[int, Material | None],
    path: Path,
    warnings: list[str],
) -> TexturedPiece:
    numbers = np.unique(part.slot).tolist()
    worn = {number: baked.get(number) for number in numbers}
    if any(material is None for material in worn.values()):
        if part.color is None or set(numbers) != {-1}:
            if set(numbers) != {-1}:
                warnings.append(f"dressed instead: {path.name} {part.name} (faces without a usable material)")
            return TexturedPiece(part.name, part.mesh, None)
        worn = {-1: _plain((1.0, 1.0, 1.0), 0.5, 0.0)}
    if part.color is not None:
        worn = {number: _tinted(material, part, number) for number, material in worn.items() if material}
    chosen = [material for material in worn.values() if material is not None]
    names = tuple(dict.fromkeys(material.material_id for material in chosen))
    slot = np.zeros(len(part.slot), np.int32)
    uv = None if part.uv is None else part.uv.copy()
    for number, material in zip(numbers, chosen, strict=True):
        own = part.slot == number
        slot[own] = names.index(material.material_id)
        if uv is not None and number >= 0:
            uv[own] = uv[own] / np.where(_mirrored(materials[number]), 2.0, 1.0)
    return TexturedPiece(part.name, part.mesh, Skin(names, slot, uv, part.color), tuple(chosen))


def _tinted(material: Material, part: FilePart, number: int) -> Material:
    """The material under vertex colours; its mean colour is that of these faces."""
    assert part.color is not None
    own = part.slot == number
    weights = np.maximum(part.mesh.face_areas[own], 1e-30)
    mean = np.average(part.color[own].mean(axis=1), axis=0, weights=weights)
    r, g, b = (np.array(material.mean_color) * mean).tolist()
    name = f"{material.material_id}_colors_{_hexes((r, g, b))}"
    return replace(material, material_id=name, mean_color=(r, g, b), vertex_color=True)


def _mirrored(material: FileMaterial) -> tuple[bool, bool]:
    return (any(t.mirror[0] for t in material.textures), any(t.mirror[1] for t in material.textures))


def _baked(material: FileMaterial, path: Path, warnings: list[str]) -> Material | None:
    """The material with its images in the cache, or None (with a warning) where an image cannot be read."""
    try:
        if material.specular is not None:
            maps = _from_specular(material, material.specular)
        else:
            maps = _from_metallic(material)
        if material.normal_map is not None:
            maps["normal"] = rgb(_read(material.normal_map))
    except ImageError as error:
        warnings.append(f"texture not read: {path.name} {material.name}: {error.args[0]}")
        return None
    constants = _constants(material, maps)
    mirrored = _mirrored(material)
    images = {name: _tiled(value, mirrored) for name, value in maps.items() if value.size > value.shape[2]}
    if not images:
        return _plain(constants.base_color, constants.roughness, constants.metallic)
    stored = {name: _stored(value, name) for name, value in sorted(images.items())}
    digest = content_hash([digest for digest, _ in stored.values()] + sorted(stored))
    label = f"tex_{digest[:16]}_{round(constants.roughness * 100)}_{round(constants.metallic * 100)}"
    if "base_color" not in images:
        label += f"_{_hexes(constants.base_color)}"
    return replace(
        constants,
        material_id=label,
        maps={name: file for name, (_, file) in stored.items()},
        digest=digest,
        normal_strength=material.normal_strength,
    )


def _from_metallic(material: FileMaterial) -> dict[str, np.ndarray]:
    """Maps (H, W, C): linear base colour, roughness and metalness, factors multiplied in; (1, 1, C) for constants."""
    base = np.array(material.base_color).reshape(1, 1, 3)
    maps = {
        "base_color": base if material.base_map is None else linear_from_srgb(_color(material.base_map)) * base,
        "roughness": np.full((1, 1, 1), material.roughness),
        "metallic": np.full((1, 1, 1), material.metallic),
    }
    for name, texture in (("roughness", material.roughness_map), ("metallic", material.metallic_map)):
        if texture is not None:
            maps[name] = _channel(_read(texture), texture.channel) * maps[name]
    return maps


def _from_specular(material: FileMaterial, entry: SpecularGlossiness) -> dict[str, np.ndarray]:
    """The same of the specular workflow, by the conversion of its specification's appendix."""
    diffuse = np.array(material.base_color).reshape(1, 1, 3)
    if material.base_map is not None:
        diffuse = diffuse * linear_from_srgb(_color(material.base_map))
    specular, gloss = np.array(entry.specular).reshape(1, 1, 3), np.full((1, 1, 1), entry.glossiness)
    if entry.texture is not None:
        pixels = _read(entry.texture)
        specular = specular * linear_from_srgb(rgb(pixels))
        gloss = gloss * (pixels[..., 3:4] if pixels.shape[2] == 4 else 1.0)
    height, width = max(diffuse.shape[0], specular.shape[0]), max(diffuse.shape[1], specular.shape[1])
    diffuse, specular = _sized(diffuse, height, width), _sized(specular, height, width)
    gloss = _sized(gloss, height, width)
    one_minus = 1.0 - specular.max(axis=2, keepdims=True)
    metallic = _metalness(_brightness(diffuse), _brightness(specular), one_minus)
    from_diffuse = diffuse * one_minus / (1 - _DIELECTRIC) / np.maximum(1 - metallic, 1e-6)
    from_specular = (specular - _DIELECTRIC * (1 - metallic)) / np.maximum(metallic, 1e-6)
    share = metallic**2
    base = np.clip(from_diffuse * (1 - share) + from_specular * share, 0, 1)
    return {"base_color": base, "roughness": 1.0 - gloss, "metallic": metallic}


def _brightness(color: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("hwc,c->hw", color**2, np.array([0.299, 0.587, 0.114])))[..., None]


def _metalness(diffuse: np.ndarray, specular: np.ndarray, one_minus: np.ndarray) -> np.ndarray:
    a = _DIELECTRIC
    b = diffuse * one_minus / (1 - a) + specular - 2 * a
    c = a - specular
    root = np.sqrt(np.maximum(b**2 - 4 * a * c, 0.0))
    return np.where(specular < a, 0.0, np.clip((-b + root) / (2 * a), 0, 1))


def _read(texture: Texture) -> np.ndarray:
    source = texture.path or texture.data
    if source is None:
        raise ImageError(f"{texture.name}: the image is missing")
    return read_image(source, texture.name, TEXTURE_EDGE)


def _color(texture: Texture) -> np.ndarray:
    source = texture.path or texture.data
    if source is None:
        raise ImageError(f"{texture.name}: the image is missing")
    return read_color(source, texture.name, TEXTURE_EDGE)


def _channel(pixels: np.ndarray, name: str) -> np.ndarray:
    number = min("rgba".index(name), pixels.shape[2] - 1) if name else 0
    return pixels[..., number : number + 1]


def _sized(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """A map stretched to a size; constants are repeated."""
    if pixels.shape[:2] == (height, width):
        return pixels
    layers = [
        np.asarray(Image.fromarray(layer.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR))
        for layer in np.moveaxis(pixels, 2, 0)
    ]
    return np.stack(layers, axis=2)


def _tiled(pixels: np.ndarray, mirrored: tuple[bool, bool]) -> np.ndarray:
    """An image with its mirror image beside it where its repeats are mirrored: two repeats in one."""
    if mirrored[0]:
        pixels = np.concatenate([pixels, pixels[:, ::-1]], axis=1)
    if mirrored[1]:
        pixels = np.concatenate([pixels[::-1], pixels], axis=0)
    return pixels


def _stored(pixels: np.ndarray, channel: str) -> tuple[str, str]:
    """(digest, path in the cache) of a map as an 8-bit PNG, base colours as sRGB."""
    if channel == "base_color":
        pixels = srgb_from_linear(pixels)
    values = np.round(255 * np.clip(pixels, 0, 1)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values[..., 0] if values.shape[2] == 1 else values)).save(
        buffer, "PNG", compress_level=3
    )
    digest = bytes_hash(buffer.getvalue())
    return digest, cached(buffer.getvalue(), digest, ".png")


def _constants(material: FileMaterial, maps: dict[str, np.ndarray]) -> Material:
    """The means of the maps: what shows where a renderer takes no images."""
    r, g, b = np.clip(maps["base_color"].reshape(-1, 3).mean(axis=0), 0, 1).tolist()
    return Material(
        "",
        "plastic",
        base_color=(r, g, b),
        mean_color=(r, g, b),
        roughness=max(float(np.clip(maps["roughness"].mean(), 0, 1)), LEAST_ROUGHNESS),
        metallic=float(np.clip(maps["metallic"].mean(), 0, 1)),
        tile_size=1.0,
        source="the shape's own",
        licence="as the shape",
    )


def _plain(color: tuple[float, float, float], roughness: float, metallic: float) -> Material:
    name = f"plain_{_hexes(color)}_{round(roughness * 100)}_{round(metallic * 100)}"
    return Material(
        name,
        "plastic",
        base_color=color,
        mean_color=color,
        roughness=max(roughness, LEAST_ROUGHNESS),
        metallic=metallic,
        tile_size=1.0,
        source="the shape's own",
        licence="as the shape",
    )


def _hexes(color: Iterable[float]) -> str:
    return "".join(f"{round(float(np.clip(c, 0, 1)) * 255):02x}" for c in color)
