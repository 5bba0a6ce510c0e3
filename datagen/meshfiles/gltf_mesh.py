"""Primitives of glTF meshes: attributes, Draco, morph targets and skins at rest, triangles of every mode."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datagen.core.shape import Mesh
from datagen.meshfiles.accessors import Buffers
from datagen.meshfiles.gltf_document import DRACO, require_draco
from datagen.meshfiles.gltf_material import MaterialReader
from datagen.meshfiles.values import FilePart, bad, checked


@dataclass
class PrimitiveReader:
    """Primitives of one file. `global_T` holds T_world_node of every node of the scene: where joints stand."""

    path: Path
    buffers: Buffers
    materials: MaterialReader
    warnings: dict[str, None]
    global_T: dict[int, np.ndarray]

    def pieces(self, node: dict[str, Any], T: np.ndarray) -> list[FilePart]:
        """What a node's primitives hold, placed by T (4, 4). Raises MeshLoadError, MissingDependency."""
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
        mirrored = np.linalg.det(T[:3, :3]) < 0
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
        if mirrored and "skin" in node:
            # The node's own transform still says which side of a triangle is its front (glTF 2.0, 3.7.2.1).
            mesh = Mesh(mesh.vertices, mesh.faces[:, ::-1])
        placed = mesh.transformed(T)
        if mirrored:
            uv = None if uv is None else uv[:, ::-1]
            color = None if color is None else color[:, ::-1]
        return FilePart("", placed, np.full(len(faces), slot, np.int32), uv, color)

    def _attributes(self, primitive: dict[str, Any]) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """Every attribute used here as floats, and the indices or None."""
        named = primitive.get("attributes") or {}
        draco = (primitive.get("extensions") or {}).get(DRACO)
        if draco is not None and not self._has_fallback(primitive):
            require_draco(self.path)
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

    def _has_fallback(self, primitive: dict[str, Any]) -> bool:
        """Whether plain accessors stand beside Draco's data, for readers without a decoder."""
        named = (primitive.get("attributes") or {}).get("POSITION")
        return named is not None and "bufferView" in self.buffers.item("accessors", named)

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
