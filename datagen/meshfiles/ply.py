"""PLY in ASCII and binary: mixed polygons, triangle strips, colours, texture coordinates."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datagen.meshfiles.places import Places
from datagen.meshfiles.polygons import triangulate
from datagen.meshfiles.text import refuse_pointer
from datagen.meshfiles.values import (
    MAX_BYTES,
    FileMaterial,
    FilePart,
    MeshFile,
    Texture,
    bad,
    checked,
    linear_from_srgb,
    used_only,
)

_TYPES = {
    "char": "i1",
    "int8": "i1",
    "uchar": "u1",
    "uint8": "u1",
    "short": "i2",
    "int16": "i2",
    "ushort": "u2",
    "uint16": "u2",
    "int": "i4",
    "int32": "i4",
    "uint": "u4",
    "uint32": "u4",
    "float": "f4",
    "float32": "f4",
    "double": "f8",
    "float64": "f8",
}
_COORDINATES = (("u", "v"), ("s", "t"), ("texture_u", "texture_v"), ("texture_s", "texture_t"))


@dataclass(frozen=True)
class _Property:
    name: str
    kind: str
    count_kind: str = ""


@dataclass(frozen=True)
class _Element:
    name: str
    count: int
    properties: tuple[_Property, ...]


@dataclass(frozen=True, eq=False)
class _List:
    """Rows of different lengths: values one after the other, and how many each row has."""

    flat: np.ndarray
    counts: np.ndarray


def read_ply(path: Path, places: Places) -> MeshFile:
    """The file's faces as one part. Raises MeshLoadError naming the file."""
    data = path.read_bytes()
    refuse_pointer(data, path)
    elements, encoding, images, body = _header(path, data)
    try:
        columns = _ascii(path, elements, body) if encoding == "ascii" else _binary(path, elements, body, encoding)
    except (ValueError, OverflowError) as error:
        raise bad(path, f"its values cannot be read ({error})") from error
    vertex = columns.get("vertex", {})
    if not {"x", "y", "z"} <= set(vertex):
        raise bad(path, "its vertices have no x, y and z")
    vertices = np.stack([np.asarray(vertex[axis], dtype=np.float64) for axis in "xyz"], axis=1)
    corners, faces, owner, uv_list = _faces(path, columns, len(vertices))
    if len(faces) == 0:
        raise bad(path, "it holds no triangle")
    uv = _uv(vertex, columns, corners, faces, uv_list)
    color = _color(vertex, columns.get("face", {}), faces, owner)
    used, compact = used_only(vertices, faces)
    mesh = checked(path, path.stem, used, compact)
    materials, slot, warnings = _material(path, places, images, uv is not None)
    part = FilePart(path.stem, mesh, np.full(len(faces), slot, np.int32), uv, color)
    return MeshFile(path, (part,), materials, warnings)


def _header(path: Path, data: bytes) -> tuple[list[_Element], str, list[str], bytes]:
    match = re.search(rb"(?:^|[\r\n])end_header[ \t]*(\r\n|\n|\r)", data[:1_000_000])
    if not re.match(rb"ply[ \t]*[\r\n]", data) or match is None:
        raise bad(path, "it has no PLY header")
    lines = data[: match.start()].decode("latin-1").splitlines()
    elements: list[_Element] = []
    encoding, images = "", []
    for line in lines[1:]:
        words = line.split()
        if not words or words[0] == "obj_info":
            continue
        if words[0] == "comment":
            if len(words) > 2 and words[1].lower() == "texturefile":
                images.append(line.split(None, 2)[2].strip())
        elif words[0] == "format" and len(words) >= 2:
            encoding = words[1]
        elif words[0] == "element" and len(words) == 3 and words[2].isdecimal() and int(words[2]) <= MAX_BYTES:
            elements.append(_Element(words[1], int(words[2]), ()))
        elif words[0] == "property" and elements:
            last = elements[-1]
            elements[-1] = _Element(last.name, last.count, (*last.properties, _property(path, words)))
        else:
            raise bad(path, f"its header line {line[:60]!r} is not understood")
    if encoding not in ("ascii", "binary_little_endian", "binary_big_endian"):
        raise bad(path, f"PLY format {encoding!r} does not exist")
    return elements, encoding, images, data[match.end() :]


def _property(path: Path, words: list[str]) -> _Property:
    if len(words) == 3 and words[1] in _TYPES:
        return _Property(words[2], _TYPES[words[1]])
    if len(words) == 5 and words[1] == "list" and words[2] in _TYPES and words[3] in _TYPES:
        return _Property(words[4], _TYPES[words[3]], _TYPES[words[2]])
    raise bad(path, f"its header line {' '.join(words)[:60]!r} is not understood")


Columns = dict[str, dict[str, Any]]


