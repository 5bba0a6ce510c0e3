"""PLY as tables: its header, and every element by property, in ASCII or binary."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datagen.meshfiles.text import name_text
from datagen.meshfiles.values import MAX_BYTES, bad

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
class ValueLists:
    """Rows of different lengths: values one after the other, and how many each row has."""

    flat: np.ndarray
    counts: np.ndarray


Columns = dict[str, dict[str, Any]]
"""Element -> property -> values (N,), or a `ValueLists`."""


def read_tables(path: Path, data: bytes) -> tuple[Columns, list[str]]:
    """Every element of a file, and the images that its comments name. Raises MeshLoadError naming the file."""
    elements, encoding, images, body = _header(path, data)
    try:
        columns = _ascii(path, elements, body) if encoding == "ascii" else _binary(path, elements, body, encoding)
    except (ValueError, OverflowError) as error:
        raise bad(path, f"its values cannot be read ({error})") from error
    return columns, images


def _header(path: Path, data: bytes) -> tuple[list[_Element], str, list[str], bytes]:
    match = re.search(rb"(?:^|[\r\n])end_header[ \t]*(\r\n|\n|\r)", data[:1_000_000])
    if not re.match(rb"ply[ \t]*[\r\n]", data) or match is None:
        raise bad(path, "it has no PLY header")
    lines = re.split(r"\r\n|\n|\r", name_text(data[: match.start()]))
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
            columns[element.name] = {p.name: _typed(table[:, k], p.kind) for k, p in enumerate(element.properties)}
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
            p.name: ValueLists(_numbers(values[p.name][0], p.kind), np.array(values[p.name][1], dtype=np.int64))
            if p.count_kind
            else _typed(np.array(values[p.name], dtype=np.float64), p.kind)
            for p in element.properties
        }
    if at < len(tokens):
        raise bad(path, f"{len(tokens) - at} values stand after its last element")
    return columns


def _typed(values: np.ndarray, kind: str) -> np.ndarray:
    """Values (N,) in the type that the header declares. Raises ValueError for what it cannot hold."""
    if kind[0] == "f":
        return values
    limits = np.iinfo(kind)
    if len(values) and (values.min() < limits.min or values.max() > limits.max or (values % 1 != 0).any()):
        raise ValueError(f"a value is none of its type {kind}")
    return values.astype(kind)


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
        found[p.name] = flat if count_kind is None else ValueLists(flat, np.array(numbers, dtype=np.int64))
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
            found[p.name] = ValueLists(table[f"f{k}"].reshape(-1), np.full(element.count, count))
        else:
            found[p.name] = table[f"f{k}"][:, 0]
    return found, at + dtype.itemsize * element.count
