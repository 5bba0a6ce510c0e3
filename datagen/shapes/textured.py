"""Any folder of meshes with their textures kept: Toys4K's category/instance, ABC's files, GLBs, scans.

A shape is a mesh file, or a folder that holds one; a first level of folders above such folders names the
category. Parts are objects or groups, else connected components, else convex segments.
"""

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from datagen.core.errors import MeshLoadError, ShapeError
from datagen.core.ids import bytes_hash
from datagen.core.material import Material
from datagen.core.shape import Mesh, Part, Shape, Skin, concatenate
from datagen.geometry.load import (
    MESH_SUFFIXES,
    NEXT_STEP,
    PARSER_ERRORS,
    SCENE_SUFFIXES,
    STEP_SUFFIXES,
    load_mesh,
    needs_draco,
)
from datagen.geometry.proximity import nearest_faces
from datagen.geometry.refine import uv_at
from datagen.geometry.segments import component_labels, convex_segments
from datagen.shapes.card import CollectionCard, read_card
from datagen.shapes.digest import files_digest
from datagen.shapes.layout import distinct_objects
from datagen.shapes.orient import T_up
from datagen.shapes.source import ShapeEntry, natural_key

BLEND = ".blend"
BESIDE = (".mtl", ".png", ".jpg", ".jpeg", ".bin", ".bmp", ".tga", ".webp")
"""Files beside a mesh that its look depends on: part of the shape's digest."""
TEXTURE_EDGE = 1024
MAX_DEPTH = 6
BLEND_TIMEOUT_S = 300


@dataclass(frozen=True)
class ThingFile:
    """One shape of a folder."""

    shape_id: str
    category: str
    path: Path


@dataclass(frozen=True)
class TexturedSource:
    """The source protocol over a folder (or file) of meshes."""

    root: Path
    things: tuple[ThingFile, ...]
    card: CollectionCard

    @property
    def name(self) -> str:
        """What the manifest's `source` column says."""
        return self.card.source

    @property
    def licence(self) -> str:
        """Licence text of the collection."""
        return self.card.licence

    @property
    def stand_in(self) -> bool:
        """Whether this project made the shapes."""
        return self.card.stand_in

    @cached_property
    def _by_id(self) -> Mapping[str, ThingFile]:
        return {thing.shape_id: thing for thing in self.things}

    def entries(self) -> tuple[ShapeEntry, ...]:
        """Every shape, in natural order; nothing is read."""
        return tuple(ShapeEntry(t.shape_id, t.shape_id, (), category=t.category) for t in self.things)

    def digest(self, shape_id: str) -> str:
        """Content hash of the mesh file and of the textures and material files beside it."""
        path = self._by_id[shape_id].path
        beside = [p for p in path.parent.rglob("*") if p.suffix.lower() in BESIDE and p.is_file()]
        return files_digest([path, *beside], path.parent)

    def load(self, shape_id: str) -> Shape:
        """One shape, z up, standing, normalised, in its own materials. Raises ShapeError, MeshLoadError,
        MissingDependency naming the file."""
        thing = self._by_id.get(shape_id)
        if thing is None:
            raise ShapeError(f"{shape_id}: no such shape in {self.root}")
        path = blend_as_glb(thing.path) if thing.path.suffix.lower() == BLEND else thing.path
        pieces = load_textured(path)
        up = self.card.up or _up(path)
        palette = {m.material_id: m for piece in pieces for m in piece.materials}
        parts = [replace(part, mesh=part.mesh.transformed(T_up(up))) for part in _parts(pieces)]
        return Shape(
            shape_id, self.name, tuple(parts), shape_id, thing.category, self.licence,
            provenance=f"{self.name}/{shape_id}", T_shape_source=tuple(map(tuple, T_up(up).tolist())),
            palette=palette,
        ).normalised()  # fmt: skip


def _up(path: Path) -> str:
    """+Y for glTF and OBJ, +Z for the rest, and for URDF's OBJs."""
    if path.suffix.lower() in SCENE_SUFFIXES:
        return "y"
    return "z" if path.suffix.lower() != ".obj" or any(path.parent.glob("*.urdf")) else "y"


def recognise_things(path: Path) -> TexturedSource | None:
    """A source if a path is or holds mesh files, else None. Raises UsageError on a broken collection.json."""
    root = path if path.is_dir() else path.parent
    things = find_things(path)
    return TexturedSource(path, things, read_card(root, root.name or "things")) if things else None


def find_things(path: Path) -> tuple[ThingFile, ...]:
    """Every shape at a path, in natural order of ids."""
    if path.is_file():
        known = path.suffix.lower() in (*MESH_SUFFIXES, BLEND)
        return (ThingFile(path.stem, _word(path.stem), path),) if known else ()
    found: dict[str, ThingFile] = {}
    for folder, names, files in os.walk(path):
        here = Path(folder)
        names.sort()
        depth = len(here.relative_to(path).parts)
        if depth >= MAX_DEPTH:
            names.clear()
        names[:] = [n for n in names if not n.startswith(".")]
        meshes = _meshes(here, files)
        for mesh in meshes:
            words = [*here.relative_to(path).parts, *([mesh.stem] if len(meshes) > 1 or depth == 0 else [])]
            shape_id = "/".join(words)
            category = words[0] if len(words) > 1 else _word(words[0])
            found[shape_id] = ThingFile(shape_id, category, mesh)
    return tuple(sorted(found.values(), key=lambda t: natural_key(t.shape_id)))


