"""PLY in ASCII and binary: mixed polygons, triangle strips, colours, texture coordinates."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from datagen.core.colour import linear_from_srgb
from datagen.meshfiles.places import Places
from datagen.meshfiles.ply_tables import Columns, ValueLists, read_tables
from datagen.meshfiles.polygons import triangulate
from datagen.meshfiles.text import name_text, refuse_pointer
from datagen.meshfiles.values import (
    FileMaterial,
    FilePart,
    MeshFile,
    Texture,
    bad,
    checked,
    used_only,
)

_COORDINATES = (("u", "v"), ("s", "t"), ("texture_u", "texture_v"), ("texture_s", "texture_t"))


def read_ply(path: Path, places: Places) -> MeshFile:
    """The file's faces as one part. Raises MeshLoadError naming the file."""
    data = path.read_bytes()
    refuse_pointer(data, path)
    columns, images = read_tables(path, data)
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
    table = vertex if "red" in vertex else columns.get("face", {})
    alpha = np.asarray(table.get("alpha", ()))
    if "red" in table and len(alpha) and alpha.min() < (1.0 if alpha.dtype.kind == "f" else np.iinfo(alpha.dtype).max):
        warnings = (*warnings, f"transparency shown opaque: {path.name} (vertex colours)")
    if len(columns.get("edge", {})):
        warnings = (*warnings, f"edges left out: {path.name}")
    part = FilePart(path.stem, mesh, np.full(len(faces), slot, np.int32), uv, color)
    return MeshFile(path, (part,), materials, warnings)


def _faces(path: Path, columns: Columns, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, ValueLists | None]:
    """(corner places (F, 3) in the lists, vertices (F, 3), polygon (F,), lists of texture coordinates or None)."""
    if "tristrips" in columns and len(columns.get("face", {})):
        raise bad(path, "it holds both faces and triangle strips, which are not read together")
    if "tristrips" in columns:
        return _strips(path, columns["tristrips"], count)
    face = columns.get("face", {})
    lists = face.get("vertex_indices", face.get("vertex_index"))
    if not isinstance(lists, ValueLists):
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
    return places, flat[places], owner, coordinates if isinstance(coordinates, ValueLists) else None


def _strips(path: Path, element: dict[str, Any], count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, None]:
    lists = element.get("vertex_indices", element.get("vertex_index"))
    if not isinstance(lists, ValueLists):
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
    vertex: dict[str, Any], columns: Columns, corners: np.ndarray, faces: np.ndarray, lists: ValueLists | None
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
        # Unsigned colours fill their type; signed ones and 32 bits hold 0 to 255 by custom.
        fills = values.dtype.kind == "u" and values.dtype.itemsize < 4
        top = float(np.iinfo(values.dtype).max) if fills else 255.0 if values.dtype.kind in "iu" else _top(values)
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
    names = re.findall(rb"(?i)comment\s+texturefile\s+([^\r\n]+)", head.split(b"end_header")[0])
    found = [places.find(name_text(name)) for name in names]
    return [place for place in found if place is not None]