def _ascii(path: Path, elements: list[_Element], body: bytes) -> Columns:
    """Every element by property. A row is a line, but some writers break lines: values alone are counted."""
    tokens = body.split()
    columns: Columns = {}
    at = 0
    for element in elements:
        lists = [p for p in element.properties if p.count_kind]
        width = len(element.properties)
        if not lists:
            rows = tokens[at : at + width * element.count]
            if len(rows) < width * element.count:
                raise bad(path, f"it ends within its {element.count} {element.name} rows: cut short")
            at += len(rows)
            table = np.array(rows, dtype=np.float64).reshape(element.count, width)
            columns[element.name] = {p.name: table[:, k] for k, p in enumerate(element.properties)}
            continue
        values: dict[str, Any] = {p.name: ([], []) if p.count_kind else [] for p in element.properties}
        for _ in range(element.count):
            for p in element.properties:
                if at >= len(tokens):
                    raise bad(path, f"it ends within its {element.count} {element.name} rows: cut short")
                if not p.count_kind:
                    values[p.name].append(tokens[at])
                    at += 1
                    continue
                count = int(tokens[at])
                if count < 0 or at + 1 + count > len(tokens):
                    raise bad(path, f"it ends within its {element.count} {element.name} rows: cut short")
                values[p.name][0].extend(tokens[at + 1 : at + 1 + count])
                values[p.name][1].append(count)
                at += 1 + count
        columns[element.name] = {
            p.name: _List(_numbers(values[p.name][0], p.kind), np.array(values[p.name][1], dtype=np.int64))
            if p.count_kind
            else np.array(values[p.name], dtype=np.float64)
            for p in element.properties
        }
    if at < len(tokens):
        raise bad(path, f"{len(tokens) - at} values stand after its last element")
    return columns


def _numbers(tokens: list[bytes], kind: str) -> np.ndarray:
    return np.array(tokens, dtype=np.float64 if kind[0] == "f" else np.int64)


def _binary(path: Path, elements: list[_Element], body: bytes, encoding: str) -> Columns:
    order = "<" if encoding == "binary_little_endian" else ">"
    columns: Columns = {}
    at = 0
    for element in elements:
        if not any(p.count_kind for p in element.properties):
            dtype = np.dtype([(f"f{k}", order + p.kind) for k, p in enumerate(element.properties)])
            size = dtype.itemsize * element.count
            if at + size > len(body):
                raise bad(path, f"it ends within its {element.count} {element.name} rows: cut short")
            table = np.frombuffer(body, dtype, element.count, at) if size else np.empty(element.count, dtype)
            columns[element.name] = {p.name: table[f"f{k}"] for k, p in enumerate(element.properties)}
            at += size
        else:
            columns[element.name], at = _rows(path, element, body, order, at)
    if body[at:].strip():
        raise bad(path, f"{len(body) - at} bytes stand after its last element")
    return columns


def _rows(path: Path, element: _Element, body: bytes, order: str, at: int) -> tuple[dict[str, Any], int]:
    """An element with lists: as a table where all rows are as long as the first, else row by row."""
    uniform = _uniform(element, body, order, at)
    if uniform is not None:
        return uniform
    kinds = [
        (np.dtype(order + p.count_kind) if p.count_kind else None, np.dtype(order + p.kind)) for p in element.properties
    ]
    chunks: list[list[bytes]] = [[] for _ in element.properties]
    counts: list[list[int]] = [[] for _ in element.properties]
    for _ in range(element.count):
        for k, (count_kind, kind) in enumerate(kinds):
            count = 1
            if count_kind is not None:
                raw = body[at : at + count_kind.itemsize]
                if len(raw) < count_kind.itemsize:
                    raise bad(path, f"it ends within its {element.count} {element.name} rows: cut short")
                count = int(np.frombuffer(raw, count_kind)[0])
                at += count_kind.itemsize
            size = count * kind.itemsize
            if count < 0 or at + size > len(body):
                raise bad(path, f"it ends within its {element.count} {element.name} rows: cut short")
            chunks[k].append(body[at : at + size])
            counts[k].append(count)
            at += size
    found: dict[str, Any] = {}
    for p, (count_kind, kind), pieces, numbers in zip(element.properties, kinds, chunks, counts, strict=True):
        flat = np.frombuffer(b"".join(pieces), kind)
        found[p.name] = flat if count_kind is None else _List(flat, np.array(numbers, dtype=np.int64))
    return found, at


def _uniform(element: _Element, body: bytes, order: str, at: int) -> tuple[dict[str, Any], int] | None:
    """The rows as one table if every list is as long as in the first row, else None."""
    fields: list[tuple] = []
    here, lengths = at, []
    for k, p in enumerate(element.properties):
        count = 1
        if p.count_kind:
            kind = np.dtype(order + p.count_kind)
            if here + kind.itemsize > len(body):
                return None
            count = int(np.frombuffer(body, kind, 1, here)[0])
            if not 0 < count < 1000:
                return None
            fields.append((f"n{k}", kind))
            here += kind.itemsize
        fields.append((f"f{k}", np.dtype(order + p.kind), (count,)))
        here += count * np.dtype(p.kind).itemsize
        lengths.append(count)
    dtype = np.dtype(fields)
    if at + dtype.itemsize * element.count > len(body) or element.count == 0:
        return None
    table = np.frombuffer(body, dtype, element.count, at)
    found: dict[str, Any] = {}
    for k, (p, count) in enumerate(zip(element.properties, lengths, strict=True)):
        if p.count_kind:
            if (table[f"n{k}"] != count).any():
                return None
            found[p.name] = _List(table[f"f{k}"].reshape(-1), np.full(element.count, count))
        else:
            found[p.name] = table[f"f{k}"][:, 0]
    return found, at + dtype.itemsize * element.count


