"""glTF 2.0 and GLB: nodes, instances, skins and morph targets at rest; materials are in gltf_material.py."""

import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.core.errors import MissingDependency
from datagen.core.shape import Mesh
from datagen.meshfiles.accessors import Buffers
from datagen.meshfiles.gltf_material import MaterialReader
from datagen.meshfiles.places import Places
from datagen.meshfiles.text import plain_text, refuse_pointer
from datagen.meshfiles.values import FilePart, MeshFile, bad, checked, unique_names

MAX_DEPTH, MAX_INSTANCES = 256, 200_000
DRACO = "KHR_draco_mesh_compression"
READ = frozenset(
    {
        "KHR_mesh_quantization",
        "KHR_texture_transform",
        "EXT_mesh_gpu_instancing",
        DRACO,
        "KHR_materials_pbrSpecularGlossiness",
        "KHR_materials_unlit",
        "EXT_texture_webp",
        "KHR_node_visibility",
    }
)
"""Extensions that change what is seen and are read."""
HARMLESS = frozenset(
    {
        "KHR_lights_punctual",
        "KHR_xmp_json_ld",
        "KHR_xmp",
        "KHR_materials_variants",
        "KHR_materials_emissive_strength",
        "EXT_lights_image_based",
        "KHR_animation_pointer",
        "MSFT_lod",
        "KHR_audio",
        "EXT_mesh_manifold",
        "KHR_node_selectability",
        "KHR_node_hoverability",
        "EXT_structural_metadata",
        "EXT_mesh_features",
    }
)
"""Extensions that say nothing of a shape's surface as it is shown: they may even be required."""


def read_gltf(path: Path, places: Places) -> MeshFile:
    """Every triangle of the default scene in its frame (y up, metres): one part a node and instance.

    Raises MeshLoadError naming the file and the feature, MissingDependency where Draco's decoder is not installed.
    """
    document, chunk = header(path)
    _check_extensions(path, document)
    reader = _Reader(path, Buffers(path, document, chunk, places), places)
    try:
        return reader.read()
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, OverflowError) as error:
        # Fields of another type than the specification gives them.
        raise bad(path, f"its glTF is malformed ({type(error).__name__}: {error})") from error


def header(path: Path) -> tuple[dict[str, Any], bytes | None]:
    """The JSON document of a .gltf or .glb, and the binary chunk of a GLB. Raises MeshLoadError."""
    data = path.read_bytes()
    refuse_pointer(data, path)
    chunk = None
    if data[:4] == b"glTF":
        data, chunk = _chunks(path, data)
    else:
        data = plain_text(data, path)
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise bad(path, f"broken glTF header ({error})") from error
    if not isinstance(document, dict):
        raise bad(path, "the glTF header is no object")
    version = str((document.get("asset") or {}).get("version", "")) if isinstance(document.get("asset"), dict) else ""
    if not version.startswith("2."):
        raise bad(path, f"glTF version {version or 'unknown'} is not read; 2.0 is")
    return document, chunk


def _chunks(path: Path, data: bytes) -> tuple[bytes, bytes | None]:
    try:
        version, total = struct.unpack_from("<II", data, 4)
        length, kind = struct.unpack_from("<II", data, 12)
    except struct.error as error:
        raise bad(path, "a GLB header cut short") from error
    if version != 2:
        raise bad(path, f"GLB version {version} is not read; 2 is")
    if kind != 0x4E4F534A or total != len(data) or 20 + length > len(data):
        raise bad(path, f"a GLB of {len(data)} bytes whose header says {total}: cut short or broken")
    at = 20 + length
    if at + 8 > min(total, len(data)):
        return data[20:at], None
    size, kind = struct.unpack_from("<II", data, at)
    if kind != 0x004E4942 or at + 8 + size > len(data):
        raise bad(path, "the binary chunk of the GLB is cut short or of another kind")
    return data[20:at], data[at + 8 : at + 8 + size]


def extensions(document: dict[str, Any], key: str) -> tuple[str, ...]:
    """Names under extensionsRequired or extensionsUsed."""
    names = document.get(key) or ()
    return tuple(str(name) for name in names) if isinstance(names, list) else ()


def needs_draco(path: Path) -> bool:
    """Whether the geometry is Draco-compressed and cannot be read without a decoder. Raises MeshLoadError."""
    return DRACO in extensions(header(path)[0], "extensionsRequired")


def _check_extensions(path: Path, document: dict[str, Any]) -> None:
    for name in extensions(document, "extensionsRequired"):
        if name not in READ | HARMLESS:
            raise bad(path, f"it requires the extension {name}, which is not read", "export it without that extension")
        if name == DRACO:
            _require_draco(path)


