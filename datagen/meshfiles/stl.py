"""STL, binary and ASCII: triangles without names or colours that a standard defines."""

import re
from pathlib import Path

import numpy as np

from datagen.meshfiles.text import plain_text, refuse_pointer
from datagen.meshfiles.values import FilePart, MeshFile, bad, checked, unique_names

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def read_stl(path: Path) -> MeshFile:
    """The triangles of an STL: one part, or one for each named solid of an ASCII file.

    A file is binary when its length fits its count of triangles, whatever its first word says. Bytes after the
    last triangle are left out with a warning. Raises MeshLoadError naming the file.
    """
    data = path.read_bytes()
    refuse_pointer(data, path)
    count = int.from_bytes(data[80:84], "little") if len(data) >= 84 else 0
    needed = 84 + _RECORD.itemsize * count
    if len(data) >= 84 and count and needed == len(data):
        return _binary(path, data, count, ())
    text = data.lstrip()[:5].lower() == b"solid" and b"facet" in data[:4096].lower() and b"\0" not in data[:4096]
    if text or data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return _ascii(path, data)
    if len(data) < 84 or count == 0:
        raise bad(path, "it holds no triangle")
    if needed > len(data):
        raise bad(path, f"it ends after {(len(data) - 84) // _RECORD.itemsize} of {count} triangles: cut short")
    note = f"bytes after the last triangle left out: {path.name} ({len(data) - needed})"
    return _binary(path, data, count, (note,))


def _binary(path: Path, data: bytes, count: int, warnings: tuple[str, ...]) -> MeshFile:
    records = np.frombuffer(data, _RECORD, count, 84)
    corners = records["corners"].reshape(-1, 3).astype(np.float64)
    if records["attribute"].any():
        # Two makers pack colours here, each in its own order of bits, and nothing tells them apart for sure.
        warnings = (*warnings, f"material colours of an STL not read: {path.name}")
    return MeshFile(path, (_part(path, path.stem, corners),), (), warnings)


def _part(path: Path, name: str, corners: np.ndarray) -> FilePart:
    mesh = checked(path, name, corners, np.arange(len(corners)).reshape(-1, 3))
    return FilePart(name, mesh, np.full(len(mesh.faces), -1, np.int32))


def _ascii(path: Path, data: bytes) -> MeshFile:
    text = plain_text(data, path)
    solids = re.split(rb"(?im)^[ \t]*solid\b", b"\n" + text)[1:]
    found = []
    for solid in solids:
        name, _, body = solid.partition(b"\n")
        if (start := re.search(rb"(?i)\bfacet\s+normal\b", name)) is not None:  # all on one line
            name, body = name[: start.start()], name[start.start() :] + b"\n" + body
        body, _, after = (
            re.split(rb"(?i)(endsolid)", body, maxsplit=1) if b"endsolid" in body.lower() else (body, b"", b"")
        )
        if not re.search(rb"(?i)end\s*solid", solid):
            raise bad(path, "a solid has no endsolid: cut short")
        if b"facet" in after.lower():
            raise bad(path, "facets stand after an endsolid")
        corners = _corners(path, body)
        if len(corners):
            found.append((name.strip().decode("utf-8", "replace"), corners))
    if not found:
        raise bad(path, "it holds no triangle")
    names = [path.stem] if len(found) == 1 else unique_names(n or f"solid_{k + 1}" for k, (n, _) in enumerate(found))
    parts = tuple(_part(path, name, corners) for name, (_, corners) in zip(names, found, strict=True))
    return MeshFile(path, parts)


def _corners(path: Path, body: bytes) -> np.ndarray:
    """Corners (3 F, 3) of the facets of one solid; every facet must be three vertices in one loop."""
    words = body.lower().split()
    if not words:
        return np.empty((0, 3))
    facet = [b"facet", b"normal", None, None, None, b"outer", b"loop"]
    facet += [b"vertex", None, None, None] * 3 + [b"endloop", b"endfacet"]
    if len(words) % len(facet):
        raise bad(path, "a facet is cut short or has other than three corners")
    table = np.array(words, dtype=object).reshape(-1, len(facet))
    for column, word in enumerate(facet):
        if word is not None and not (table[:, column] == word).all():
            raise bad(path, f"a facet lacks the word {word.decode()} where it belongs")
    columns = [c for c, word in enumerate(facet) if word is None][3:]
    try:
        return table[:, columns].astype(np.float64).reshape(-1, 3)
    except ValueError as error:
        raise bad(path, f"a corner cannot be read ({error})") from error