def _meshes(folder: Path, files: list[str]) -> list[Path]:
    """Mesh files of a folder, twins in several formats dropped; a .blend counts where nothing else does."""
    paths = [folder / name for name in sorted(files)]
    # Convex pieces for physics engines are no shapes.
    paths = [p for p in paths if not re.search(r"(_vhacd|_coacd|collision|_convex)", p.stem.lower())]
    meshes = list(distinct_objects(paths))
    known = {p.stem for p in meshes}
    return meshes + [p for p in paths if p.suffix.lower() == BLEND and p.stem not in known and not meshes]


def _word(name: str) -> str:
    """A category from a name: `car_01` is car."""
    return re.sub(r"[-_ ]*\d+$", "", name.lower()) or name.lower()


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


def _cache() -> Path:
    root = os.environ.get("DATAGEN_CACHE")
    return (Path(root) if root else Path.home() / ".cache" / "datagen") / "shapes"


def _cached(data: bytes, digest: str, suffix: str) -> str:
    """A file in the cache, named by its content, whole or not there."""
    path = _cache() / digest[:2] / f"{digest}{suffix}"
    if not path.is_file() or path.stat().st_size != len(data):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(name).replace(path)
    return str(path)


def blend_as_glb(path: Path) -> Path:
    """A .blend's meshes with their textures as GLB in the cache, by Blender in a process of its own.

    Scripts in the file are never run. Raises MeshLoadError.
    """
    if not path.is_file():
        raise MeshLoadError(f"{path}: the file is missing; restore it or take the shape out")
    digest = files_digest([path], path.parent)
    target = _cache() / digest[:2] / f"{digest}.glb"
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / "shape.glb"
        command = [sys.executable, "-m", "datagen.render.blender.blendfile", str(path), str(made)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=BLEND_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise MeshLoadError(f"{path}: Blender did not open it in {BLEND_TIMEOUT_S} s; {NEXT_STEP}") from error
        if done.returncode or not made.is_file():
            why = (done.stderr.strip().splitlines() or ["no word"])[-1]
            raise MeshLoadError(f"{path}: Blender cannot export it ({why}); {NEXT_STEP}")
        made.replace(target)
    return target


def _parts(pieces: list[TexturedPiece]) -> list[Part]:
    """Named pieces as parts; a single one is cut into components, else into convex segments."""
    if len(pieces) > 1:
        return [
            Part(k + 1, p.name, p.name, "Other", p.mesh, p.name if p.skin is None else "", p.skin)
            for k, p in enumerate(pieces)
        ]
    (piece,) = pieces
    labels = component_labels(piece.mesh)
    if labels.max() > 0:
        return [_subset(piece, labels == k, k) for k in range(int(labels.max()) + 1) if (labels == k).any()]
    segments = convex_segments(_unit(piece.mesh))
    if not segments:
        return [Part(1, piece.name, piece.name, "Other", piece.mesh, "body", piece.skin)]
    back = _unit_transform(piece.mesh)
    return [_segment(piece, mesh.transformed(np.linalg.inv(back)), k) for k, mesh in enumerate(segments)]


def _subset(piece: TexturedPiece, mask: np.ndarray, k: int) -> Part:
    used, inverse = np.unique(piece.mesh.faces[mask], return_inverse=True)
    mesh = Mesh(piece.mesh.vertices[used], inverse.reshape(-1, 3))
    skin = piece.skin
    if skin is not None:
        skin = Skin(skin.materials, skin.slot[mask], None if skin.uv is None else skin.uv[mask])
    return Part(k + 1, f"component_{k + 1}", f"component_{k + 1}", "Other", mesh, "body" if skin is None else "", skin)


def _unit_transform(mesh: Mesh) -> np.ndarray:
    """To a bounding box of diagonal 2 about the origin: tolerances are in such units."""
    T = np.eye(4)
    scale = 2.0 / max(mesh.diagonal, 1e-12)
    T[:3, :3] *= scale
    T[:3, 3] = -scale * mesh.centre
    return T


def _unit(mesh: Mesh) -> Mesh:
    return mesh.transformed(_unit_transform(mesh))


def _segment(piece: TexturedPiece, mesh: Mesh, k: int) -> Part:
    skin = piece.skin
    if skin is not None:
        source = nearest_faces(piece.mesh, mesh.triangles.mean(axis=1))
        uv = None if skin.uv is None else uv_at(piece.mesh, skin.uv, source, mesh.triangles)
        skin = Skin(skin.materials, skin.slot[source], uv)
    return Part(k + 1, f"segment_{k + 1}", f"segment_{k + 1}", "Other", mesh, "body" if skin is None else "", skin)