def _require_draco(path: Path) -> None:
    from importlib.util import find_spec

    if find_spec("DracoPy") is None:
        raise MissingDependency(f"{path}: needs DracoPy; install the extra with: pip install 'datagen[draco]'")


@dataclass
class _Reader:
    path: Path
    buffers: Buffers
    places: Places
    warnings: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.materials = MaterialReader(self.path, self.buffers, self.warnings)

    def read(self) -> MeshFile:
        owned: dict[object, tuple[str, list[FilePart]]] = {}
        for owner, name, node, T in self._nodes():
            owned.setdefault(owner, (name, []))[1].extend(self._pieces(node, T))
        found = [(name, joined(pieces)) for name, pieces in owned.values() if pieces]
        if not found:
            raise bad(self.path, "it holds no triangle")
        names = unique_names(name or f"part_{k + 1}" for k, (name, _) in enumerate(found))
        parts = [FilePart(n, p.mesh, p.slot, p.uv, p.color) for n, (_, p) in zip(names, found, strict=True)]
        parts.sort(key=lambda part: part.name)
        materials = tuple(self.materials.known)
        return MeshFile(self.path, tuple(parts), materials, tuple(self.warnings))

    # Nodes

    def _nodes(self) -> Iterator[tuple[object, str, dict[str, Any], np.ndarray]]:
        """(owner, name, node, T_scene_node) of every visible node of the default scene, depth first.

        Nodes of one owner are one part: trimesh writes the primitives of a node `leg` as its children `leg_1a2b3c`.
        """
        document = self.buffers.document
        nodes = document.get("nodes") or []
        if document.get("scenes"):
            roots = self.buffers.item("scenes", document.get("scene", 0)).get("nodes") or []
        else:
            children = {c for node in nodes for c in node.get("children") or []}
            roots = [k for k in range(len(nodes)) if k not in children]
        self.global_T: dict[int, np.ndarray] = {}
        order: list[tuple[int, int, str]] = []
        stack = [(k, np.eye(4), "", True, 0, -1) for k in reversed(roots)]
        while stack:
            index, T, above, shown, depth, parent = stack.pop()
            node = self.buffers.item("nodes", index)
            if index in self.global_T or depth > MAX_DEPTH:
                raise bad(self.path, f"node {index} has two parents or lies too deep")
            own = T @ local_transform(node)
            self.global_T[index] = own
            mesh = self.buffers.item("meshes", node["mesh"]) if "mesh" in node else {}
            name = str(node.get("name") or mesh.get("name") or above or "").strip()
            visible = ((node.get("extensions") or {}).get("KHR_node_visibility") or {}).get("visible", True)
            if shown and visible and "mesh" in node:
                is_piece = above and re.fullmatch(re.escape(above) + "_[0-9a-f]{6}", name)
                order.append((parent, index, above) if is_piece else (index, index, name))
            elif "mesh" in node:
                self.warnings[f"hidden node left out: {self.path.name} {name or index}"] = None
            inherited = str(node.get("name") or above or "")
            for child in reversed(node.get("children") or []):
                stack.append((child, own, inherited, shown and visible, depth + 1, index))
        for owner, index, name in order:
            node = self.buffers.item("nodes", index)
            for number, T in enumerate(self._instances(node, self.global_T[index])):
                yield (owner, number), name, node, T

    def _instances(self, node: dict[str, Any], T: np.ndarray) -> list[np.ndarray]:
        extension = (node.get("extensions") or {}).get("EXT_mesh_gpu_instancing")
        if extension is None or "skin" in node:
            return [T]
        columns = {
            k: self.buffers.floats(v)
            for k, v in (extension.get("attributes") or {}).items()
            if k in ("TRANSLATION", "ROTATION", "SCALE")
        }
        counts = {len(v) for v in columns.values()}
        if len(counts) != 1 or max(counts) > MAX_INSTANCES:
            raise bad(self.path, f"EXT_mesh_gpu_instancing with {sorted(counts)} instances")
        count = counts.pop()
        found = []
        for k in range(count):
            entry = {
                name: columns[key][k].tolist()
                for name, key in (("translation", "TRANSLATION"), ("rotation", "ROTATION"), ("scale", "SCALE"))
                if key in columns
            }
            found.append(T @ local_transform(entry))
        return found

    # Meshes

    def _pieces(self, node: dict[str, Any], T: np.ndarray) -> list[FilePart]:
        mesh = self.buffers.item("meshes", node["mesh"])
        weights = node.get("weights") or mesh.get("weights") or []
        return [
            piece
            for primitive in mesh.get("primitives") or []
            if (piece := self._primitive(primitive, weights, node, T)) is not None
        ]

    def _primitive(
        self, primitive: dict[str, Any], weights: list[float], node: dict[str, Any], T: np.ndarray
    ) -> FilePart | None:
        mode = primitive.get("mode", 4)
        if mode in (0, 1, 2, 3):
            self.warnings[f"points and lines left out: {self.path.name}"] = None
            return None
        attributes, indices = self._attributes(primitive)
        if "POSITION" not in attributes:
            raise bad(self.path, "a primitive has no POSITION")
        vertices = attributes["POSITION"][:, :3].copy()
        vertices = self._morphed(vertices, primitive, weights)
        if "skin" in node:
            # A skinned mesh stands where its joints put it; the node's own place does not count.
            vertices, T = self._skinned(vertices, attributes, node["skin"]), np.eye(4)
        order = np.arange(len(vertices)) if indices is None else indices.reshape(-1)
        faces = triangles(self.path, order, mode)
        if len(faces) == 0:
            return None
        if faces.max() >= len(vertices):
            raise bad(self.path, f"a triangle names vertex {faces.max()} of {len(vertices)}")
        mesh = checked(self.path, "a primitive", vertices, faces)
        slot, uv = self.materials.worn(primitive.get("material"), attributes, mesh.faces)
        color = _corner_colors(attributes.get("COLOR_0"), mesh.faces)
        if color is not None and (attributes["COLOR_0"].shape[1] == 4) and (attributes["COLOR_0"][:, 3] < 0.999).any():
            self.warnings[f"transparency shown opaque: {self.path.name} (vertex colours)"] = None
        placed = mesh.transformed(T)
        if np.linalg.det(T[:3, :3]) < 0:
            uv = None if uv is None else uv[:, ::-1]
            color = None if color is None else color[:, ::-1]
        return FilePart("", placed, np.full(len(faces), slot, np.int32), uv, color)

    def _attributes(self, primitive: dict[str, Any]) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """Every attribute used here as floats, and the indices or None."""
        named = primitive.get("attributes") or {}
        draco = (primitive.get("extensions") or {}).get(DRACO)
        if draco is not None:
            _require_draco(self.path)
            return self._draco(draco, named)
        wanted = ("POSITION", "TEXCOORD_", "COLOR_0", "JOINTS_", "WEIGHTS_")
        values = {k: self.buffers.floats(v) for k, v in named.items() if k.startswith(wanted)}
        if len({len(v) for v in values.values()}) > 1:
            raise bad(self.path, "attributes of one primitive differ in length")
        indices = None
        if "indices" in primitive:
            raw, _ = self.buffers.raw(primitive["indices"])
            if raw.dtype.kind != "u":
                raise bad(self.path, "indices are no unsigned integers")
            indices = raw.astype(np.int64)
        return values, indices

    def _draco(self, extension: dict[str, Any], named: dict[str, Any]) -> tuple[dict[str, np.ndarray], np.ndarray]:
        import DracoPy

        try:
            decoded = DracoPy.decode(self.buffers.view(extension["bufferView"]))
            found = {a["unique_id"]: np.asarray(a["data"]) for a in decoded.attributes}
            faces = np.asarray(decoded.faces).astype(np.int64)
        except (ValueError, RuntimeError, DracoPy.FileTypeException) as error:
            raise bad(self.path, f"its Draco data cannot be decoded ({error})") from error
        values = {}
        for name, unique_id in (extension.get("attributes") or {}).items():
            if unique_id not in found:
                raise bad(self.path, f"its Draco data has no attribute {unique_id} for {name}")
            entry = self.buffers.item("accessors", named[name]) if name in named else {}
            raw = found[unique_id].reshape(len(found[unique_id]), -1)
            if entry.get("normalized") and raw.dtype.kind in "iu":
                raw = np.maximum(raw / float(np.iinfo(raw.dtype).max), -1.0)
            values[name] = raw.astype(np.float64)
        return values, faces

    def _morphed(self, vertices: np.ndarray, primitive: dict[str, Any], weights: list[float]) -> np.ndarray:
        for target, weight in zip(primitive.get("targets") or [], weights, strict=False):
            if weight and "POSITION" in target:
                delta = self.buffers.floats(target["POSITION"])
                if delta.shape != vertices.shape:
                    raise bad(self.path, "a morph target does not fit its mesh")
                vertices = vertices + float(weight) * delta
        return vertices

    def _skinned(self, vertices: np.ndarray, attributes: dict[str, np.ndarray], index: Any) -> np.ndarray:
        skin = self.buffers.item("skins", index)
        joints = skin.get("joints") or []
        if not joints or any(j not in self.global_T for j in joints):
            raise bad(self.path, f"skin {index} names joints outside the scene")
        inverse = np.tile(np.eye(4), (len(joints), 1, 1))
        if "inverseBindMatrices" in skin:
            inverse = self.buffers.floats(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
        if len(inverse) < len(joints):
            raise bad(self.path, f"skin {index} has {len(inverse)} matrices for {len(joints)} joints")
        T = np.stack([self.global_T[j] @ inverse[k] for k, j in enumerate(joints)])
        result, total = np.zeros_like(vertices), np.zeros(len(vertices))
        points = np.concatenate([vertices, np.ones((len(vertices), 1))], axis=1)
        for number in range(8):
            names = (f"JOINTS_{number}", f"WEIGHTS_{number}")
            if not all(name in attributes for name in names):
                break
            which, share = attributes[names[0]].astype(np.int64), attributes[names[1]]
            if which.min() < 0 or which.max() >= len(joints):
                raise bad(self.path, f"a vertex names joint {which.max()} of {len(joints)}")
            for column in range(which.shape[1]):
                moved = np.einsum("nij,nj->ni", T[which[:, column]], points)[:, :3]
                result += share[:, column, None] * moved
                total += share[:, column]
        if (total <= 1e-6).any():
            raise bad(self.path, f"skin {index} leaves vertices without a weight")
        return result / total[:, None]


def local_transform(node: dict[str, Any]) -> np.ndarray:
    """T_parent_node (4, 4) of a node's matrix (column-major) or translation, rotation (x y z w) and scale."""
    if "matrix" in node:
        T = np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    else:
        T = np.eye(4)
        if "rotation" in node:
            T[:3, :3] = Rotation.from_quat(np.array(node["rotation"], dtype=np.float64).reshape(4)).as_matrix()
        T[:3, :3] = T[:3, :3] * np.array(node.get("scale", (1, 1, 1)), dtype=np.float64).reshape(3)
        T[:3, 3] = np.array(node.get("translation", (0, 0, 0)), dtype=np.float64).reshape(3)
    if not np.isfinite(T).all():
        raise ValueError("a node's transform is not finite")
    return T


def triangles(path: Path, order: np.ndarray, mode: Any) -> np.ndarray:
    """Vertex numbers (F, 3) of triangles (4), a strip (5) or a fan (6), wound as the specification winds them."""
    if mode == 4:
        if len(order) % 3:
            raise bad(path, f"{len(order)} corners are no whole triangles")
        return order.reshape(-1, 3)
    if mode == 5:
        first = np.arange(len(order) - 2)
        odd = first % 2
        return np.stack([order[first], order[first + 1 + odd], order[first + 2 - odd]], axis=1)
    if mode == 6:
        following = np.arange(1, len(order) - 1)
        return np.stack([order[following], order[following + 1], np.full(len(following), order[0])], axis=1)
    raise bad(path, f"primitive mode {mode!r} does not exist")


def _corner_colors(color: np.ndarray | None, faces: np.ndarray) -> np.ndarray | None:
    """Linear colours (F, 3, 3) at corners; None where all are white."""
    if color is None or (color[:, :3] >= 0.999).all():
        return None
    return np.clip(color[:, :3], 0.0, 1.0)[faces]


def joined(pieces: list[FilePart]) -> FilePart:
    """Primitives of one node as one part."""
    if len(pieces) == 1:
        return pieces[0]
    vertices, faces, offset = [], [], 0
    for piece in pieces:
        vertices.append(piece.mesh.vertices)
        faces.append(piece.mesh.faces + offset)
        offset += len(piece.mesh.vertices)
    uv = color = None
    if any(piece.uv is not None for piece in pieces):
        uv = np.concatenate([np.full((len(p.slot), 3, 2), np.nan) if p.uv is None else p.uv for p in pieces])
    if any(piece.color is not None for piece in pieces):
        color = np.concatenate([np.ones((len(p.slot), 3, 3)) if p.color is None else p.color for p in pieces])
    mesh = Mesh(np.concatenate(vertices), np.concatenate(faces))
    return FilePart("", mesh, np.concatenate([p.slot for p in pieces]), uv, color)


def files_named(path: Path, places: Places) -> list[Path]:
    """Buffers and images outside a glTF file that are there. Raises MeshLoadError on a broken header."""
    document, chunk = header(path)
    buffers = Buffers(path, document, chunk, places)
    found = []
    for kind in ("buffers", "images"):
        for entry in document.get(kind) or []:
            if isinstance(entry, dict) and isinstance(entry.get("uri"), str):
                _, _, file = buffers.uri(entry["uri"], kind)
                if file is not None:
                    found.append(file)
    return found
