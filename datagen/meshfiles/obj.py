"""Wavefront OBJ as text: positions, polygons, objects, groups, materials, texture coordinates, colours."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from datagen.core.colour import linear_from_srgb
from datagen.core.shape import Mesh
from datagen.meshfiles.obj_plain import read_plain
from datagen.meshfiles.polygons import triangulate
from datagen.meshfiles.text import name_text, plain_text, shown, without_comment, without_remark
from datagen.meshfiles.values import FilePart, bad, checked, used_only

_NAMES = (b"o", b"g", b"usemtl", b"mtllib")
_WITHOUT_SURFACE = {
    b"vn",
    b"s",
    b"vp",
    b"mg",
    b"lod",
    b"bevel",
    b"c_interp",
    b"d_interp",
    b"shadow_obj",
    b"trace_obj",
    b"cstype",
    b"deg",
    b"bmat",
    b"step",
    b"parm",
    b"trim",
    b"hole",
    b"scrv",
    b"sp",
    b"end",
    b"con",
    b"res",
    b"ctech",
    b"stech",
    b"curv2",
}
_LOOSE = {b"l": "lines", b"p": "points", b"curv": "curves", b"cdc": "curves"}
_SURFACES = {b"surf", b"bsp", b"bzp", b"cdp"}


@dataclass
class ObjText:
    """The statements of one file, in order; face statements remember what was defined before them."""

    path: Path | str
    positions: list[bytes] = field(default_factory=list)
    coordinates: list[bytes] = field(default_factory=list)
    faces: list[bytes] = field(default_factory=list)
    defined: list[tuple[int, int]] = field(default_factory=list)
    """(positions, coordinates) above each face: what negative indices count from."""
    owner: list[tuple[str, str, str]] = field(default_factory=list)
    """(object, group, material) of each face."""
    libraries: list[str] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)


def read_text(data: bytes, path: Path | str) -> ObjText:
    """The statements of an OBJ. Raises MeshLoadError with the line of one that OBJ does not have or we cannot read."""
    text = ObjText(path)
    plain = _joined(plain_text(data, path))
    has_comment = b"#" in plain
    here = {b"o": "", b"g": "", b"usemtl": ""}
    owner = ("", "", "")
    for number, line in enumerate(plain.split(b"\n"), 1):
        if has_comment and b"#" in line:
            words = line.split(None, 1)
            line = without_remark(line) if words and words[0] in _NAMES else without_comment(line)
        start = line[:2]
        if start == b"v ":  # nearly all lines begin like this or the next
            text.positions.append(line[2:])
            continue
        if start == b"f ":
            key, rest = b"f", line[2:]
        else:
            words = line.split(None, 1)
            if not words:
                continue
            key, rest = words[0], words[1] if len(words) > 1 else b""
        if key == b"v":
            text.positions.append(rest)
        elif key in (b"f", b"fo"):
            text.faces.append(rest)
            text.defined.append((len(text.positions), len(text.coordinates)))
            text.owner.append(owner)
        elif key == b"vt":
            text.coordinates.append(rest)
        elif key in _NAMES:
            name = name_text(rest.strip())
            if key == b"mtllib":
                text.libraries.append(name)
            else:
                here[key] = name
                owner = (here[b"o"], here[b"g"], here[b"usemtl"])
        elif key not in _WITHOUT_SURFACE:
            _other(text, key, number)
    return text


def _other(text: ObjText, key: bytes, number: int) -> None:
    """Count a statement that holds no face, or refuse one that cannot be read."""
    if key in _LOOSE:
        text.left_out[_LOOSE[key]] = text.left_out.get(_LOOSE[key], 0) + 1
    elif key in (b"usemap", b"maplib"):
        text.left_out["texture maps by usemap"] = text.left_out.get("texture maps by usemap", 0) + 1
    elif key in _SURFACES:
        raise bad(text.path, f"line {number}: free-form surfaces ({key.decode()}) are not read", "tessellate them")
    elif key in (b"call", b"csh"):
        raise bad(text.path, f"line {number}: {key.decode()} runs other files and is never followed")
    else:
        raise bad(text.path, f"line {number}: {shown(key)} is no OBJ statement")


@dataclass(frozen=True, eq=False)
class ObjGeometry:
    """Triangles of one file. All per face (F): corners, texture coordinates (F, 3, 2) or None, place in `owners`."""

    vertices: np.ndarray
    color: np.ndarray | None
    faces: np.ndarray
    uv: np.ndarray | None
    owner: np.ndarray
    owners: tuple[tuple[str, str, str], ...]


def geometry(text: ObjText) -> ObjGeometry:
    """The file's triangles, possibly none. Raises MeshLoadError for numbers and indices that are not valid."""
    vertices, color = _positions(text)
    coordinates = _coordinates(text)
    owners = tuple(dict.fromkeys(text.owner))
    if not text.faces:
        empty = np.empty((0, 3), np.int64)
        return ObjGeometry(vertices, color, empty, None, np.empty(0, np.int64), owners)
    flat, flat_uv, counts = _corners(text, len(vertices), len(coordinates))
    polygon, places = triangulate(vertices, flat, counts)
    number = {name: k for k, name in enumerate(owners)}
    owner = np.array([number[name] for name in text.owner])[polygon]
    uv = None
    if flat_uv is not None and len(coordinates):
        missing = len(coordinates)
        padded = np.concatenate([coordinates, np.full((1, 2), np.nan)])
        uv = padded[np.where(flat_uv < 0, missing, flat_uv)][places]
    return ObjGeometry(vertices, color, flat[places], uv, owner, owners)


