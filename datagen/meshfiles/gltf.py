"""glTF 2.0 and GLB: the nodes of a scene and where they stand; primitives are in gltf_mesh.py."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.meshfiles.accessors import Buffers
from datagen.meshfiles.gltf_document import check_extensions, header
from datagen.meshfiles.gltf_material import MaterialReader
from datagen.meshfiles.gltf_mesh import PrimitiveReader, joined
from datagen.meshfiles.places import Places
from datagen.meshfiles.values import FilePart, MeshFile, bad, unique_names

MAX_DEPTH, MAX_INSTANCES = 256, 200_000
_INSTANCE = re.compile(r"NAUO\d+")
"""What CAD programs number instances by; the product's name says what it is."""


def read_gltf(path: Path, places: Places) -> MeshFile:
    """Every triangle of the default scene in its frame (y up, metres): one part a node and instance.

    Raises MeshLoadError naming the file and the feature, MissingDependency where Draco's decoder is not installed.
    """
    document, chunk = header(path)
    check_extensions(path, document)
    reader = _Reader(path, Buffers(path, document, chunk, places))
    try:
        return reader.read()
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, OverflowError) as error:
        # Fields of another type than the specification gives them.
        raise bad(path, f"its glTF is malformed ({type(error).__name__}: {error})") from error


@dataclass
class _Reader:
    path: Path
    buffers: Buffers
    warnings: dict[str, None] = field(default_factory=dict)
    global_T: dict[int, np.ndarray] = field(default_factory=dict)

    def read(self) -> MeshFile:
        materials = MaterialReader(self.path, self.buffers, self.warnings)
        primitives = PrimitiveReader(self.path, self.buffers, materials, self.warnings, self.global_T)
        owned: dict[object, tuple[str, list[FilePart]]] = {}
        for owner, name, node, T in self._nodes():
            owned.setdefault(owner, (name, []))[1].extend(primitives.pieces(node, T))
        found = [(name, joined(pieces)) for name, pieces in owned.values() if pieces]
        if not found:
            raise bad(self.path, "it holds no triangle")
        names = unique_names(name or f"part_{k + 1}" for k, (name, _) in enumerate(found))
        parts = [FilePart(n, p.mesh, p.slot, p.uv, p.color) for n, (_, p) in zip(names, found, strict=True)]
        parts.sort(key=lambda part: part.name)
        return MeshFile(self.path, tuple(parts), tuple(materials.known), tuple(self.warnings))

    def _nodes(self) -> Iterator[tuple[object, str, dict[str, Any], np.ndarray]]:
        """(owner, name, node, T_world_node) of every visible node of the default scene, depth first.

        Nodes of one owner are one part: trimesh writes the primitives of a node `leg` as its children `leg_1a2b3c`.
        """
        document = self.buffers.document
        nodes = document.get("nodes") or []
        if document.get("scenes"):
            roots = self.buffers.item("scenes", document.get("scene", 0)).get("nodes") or []
            if len(document["scenes"]) > 1:
                self.warnings[f"other scenes left out: {self.path.name} has {len(document['scenes'])}"] = None
        else:
            children = {c for node in nodes for c in node.get("children") or []}
            roots = [k for k in range(len(nodes)) if k not in children]
        by_trimesh = "trimesh" in str((document.get("asset") or {}).get("generator", "")).lower()
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
            called = str(node.get("name") or "")
            name = str(
                (not _INSTANCE.fullmatch(called) and called) or mesh.get("name") or called or above or ""
            ).strip()
            visible = ((node.get("extensions") or {}).get("KHR_node_visibility") or {}).get("visible", True)
            if shown and visible and "mesh" in node:
                is_piece = above and by_trimesh and re.fullmatch(re.escape(above) + "_[0-9a-f]{6}", name)
                order.append((parent, index, above) if is_piece else (index, index, name))
            elif "mesh" in node:
                self.warnings[f"hidden node left out: {self.path.name} {name or index}"] = None
            inherited = str(node.get("name") or above or "")
            for child in reversed(node.get("children") or []):
                stack.append((child, own, inherited, shown and visible, depth + 1, index))
        for owner, index, name in order:
            node = self.buffers.item("nodes", index)
            for number, T in enumerate(self._instances(node, self.global_T[index])):
                if np.abs(T[:3, :3]).max() < 1e-12 and "skin" not in node:
                    self.warnings[f"node scaled to nothing left out: {self.path.name} {name or index}"] = None
                    continue
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
