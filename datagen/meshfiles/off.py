"""OFF in all its spellings that hold three-dimensional surfaces: OFF, COFF, NOFF, STOFF and their mixes."""

import re
from pathlib import Path

import numpy as np

from datagen.core.colour import linear_from_srgb
from datagen.meshfiles.polygons import triangulate
from datagen.meshfiles.text import plain_text, without_comment
from datagen.meshfiles.values import FilePart, MeshFile, bad, checked, used_only

_HEADER = re.compile(rb"(ST)?(C)?(N)?(4)?(n)?OFF(?![A-Za-z])")
_SMALL_HEADER = re.compile(rb"(st)?(c)?(n)?(4)?(\0)?off(?![a-z])")
"""Written small, `noff` has normals: that `nOFF` has n dimensions shows in capitals alone."""


def read_off(path: Path) -> MeshFile:
    """The file's faces as one part. Raises MeshLoadError naming the file."""
    text = plain_text(path.read_bytes(), path)
    lines = [words for line in text.split(b"\n") if (words := without_comment(line).split())]
    if not lines:
        raise bad(path, "it is empty")
    match = _HEADER.match(lines[0][0]) or _SMALL_HEADER.match(lines[0][0])
    if match is None:
        raise bad(path, "it has no OFF header")
    if match[4] or match[5]:
        raise bad(path, f"{match[0].decode()} holds other than three coordinates, which is not read")
    rest = lines[0][0][match.end() :]
    # ModelNet glues the counts to the keyword: OFF8 6 12.
    first = ([rest] if rest else []) + lines[0][1:]
    if first and first[0].upper() == b"BINARY":
        raise bad(path, "binary OFF is not read; save it as text")
    rows = ([first] if first else []) + lines[1:]
    if not (match[1] or match[2] or match[3]):
        rows = _as_lines(rows)
    try:
        return _read(path, rows, bool(match[1]), bool(match[2]), bool(match[3]))
    except (ValueError, OverflowError, IndexError) as error:
        raise bad(path, f"its values cannot be read ({error})") from error


def _as_lines(rows: list[list[bytes]]) -> list[list[bytes]]:
    """The rows of a plain OFF as a line each, however its words are broken into lines; as they are where that fails.

    Only a file that is broken throughout is taken so: a line cut in a file of lines is no other row.
    """
    words = [word for row in rows for word in row]
    try:
        vertex_count, face_count = int(words[0]), int(words[1])
        if len(rows) == 1 + vertex_count + face_count:
            return rows
        at = 3 + 3 * vertex_count
        if min(vertex_count, face_count) < 0 or at + 4 * face_count > len(words):
            return rows
        found = [words[:3], *(words[k : k + 3] for k in range(3, at, 3))]
        for _ in range(face_count):
            corners = int(words[at])
            face = words[at : at + 1 + corners]
            if corners < 3 or len(set(face[1:])) < corners:  # a broken line read on into the next
                return rows
            found.append(face)
            at += 1 + corners
    except (ValueError, IndexError):
        return rows
    # Where most rows are lines of their own, one that is not was cut.
    lines = {tuple(row) for row in rows}
    alone = sum(tuple(row) in lines for row in found)
    return found if at == len(words) and 2 * alone <= len(found) else rows


def _read(path: Path, rows: list[list[bytes]], has_uv: bool, has_color: bool, has_normal: bool) -> MeshFile:
    vertex_count, face_count = int(rows[0][0]), int(rows[0][1])
    if min(vertex_count, face_count) < 0 or len(rows) < 1 + vertex_count + face_count:
        raise bad(path, f"it ends before its {vertex_count} vertices and {face_count} faces: cut short")
    if len(rows) > 1 + vertex_count + face_count:
        raise bad(path, "lines stand after its last face")
    table = rows[1 : 1 + vertex_count]
    least = 3 + 3 * has_normal + 3 * has_color + 2 * has_uv
    if any(len(row) < least for row in table):
        raise bad(path, f"a vertex line has under {least} numbers")
    if any(len(row) > least + has_color for row in table) and not (has_color or has_normal or has_uv):
        has_color = _plain_with_color(path, table)
    vertices = np.array([row[:3] for row in table], dtype=np.float64).reshape(-1, 3)
    after = 3 + 3 * has_normal
    polygons = [np.array(row[1 : 1 + int(row[0])], dtype=np.int64) for row in rows[1 + vertex_count :]]
    extra = [row[1 + int(row[0]) :] for row in rows[1 + vertex_count :]]
    for row, polygon in zip(rows[1 + vertex_count :], polygons, strict=True):
        if len(polygon) != int(row[0]) or len(polygon) < 3:
            raise bad(path, "a face has under three corners or is cut short")
    if not polygons:
        raise bad(path, "it holds no triangle")
    flat, counts = np.concatenate(polygons), np.array([len(p) for p in polygons])
    if flat.min() < 0 or flat.max() >= vertex_count:
        raise bad(path, f"a face names a vertex outside 0..{vertex_count - 1}")
    owner, places = triangulate(vertices, flat, counts)
    faces = flat[places]
    color = None
    if has_color:
        color = _linear(np.array([row[after : after + 3] for row in table], dtype=np.float64))[faces]
    elif any(len(row) >= 3 for row in extra):
        grey = [b"1", b"1", b"1"]
        color = np.repeat(
            _linear(np.array([row[:3] if len(row) >= 3 else grey for row in extra], np.float64))[owner][:, None], 3, 1
        )
    used, compact = used_only(vertices, faces)
    mesh = checked(path, path.stem, used, compact)
    clear = has_color and _seen_through(table, after, after + 3 + 2 * has_uv)
    told = [f"transparency shown opaque: {path.name} (vertex colours)"] if clear else []
    if not has_color and _seen_through(extra, 0, 3):
        told.append(f"transparency shown opaque: {path.name} (face colours)")
    if any(len(row) in (1, 2) for row in extra):
        told.append(f"material colours by index not read: {path.name}")
    warnings = tuple(told)
    return MeshFile(path, (FilePart(path.stem, mesh, np.full(len(faces), -1, np.int32), None, color),), (), warnings)


def _plain_with_color(path: Path, table: list[list[bytes]]) -> bool:
    """Whether the lines of a plain OFF all carry a colour after x y z, as some writers do."""
    widths = {len(row) for row in table}
    if widths <= {6, 7}:
        return True
    raise bad(path, f"vertex lines of an OFF hold {sorted(widths)} numbers, not three")


def _seen_through(table: list[list[bytes]], start: int, without_alpha: int) -> bool:
    """Whether any vertex has a fourth colour value below the full one; the colour begins at column `start`."""
    colors = np.array([row[start : start + 4] for row in table if len(row) > without_alpha], dtype=np.float64)
    return bool(len(colors)) and bool(colors[:, 3].min() < (255.0 if colors.max() > 1.0 else 1.0))


def _linear(values: np.ndarray) -> np.ndarray:
    return linear_from_srgb(np.clip(values / (255.0 if values.max(initial=0) > 1.0 else 1.0), 0, 1))