def whole_mesh(data: bytes, name: str) -> Mesh:
    """All triangles of a file as one mesh, in the file's frame; messages call it `name`. Raises MeshLoadError."""
    plain = read_plain(data)
    if plain is None:
        shape = geometry(read_text(data, name))
        plain = shape.vertices, shape.faces
    return checked(name, Path(name).name, *plain)


def read(data: bytes, path: Path | str) -> tuple[ObjText, ObjGeometry]:
    """The statements of a file and its triangles; of a plain one without names the triangles alone. Raises as both."""
    plain = read_plain(data)
    if plain is None:
        text = read_text(data, path)
        return text, geometry(text)
    vertices, faces = plain
    owner = np.zeros(len(faces), np.int64)
    return ObjText(path), ObjGeometry(vertices, None, faces, None, owner, (("", "", ""),))


def libraries(data: bytes, path: Path | str) -> list[str]:
    """The material files that an OBJ names. Raises MeshLoadError for one that cannot be read."""
    return read_text(data, path).libraries if b"mtllib" in plain_text(data, path) else []


def parts(path: Path, shape: ObjGeometry, material_slot: dict[str, int]) -> tuple[FilePart, ...]:
    """Parts by object where two or more have faces, else by group; a file with one name is one part."""
    named = _part_names(path, shape.owners)
    numbers = {name: k for k, name in enumerate(dict.fromkeys(named))}
    part = np.array([numbers[name] for name in named])[shape.owner]
    slot = np.array([material_slot.get(material, -1) for _, _, material in shape.owners])[shape.owner]
    found = []
    for name, number in numbers.items():
        own = part == number
        vertices, faces = used_only(shape.vertices, shape.faces[own])
        found.append(
            FilePart(
                name,
                checked(path, name, vertices, faces),
                slot[own],
                None if shape.uv is None else shape.uv[own],
                None if shape.color is None else shape.color[shape.faces[own]],
            )
        )
    return tuple(found)


def _part_names(path: Path, owners: Sequence[tuple[str, str, str]]) -> list[str]:
    objects = {name for name, _, _ in owners}
    groups = {name for _, name, _ in owners}
    if len(objects) > 1:
        return [name or path.stem for name, _, _ in owners]
    if len(groups) > 1:
        return [name or path.stem for _, name, _ in owners]
    only = next(iter(objects)) or next(iter(groups)) or path.stem
    return [only] * len(owners)


def _positions(text: ObjText) -> tuple[np.ndarray, np.ndarray | None]:
    """Positions (V, 3) and linear colours (V, 3) where `v` lines hold x y z r g b."""
    rows = [row.split() for row in text.positions]
    widths = {len(row) for row in rows}
    if not widths <= {3, 4, 6, 7}:
        wrong = next(k for k, row in enumerate(rows) if len(row) not in (3, 4, 6, 7))
        raise bad(text.path, f"vertex {wrong + 1} has {len(rows[wrong])} numbers; OBJ has x y z, w and r g b")
    if widths <= {3}:
        return _floats(text, rows, 3), None
    vertices = _floats(text, [row[:3] for row in rows], 3)
    # A fourth number is a weight for rational curves; with six or seven the last three are a colour.
    if not widths & {6, 7}:
        _floats(text, [row[3:] or [b"1"] for row in rows], 1)
        return vertices, None
    start = _color_start(text, rows) if 7 in widths else 4
    if start == 0:
        text.left_out["colours of vertices of seven numbers"] = len(rows)
        return vertices, None
    starts = {7: start, 6: 3}
    bare = [b"1", b"1", b"1"]
    told = [row[at : at + 3] if (at := starts.get(len(row))) else bare for row in rows]
    color = _floats(text, told, 3)
    largest = float(color.max(initial=0.0))
    return vertices, linear_from_srgb(np.clip(color / (255.0 if largest > 1.0 else 1.0), 0, 1))


