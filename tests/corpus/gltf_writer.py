"""A small glTF writer: a document, its buffer, and accessors of any kind."""

import base64
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

TYPES = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


class Gltf:
    """A glTF document under construction."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {"asset": {"version": "2.0"}, "bufferViews": [], "accessors": [], "meshes": []}
        self.document |= {"nodes": [], "scenes": [{"nodes": []}], "scene": 0}
        self.data = bytearray()

    def view(self, data: bytes, **entry: Any) -> int:
        """A buffer view over new bytes, aligned to four."""
        self.data += bytes(-len(self.data) % 4)
        entry = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data), **entry}
        self.data += data
        return self.add("bufferViews", entry)

    def add(self, kind: str, entry: Any) -> int:
        """An entry of a top-level list."""
        self.document.setdefault(kind, []).append(entry)
        return len(self.document[kind]) - 1

    def accessor(self, values: np.ndarray, kind: str = "f4", stride: int = 0, **entry: Any) -> int:
        """An accessor of values (N,) or (N, width), rows `stride` bytes apart (0: packed)."""
        values = np.asarray(values)
        rows = values.reshape(len(values), -1).astype("<" + kind)
        size = rows.shape[1] * rows.dtype.itemsize
        if stride:
            data = b"".join(row.tobytes() + bytes(stride - size) for row in rows)
            view = self.view(data, byteStride=stride)
        else:
            view = self.view(rows.tobytes())
        shape = {"componentType": TYPES[kind], "count": len(rows), "type": KINDS[rows.shape[1]]}
        return self.add("accessors", {"bufferView": view, **shape, **entry})

    def mesh(self, *primitives: dict[str, Any], **entry: Any) -> int:
        """A mesh of primitives."""
        return self.add("meshes", {"primitives": list(primitives), **entry})

    def node(self, root: bool = True, **entry: Any) -> int:
        """A node, in the scene unless it is a child."""
        index = self.add("nodes", entry)
        if root:
            self.document["scenes"][0]["nodes"].append(index)
        return index

    def image(self, data: bytes, **texture: Any) -> int:
        """A texture with a PNG in the buffer."""
        source = self.add("images", {"bufferView": self.view(data), "mimeType": "image/png"})
        return self.add("textures", {"source": source, **texture})

    def use(self, *names: str, required: bool = True) -> None:
        """Declare extensions."""
        self.document["extensionsUsed"] = [*self.document.get("extensionsUsed", []), *names]
        if required:
            self.document["extensionsRequired"] = [*self.document.get("extensionsRequired", []), *names]

    def write(self, path: Path, how: str = "glb") -> Path:
        """As GLB, or as .gltf with its buffer `inline` or in a file `beside` it, its name percent-encoded."""
        document = {k: v for k, v in self.document.items() if v != []}
        buffer: dict[str, Any] = {"byteLength": len(self.data)}
        if how == "inline":
            buffer["uri"] = "data:application/octet-stream;base64," + base64.b64encode(self.data).decode()
        elif how == "beside":
            (path.parent / "my data ä.bin").write_bytes(self.data)
            buffer["uri"] = "my%20data%20%C3%A4.bin"
        document["buffers"] = [buffer]
        text = json.dumps(document).encode()
        if how != "glb":
            path = path.with_suffix(".gltf")
            path.write_bytes(text)
            return path
        text += b" " * (-len(text) % 4)
        body = bytes(self.data) + bytes(-len(self.data) % 4)
        chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(body), 0x004E4942) + body
        path.write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks)
        return path