def _faces(path: Path, columns: Columns, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, _List | None]:
    """(corner places (F, 3) in the lists, vertices (F, 3), polygon (F,), lists of texture coordinates or None)."""
    if "tristrips" in columns:
        return _strips(path, columns["tristrips"], count)
    face = columns.get("face", {})
    lists = face.get("vertex_indices", face.get("vertex_index"))
    if not isinstance(lists, _List):
        raise bad(path, "it has no faces (no list vertex_indices)")
    flat = lists.flat.astype(np.int64)
    if len(lists.counts) and lists.counts.min() < 3:
        raise bad(path, f"face {int(lists.counts.argmin()) + 1} has under three corners")
    if len(flat) and (flat.min() < 0 or flat.max() >= count):
        raise bad(path, f"a face names a vertex outside 0..{count - 1}")
    vertex = columns["vertex"]
    points = np.stack([np.asarray(vertex[axis], dtype=np.float64) for axis in "xyz"], axis=1)
    owner, places = triangulate(points, flat, lists.counts)
    coordinates = face.get("texcoord")
    return places, flat[places], owner, coordinates if isinstance(coordinates, _List) else None


def _strips(path: Path, element: dict[str, Any], count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, None]:
    lists = element.get("vertex_indices", element.get("vertex_index"))
    if not isinstance(lists, _List):
        raise bad(path, "its strips have no list vertex_indices")
    faces, start = [], 0
    for length in lists.counts:
        strip = lists.flat[start : start + length].astype(np.int64)
        start += length
        for run in np.split(strip, np.flatnonzero(strip < 0)):
            run = run[run >= 0]
            first = np.arange(max(len(run) - 2, 0))
            odd = first % 2
            faces.append(np.stack([run[first], run[first + 1 + odd], run[first + 2 - odd]], axis=1))
    joined = np.concatenate(faces) if faces else np.empty((0, 3), np.int64)
    if len(joined) and joined.max() >= count:
        raise bad(path, f"a strip names a vertex outside 0..{count - 1}")
    return joined, joined, np.arange(len(joined)), None


def _uv(
    vertex: dict[str, Any], columns: Columns, corners: np.ndarray, faces: np.ndarray, lists: _List | None
) -> np.ndarray | None:
    """Coordinates (F, 3, 2) by corner (MeshLab's texcoord lists) or by vertex, else None."""
    if lists is not None:
        counts = columns["face"]["vertex_indices" if "vertex_indices" in columns["face"] else "vertex_index"].counts
        if (lists.counts == 2 * counts).all():
            return lists.flat.astype(np.float64).reshape(-1, 2)[corners]
    for u, v in _COORDINATES:
        if u in vertex and v in vertex:
            uv = np.stack([np.asarray(vertex[u], np.float64), np.asarray(vertex[v], np.float64)], axis=1)
            return uv[faces]
    return None


def _color(vertex: dict[str, Any], face: dict[str, Any], faces: np.ndarray, owner: np.ndarray) -> np.ndarray | None:
    """Linear colours (F, 3, 3): of vertices, else of faces; None where there are none or all are white."""
    for table, at in ((vertex, faces), (face, owner)):
        names = next(
            (
                n
                for n in (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"))
                if set(n) <= set(table)
            ),
            None,
        )
        if names is None:
            continue
        values = np.stack([np.asarray(table[name]) for name in names], axis=1)
        top = float(np.iinfo(values.dtype).max) if values.dtype.kind in "iu" else _top(values)
        color = linear_from_srgb(np.clip(values / top, 0, 1))
        if (color >= 0.999).all():
            return None
        picked = color[at]
        return picked if picked.ndim == 3 else np.repeat(picked[:, None], 3, axis=1)
    return None


def _top(values: np.ndarray) -> float:
    # ASCII files are read as floats whatever their type: 8-bit colours exceed 1.
    return 255.0 if values.max(initial=0) > 1.0 else 1.0


def _material(
    path: Path, places: Places, images: list[str], has_uv: bool
) -> tuple[tuple[FileMaterial, ...], int, tuple[str, ...]]:
    if not images or not has_uv:
        return (), -1, ()
    if len(images) > 1:
        return (), -1, (f"several textures of a PLY left out: {path.name} names {len(images)}",)
    found = places.find(images[0])
    if found is None:
        return (), -1, (f"texture missing: {path.name} names {images[0]}",)
    return (FileMaterial(found.stem, base_map=Texture(found.name, found)),), 0, ()


def texture_files(path: Path, places: Places) -> list[Path]:
    """Images that a PLY names."""
    with path.open("rb") as file:
        head = file.read(1_000_000)
    names = re.findall(rb"comment TextureFile ([^\r\n]+)", head.split(b"end_header")[0])
    found = [places.find(name.decode("utf-8", "replace")) for name in names]
    return [place for place in found if place is not None]
