"""glTF buffers, buffer views and accessors as arrays: sparse values, strides and normalized integers included."""

import base64
import binascii
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np

from datagen.meshfiles.places import Places
from datagen.meshfiles.values import MAX_BYTES, bad

_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}


@dataclass
class Buffers:
    """The binary side of one glTF file. Raises MeshLoadError for whatever lies outside what it declares."""

    path: Path
    document: dict[str, Any]
    chunk: bytes | None
    places: Places
    _loaded: dict[int, bytes] = field(default_factory=dict)

    def item(self, kind: str, index: Any) -> dict[str, Any]:
        """An entry of a top-level list of the document."""
        entries = self.document.get(kind)
        if type(index) is not int or not isinstance(entries, list) or not 0 <= index < len(entries):
            raise bad(self.path, f"{kind} has no entry {index!r}")
        if not isinstance(entries[index], dict):
            raise bad(self.path, f"{kind} {index} is no object")
        return entries[index]

    def uri(self, uri: Any, what: str) -> tuple[str, bytes | None, Path | None]:
        """(name, bytes of a data URI, file of another one); both None where the file is missing."""
        if not isinstance(uri, str):
            raise bad(self.path, f"the URI of {what} is no text")
        if uri[:5].lower() == "data:":
            head, _, body = uri.partition(",")
            try:
                padded = body + "=" * (-len(body) % 4)
                data = base64.b64decode(padded) if head.lower().endswith(";base64") else unquote_to_bytes(body)
            except (binascii.Error, ValueError) as error:
                raise bad(self.path, f"{what} is a broken data URI ({error})") from error
            return what, data, None
        plain = unquote_to_bytes(uri.removeprefix("file://")).decode("utf-8", "replace")
        # An image may lie elsewhere under its name; a buffer of that name may be another model's.
        near = not what.startswith("buffer")
        found = self.places.find(plain, near=near) or self.places.find(uri, near=near)
        return plain, None, found

    def buffer(self, index: Any) -> bytes:
        """The bytes of a buffer, at least as many as it declares."""
        entry = self.item("buffers", index)
        if index not in self._loaded:
            if "uri" in entry:
                name, data, found = self.uri(entry["uri"], f"buffer {index}")
                if data is None and found is None:
                    raise bad(self.path, f"its buffer {name} is missing")
                if found is not None:
                    if found.stat().st_size > MAX_BYTES:
                        raise bad(found, "too large for a mesh")
                    data = found.read_bytes()
                self._loaded[index] = data or b""
            elif self.chunk is not None and index == 0:
                self._loaded[index] = self.chunk
            else:
                compressed = [name for name in entry.get("extensions") or {} if "meshopt" in name]
                if compressed:
                    raise bad(self.path, f"{compressed[0]} is not read", "decompress it with gltf-transform")
                raise bad(self.path, f"buffer {index} has no data")
        declared = entry.get("byteLength")
        if type(declared) is not int or declared > len(self._loaded[index]):
            raise bad(self.path, f"buffer {index} holds {len(self._loaded[index])} bytes, not {declared!r}: cut short")
        return self._loaded[index]

    def view(self, index: Any) -> bytes:
        """The bytes of a buffer view."""
        entry = self.item("bufferViews", index)
        data = self.buffer(entry.get("buffer"))
        start, length = entry.get("byteOffset", 0), entry.get("byteLength")
        if type(start) is not int or type(length) is not int or start < 0 or length < 0 or start + length > len(data):
            raise bad(self.path, f"buffer view {index} reaches outside its buffer")
        return data[start : start + length]

    def raw(self, index: Any) -> tuple[np.ndarray, dict[str, Any]]:
        """Values (N, width) of an accessor in their own type, sparse ones in place, and its entry."""
        entry = self.item("accessors", index)
        component, kind, count = entry.get("componentType"), entry.get("type"), entry.get("count")
        if component not in _TYPES or kind not in _WIDTHS or type(count) is not int or not 0 < count <= MAX_BYTES:
            raise bad(self.path, f"accessor {index} has type {kind!r} of {component!r}, {count!r} times")
        if kind.startswith("MAT") and component != 5126:
            raise bad(self.path, f"accessor {index} is a matrix of integers, which is not read")
        dtype, width = np.dtype(_TYPES[component]), _WIDTHS[kind]
        if "bufferView" in entry:
            values = self._strided(entry["bufferView"], entry.get("byteOffset", 0), dtype, width, count, True)
        else:
            values = np.zeros((count, width), dtype)
        if sparse := entry.get("sparse"):
            values = self._with_sparse(values.copy(), sparse, dtype, width)
        return values, entry

    def floats(self, index: Any) -> np.ndarray:
        """Values (N, width) of an accessor as float64; normalized integers as the fractions they stand for."""
        values, entry = self.raw(index)
        if not entry.get("normalized") or values.dtype.kind == "f":
            return values.astype(np.float64)
        top = float(np.iinfo(values.dtype).max)
        return np.maximum(values / top, -1.0)

    def _strided(self, view: Any, offset: Any, dtype: np.dtype, width: int, count: int, may_stride: bool) -> np.ndarray:
        data = self.view(view)
        size = dtype.itemsize * width
        stride = self.item("bufferViews", view).get("byteStride", size) if may_stride else size
        if type(stride) is not int or stride < size or type(offset) is not int or offset < 0:
            raise bad(self.path, f"buffer view {view} has stride {stride!r} and offset {offset!r}")
        if offset + stride * (count - 1) + size > len(data):
            raise bad(self.path, f"an accessor reaches outside buffer view {view}")
        rows: np.ndarray = np.ndarray((count, size), np.uint8, data, offset, (stride, 1))
        return np.ascontiguousarray(rows).view(dtype).reshape(count, width)

    def _with_sparse(self, values: np.ndarray, sparse: Any, dtype: np.dtype, width: int) -> np.ndarray:
        try:
            count, indices, new = sparse["count"], sparse["indices"], sparse["values"]
            if type(count) is not int or not 0 < count <= len(values) or indices["componentType"] not in _TYPES:
                raise bad(self.path, f"a sparse accessor replaces {count!r} of {len(values)} values")
            kind = np.dtype(_TYPES[indices["componentType"]])
            at = self._strided(indices["bufferView"], indices.get("byteOffset", 0), kind, 1, count, False)[:, 0]
            put = self._strided(new["bufferView"], new.get("byteOffset", 0), dtype, width, count, False)
        except (KeyError, TypeError, AttributeError) as error:
            raise bad(self.path, f"a sparse accessor is not complete ({error})") from error
        if kind.kind != "u" or at.max() >= len(values):
            raise bad(self.path, "a sparse accessor names a value that is not there")
        values[at] = put
        return values