def _color_start(text: ObjText, rows: list[list[bytes]]) -> int:
    """Where the colour stands in vertices of seven numbers: after a weight (4), before an alpha (3), 0 if unclear."""
    seven = _floats(text, [row for row in rows if len(row) == 7], 7)
    weight, alpha = ((seven[:, column] == 1.0).all() for column in (3, 6))
    return 0 if weight == alpha else 4 if weight else 3


def _joined(text: bytes) -> bytes:
    """Lines that end with a backslash joined to the next; a comment such as `# C:\\models\\` ends with its line."""
    while b"\\\n" in text:
        more = re.sub(rb"(?m)^(?![ \t]*#)([^\n]*)\\\n", rb"\1 ", text)
        if more == text:
            break
        text = more
    return text


def _coordinates(text: ObjText) -> np.ndarray:
    rows = [row.split() for row in text.coordinates]
    if any(not 1 <= len(row) <= 3 for row in rows):
        raise bad(text.path, "a vt line does not hold one to three numbers")
    return _floats(text, [[*row[:2], b"0"][:2] for row in rows], 2)


def _floats(text: ObjText, rows: Sequence[Sequence[bytes]], width: int) -> np.ndarray:
    tokens = [word for row in rows for word in row]
    try:
        values = np.array(tokens, dtype=np.float64).reshape(-1, width)
    except (ValueError, OverflowError) as error:
        raise bad(text.path, f"{_first_bad(tokens, float)} is no number") from error
    if b"_" in b"".join(tokens):
        raise bad(text.path, "an underscore in a number")
    return values


def _first_bad(tokens: Sequence[bytes], kind: type) -> str:
    for word in tokens:
        try:
            kind(word)
        except ValueError:
            return shown(word)
    return "a value"


def _corners(text: ObjText, positions: int, coordinates: int) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Zero-based position and texture numbers (-1 = none) of all corners, and how many corners each face has."""
    rows = [row.split() for row in text.faces]
    counts = np.array([len(row) for row in rows])
    if counts.min() < 3:
        raise bad(text.path, f"face {int(counts.argmin()) + 1} has under three corners")
    tokens = [word for row in rows for word in row]
    joined = b"".join(text.faces)
    if b"_" in joined:
        raise bad(text.path, "an underscore in a face line")
    defined = np.array(text.defined)
    if b"/" not in joined:
        flat = _resolved(text, _ints(text, tokens), np.repeat(defined[:, 0], counts), positions)
        return flat, None, counts
    fields = [word.split(b"/") for word in tokens]
    if max(map(len, fields)) > 3:
        raise bad(text.path, "a face corner has more than three fields")
    first = _ints(text, [field[0] for field in fields])
    second = _ints(text, [field[1] if len(field) > 1 and field[1] else b"0" for field in fields])
    _ints(text, [field[2] for field in fields if len(field) > 2 and field[2]])
    flat = _resolved(text, first, np.repeat(defined[:, 0], counts), positions)
    flat_uv = np.where(second < 0, np.repeat(defined[:, 1], counts) + second, second - 1)
    undefined = (second != 0) & ((flat_uv < 0) | (flat_uv >= coordinates))
    if undefined.any():
        # Cut meshes often keep the numbers and lose the lines; their surface is whole without them.
        text.left_out["texture coordinates that are not defined"] = int(undefined.sum())
    flat_uv[undefined | (second == 0)] = -1
    return flat, flat_uv, counts


def _ints(text: ObjText, tokens: Sequence[bytes]) -> np.ndarray:
    try:
        return np.array(tokens, dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise bad(text.path, f"{_first_bad(tokens, int)} in a face line is no index") from error


def _resolved(text: ObjText, index: np.ndarray, above: np.ndarray, count: int) -> np.ndarray:
    """Zero-based indices: positive ones count from 1, negative ones back from the last one above the face."""
    resolved = np.where(index < 0, above + index, index - 1)
    if len(index) and ((index == 0) | (resolved < 0) | (resolved >= count)).any():
        raise bad(text.path, f"a face names a vertex outside 1..{count}")
    return resolved
