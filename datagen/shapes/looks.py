"""Meshes of a file with what they look like: colours, textures, coordinates (shapes of scenes keep theirs).

Base colour, roughness and metalness factors and one base colour image a material are kept.
"""

import io
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from datagen.core.errors import MeshLoadError
from datagen.core.ids import bytes_hash
from datagen.core.material import Material
from datagen.core.shape import Mesh, Skin, concatenate
from datagen.geometry.load import (
    MESH_SUFFIXES,
    NEXT_STEP,
    PARSER_ERRORS,
    SCENE_SUFFIXES,
    STEP_SUFFIXES,
    load_mesh,
    needs_draco,
)
from datagen.store.files import write_whole

TEXTURE_EDGE = 1024


@dataclass(frozen=True, eq=False)
class TexturedPiece:
    """A mesh of one name with its skin and the materials that it names."""

    name: str
    mesh: Mesh
    skin: Skin | None
    materials: tuple[Material, ...] = ()


def load_textured(path: Path) -> list[TexturedPiece]:
    """Every named mesh of a file with materials and texture coordinates. Raises MeshLoadError, MissingDependency."""
    suffix = path.suffix.lower()
    if suffix in STEP_SUFFIXES or suffix not in MESH_SUFFIXES:
        return [TexturedPiece(name, mesh, None) for name, mesh in load_mesh(path)]
    if not path.is_file() or path.stat().st_size == 0:
        raise MeshLoadError(f"{path}: the file is missing or empty; {NEXT_STEP}")
    if suffix in SCENE_SUFFIXES and needs_draco(path):
        load_mesh(path)  # raises MissingDependency where the decoder is not here
    import trimesh

    try:
        scene = trimesh.load_scene(str(path), process=False, split_object=True, group_material=True)
        nodes = [(str(node), *scene.graph[node]) for node in scene.graph.nodes_geometry]
        parents = dict(scene.graph.transforms.parents)
        geometries = dict(scene.geometry)
        found = [
            _piece(_owner(node, parents), geometries[key], np.array(T, dtype=np.float64), path)
            for node, T, key in nodes
            if isinstance(geometries.get(key), trimesh.Trimesh) and len(geometries[key].faces)
        ]
    except PARSER_ERRORS as error:
        raise MeshLoadError(f"{path}: {type(error).__name__}: {error}; {NEXT_STEP}") from error
    if not found:
        raise MeshLoadError(f"{path}: it holds no triangle; {NEXT_STEP}")
    joined: dict[str, list[TexturedPiece]] = {}
    for piece in sorted(found, key=lambda p: (p.name, p.mesh.digest)):
        joined.setdefault(piece.name, []).append(piece)
    return [_joined(name, pieces) for name, pieces in sorted(joined.items())]


def _owner(node: str, parents: dict[object, object]) -> str:
    """Primitives that trimesh hangs under their node as `node_1a2b3c` belong to the node."""
    parent = str(parents.get(node, ""))
    match = re.fullmatch(r"(.+)_[0-9a-f]{6}", node)
    return parent if match and match[1] == parent else node


def _piece(name: str, geometry: Any, T: np.ndarray, path: Path) -> TexturedPiece:
    mesh = Mesh(np.array(geometry.vertices), np.array(geometry.faces))
    material, uv = _look(geometry, path)
    flipped = np.linalg.det(T[:3, :3]) < 0
    placed = mesh.transformed(T)
    if material is None:
        return TexturedPiece(name, placed, None)
    corners = None
    if uv is not None:
        corners = uv[mesh.faces]
        corners = corners[:, ::-1] if flipped else corners
    skin = Skin((material.material_id,), np.zeros(len(mesh.faces), np.int32), corners)
    return TexturedPiece(name, placed, skin, (material,))


def _joined(name: str, pieces: list[TexturedPiece]) -> TexturedPiece:
    if len(pieces) == 1 or any(piece.skin is None for piece in pieces):
        mesh = concatenate([piece.mesh for piece in pieces])
        return TexturedPiece(name, mesh, pieces[0].skin if len(pieces) == 1 else None, pieces[0].materials)
    names = tuple(dict.fromkeys(m.material_id for piece in pieces for m in piece.materials))
    slot = [np.full(len(p.mesh.faces), names.index(p.materials[0].material_id)) for p in pieces]
    uv = [_uv(piece) for piece in pieces]
    skin = Skin(names, np.concatenate(slot), np.concatenate(uv))
    materials = tuple(m for piece in pieces for m in piece.materials)
    return TexturedPiece(name, concatenate([p.mesh for p in pieces]), skin, materials)


def _uv(piece: TexturedPiece) -> np.ndarray:
    """Texture coordinates (F, 3, 2), NaN where there are none."""
    if piece.skin is None or piece.skin.uv is None:
        return np.full((len(piece.mesh.faces), 3, 2), np.nan)
    return piece.skin.uv


def _look(geometry: Any, path: Path) -> tuple[Material | None, np.ndarray | None]:
    """The material of a mesh and its texture coordinates (V, 2); None where the file says nothing."""
    visual = geometry.visual
    if getattr(visual, "kind", None) == "texture" and getattr(visual, "material", None) is not None:
        material = visual.material
        uv = None if visual.uv is None else np.array(visual.uv, dtype=np.float64)
        if uv is not None and (uv.shape != (len(geometry.vertices), 2) or not np.isfinite(uv).all()):
            uv = None
        return _material(material, uv is not None, path), uv
    if getattr(visual, "kind", None) in ("vertex", "face"):
        color = np.asarray(visual.vertex_colors if visual.kind == "vertex" else visual.face_colors)[:, :3].mean(axis=0)
        return _plain(tuple((color / 255.0).tolist()), 0.5, 0.0, srgb=True), None
    return None, None


def _material(material: Any, has_uv: bool, path: Path) -> Material | None:
    pbr = hasattr(material, "baseColorFactor")
    image = getattr(material, "baseColorTexture", None) if pbr else getattr(material, "image", None)
    factor = material.baseColorFactor if pbr else getattr(material, "diffuse", None)
    color = np.ones(3) if factor is None else np.asarray(factor, dtype=float)[:3]
    color = color / 255.0 if color.max() > 1.0 else color
    roughness = _number(getattr(material, "roughnessFactor", None), 0.5)
    metallic = _number(getattr(material, "metallicFactor", None), 0.0)
    if image is not None and has_uv:
        return _texture(image, color if pbr else np.ones(3), roughness, metallic, path)
    if factor is None:
        return None
    return _plain(tuple(color.tolist()), roughness, metallic, srgb=not pbr)


def _number(value: Any, default: float) -> float:
    return default if value is None else float(np.clip(float(value), 0.0, 1.0))


def _plain(color: tuple[float, ...], roughness: float, metallic: float, srgb: bool) -> Material:
    r, g, b = (_linear(c) if srgb else c for c in np.clip(color, 0, 1).tolist())
    hexes = "".join(f"{round(c * 255):02x}" for c in (r, g, b))
    name = f"plain_{hexes}_{round(roughness * 100)}_{round(metallic * 100)}"
    return Material(
        name, "plastic", base_color=(r, g, b), mean_color=(r, g, b), roughness=max(roughness, 0.15), metallic=metallic,
        tile_size=1.0, source="the shape's own", licence="as the shape",
    )  # fmt: skip


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _texture(image: Any, factor: np.ndarray, roughness: float, metallic: float, path: Path) -> Material:
    """A material with the image in the cache, by content, at most 1024 px, the factor multiplied in."""
    try:
        picture = image.convert("RGB")
        if max(picture.size) > TEXTURE_EDGE:
            scale = TEXTURE_EDGE / max(picture.size)
            size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
            picture = picture.resize(size, Image.Resampling.BOX)
        pixels = np.asarray(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise MeshLoadError(f"{path}: its texture cannot be read ({error}); {NEXT_STEP}") from error
    linear = np.where(pixels <= 10, pixels / 255 / 12.92, ((pixels / 255 + 0.055) / 1.055) ** 2.4)
    if (factor < 0.99).any():
        linear = linear * factor
        pixels = np.round(255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))
        pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG", compress_level=3)
    digest = bytes_hash(buffer.getvalue())
    r, g, b = linear.reshape(-1, 3).mean(axis=0).tolist()
    return Material(
        f"tex_{digest[:16]}_{round(roughness * 100)}_{round(metallic * 100)}", "plastic",
        maps={"base_color": _cached(buffer.getvalue(), digest, ".png")}, base_color=(r, g, b), mean_color=(r, g, b),
        roughness=max(roughness, 0.15), metallic=metallic, tile_size=1.0, source="the shape's own",
        licence="as the shape", digest=digest,
    )  # fmt: skip


def shape_cache() -> Path:
    """Where textures and converted files are kept: `$DATAGEN_CACHE`, else ~/.cache/datagen; its folder `shapes`."""
    root = os.environ.get("DATAGEN_CACHE")
    return (Path(root) if root else Path.home() / ".cache" / "datagen") / "shapes"


def _cached(data: bytes, digest: str, suffix: str) -> str:
    """A file in the cache, named by its content, whole or not there."""
    path = shape_cache() / digest[:2] / f"{digest}{suffix}"
    if not path.is_file() or path.stat().st_size != len(data):
        write_whole(path, data)
    return str(path)
