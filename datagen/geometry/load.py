"""Guarded mesh loading: files are hostile until their arrays have been checked.

OBJ is parsed here (positions, faces, groups; materials are never opened), the rest goes through trimesh.
"""

import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from datagen.core.errors import MeshLoadError, MissingDependency
from datagen.core.shape import Mesh, concatenate

SCENE_SUFFIXES = (".glb", ".gltf")
STEP_SUFFIXES = (".step", ".stp")
MESH_SUFFIXES = (".obj", ".stl", ".ply", ".off", *SCENE_SUFFIXES, *STEP_SUFFIXES)
MAX_BYTES = 2_000_000_000
NEXT_STEP = "open it in a mesh viewer, export it again, or take it out of the folder"
# Everything a parser has been seen to raise on damaged files; KeyboardInterrupt and bugs of ours pass.
PARSER_ERRORS = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError,
    NotImplementedError, RuntimeError, NameError, OSError, EOFError, MemoryError, struct.error,
)  # fmt: skip


def load_mesh(path: Path | str) -> tuple[tuple[str, Mesh], ...]:
    """Every named mesh of one file, in the file's own frame and units (glTF is y up).

    Nodes of a GLB/glTF and `o`/`g` groups of an OBJ come as separate meshes with the transforms of their
    nodes applied, glTF nodes sorted by name; a file without names gives one mesh named after its stem.
    Raises MeshLoadError naming the file, MissingDependency where an extra is needed to read it.
    """
    path = Path(path)
    _check_file(path)
    suffix = path.suffix.lower()
    if suffix == ".obj":
        return _load_obj(path)
    if suffix in SCENE_SUFFIXES and needs_draco(path):
        _require("DracoPy", "draco", path)
    if suffix in STEP_SUFFIXES:
        _require("cascadio", "step", path)
    return _load_with_trimesh(path)


def load_single(path: Path | str) -> Mesh:
    """All triangles of one file as one mesh, in the file's frame. Raises as `load_mesh`."""
    return concatenate(mesh for _, mesh in load_mesh(path))


def needs_draco(path: Path) -> bool:
    """Whether a GLB/glTF keeps its geometry Draco-compressed. Raises MeshLoadError on a broken header."""
    header = _gltf_header(path)
    return "KHR_draco_mesh_compression" in (header.get("extensionsRequired") or [])


def parse_obj(data: bytes, name: str) -> tuple[tuple[str, np.ndarray, np.ndarray], ...]:
    """Groups of an OBJ text as (name, vertices (V, 3), faces (F, 3)), possibly with no face at all.

    Polygons become fans. Raises MeshLoadError naming `name` on malformed lines.
    """
    lines = data.replace(b"\r", b"").replace(b"\\\n", b" ").split(b"\n")
    vertices = _positions([line[2:] for line in lines if line[:2] in (b"v ", b"v\t")], name)
    groups = [(group, _faces(rows, name)) for group, rows in _group_faces(lines)]
    if any(len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)) for _, faces in groups):
        raise MeshLoadError(f"{name}: a face names a vertex outside 1..{len(vertices)}; {NEXT_STEP}")
    if len(groups) <= 1:
        faces = groups[0][1] if groups else np.empty((0, 3), np.int64)
        return ((groups[0][0] if groups else "", vertices, faces),)
    compact = []
    for group, faces in groups:
        used, inverse = np.unique(faces, return_inverse=True)
        compact.append((group, vertices[used], inverse.reshape(-1, 3)))
    return tuple(compact)


def _check_file(path: Path) -> None:
    if path.suffix.lower() not in MESH_SUFFIXES:
        raise MeshLoadError(f"{path}: {path.suffix or 'no suffix'} is no mesh format ({' '.join(MESH_SUFFIXES)})")
    if not path.is_file():
        raise MeshLoadError(f"{path}: the file is missing; restore it or take the shape out")
    size = path.stat().st_size
    if not 0 < size <= MAX_BYTES:
        raise MeshLoadError(f"{path}: {size} bytes is no usable size for a mesh; {NEXT_STEP}")


def _require(module: str, extra: str, path: Path) -> None:
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise MissingDependency(f"{path}: needs {module}; install the extra with: pip install 'datagen[{extra}]'")


def _checked(path: Path, name: str, vertices: Any, faces: Any) -> Mesh:
    try:
        return Mesh(vertices, faces)
    except MeshLoadError as error:
        raise MeshLoadError(f"{path}: {name}: {error.args[0]}; {NEXT_STEP}") from error
    except (ValueError, TypeError, OverflowError) as error:
        raise MeshLoadError(f"{path}: {name}: {error}; {NEXT_STEP}") from error


def _load_obj(path: Path) -> tuple[tuple[str, Mesh], ...]:
    groups = parse_obj(path.read_bytes(), str(path))
    filled = [group for group in groups if len(group[2])] or list(groups)
    return tuple((name or path.stem, _checked(path, name or path.stem, v, f)) for name, v, f in filled)


def _group_faces(lines: list[bytes]) -> list[tuple[str, list[bytes]]]:
    """Face rows under their `o` names, or under `g` where the file has no two objects; repeats are joined."""
    objects = {line for line in lines if line[:2] == b"o "}
    key = b"o " if len(objects) > 1 else b"g "
    current = ""
    groups: dict[str, list[bytes]] = {}
    for line in lines:
        if line[:2] == b"f ":
            groups.setdefault(current, []).append(line[2:])
        elif line[:2] == key:
            current = line[2:].strip().decode("utf-8", "replace")
    return list(groups.items())


def _positions(rows: list[bytes], name: str) -> np.ndarray:
    if not rows:
        return np.empty((0, 3))
    tokens = b" ".join(rows).split()
    width = len(rows[0].split())
    if width < 3 or len(tokens) != width * len(rows):
        raise MeshLoadError(f"{name}: vertex lines do not all hold {max(width, 3)} numbers; {NEXT_STEP}")
    try:
        return np.array(tokens, dtype=np.float64).reshape(-1, width)[:, :3]
    except ValueError as error:
        raise MeshLoadError(f"{name}: {error} in a vertex line; {NEXT_STEP}") from error


def _faces(rows: list[bytes], name: str) -> np.ndarray:
    """Zero-based triangles (F, 3) of face rows; `7/1/3` counts as 7."""
    text = b" ; ".join(rows)
    if b"/" in text:
        text = re.sub(rb"/\S*", b"", text)
    tokens = text.replace(b";", b" ").split()
    try:
        if len(tokens) == 3 * len(rows) and b"-" not in text:
            return np.array(tokens, dtype=np.int64).reshape(-1, 3) - 1
        polygons = [[int(token) for token in row.split()] for row in text.split(b";")]
    except (ValueError, OverflowError) as error:
        raise MeshLoadError(f"{name}: {error} in a face line; {NEXT_STEP}") from error
    if min(map(len, polygons)) < 3 or min(map(min, polygons)) <= 0:
        raise MeshLoadError(f"{name}: a face has under three corners or a relative index; {NEXT_STEP}")
    fans = [(p[0] - 1, p[i] - 1, p[i + 1] - 1) for p in polygons for i in range(1, len(p) - 1)]
    return np.array(fans, dtype=np.int64).reshape(-1, 3)


def _gltf_header(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    try:
        if data[:4] == b"glTF":
            length = struct.unpack_from("<I", data, 12)[0]
            data = data[20 : 20 + length]
        header = json.loads(data)
    except (ValueError, struct.error) as error:
        raise MeshLoadError(f"{path}: broken glTF header ({error}); {NEXT_STEP}") from error
    if not isinstance(header, dict):
        raise MeshLoadError(f"{path}: the glTF header is no object; {NEXT_STEP}")
    return header


def _load_with_trimesh(path: Path) -> tuple[tuple[str, Mesh], ...]:
    import trimesh  # slow to import, and most builds read plain OBJ only

    try:
        # process=False: merging vertices would change counts silently. trimesh's own resolver keeps
        # external buffers inside the file's folder.
        scene = trimesh.load_scene(str(path), process=False, skip_materials=True)
        parents = scene.graph.transforms.parents
        nodes = [(_node_name(node, parents), *scene.graph[node]) for node in scene.graph.nodes_geometry]
        geometries = dict(scene.geometry)
    except PARSER_ERRORS as error:
        what = f"{type(error).__name__}: {error}"
        if path.suffix.lower() in STEP_SUFFIXES and isinstance(error, FileNotFoundError):
            what = "not readable as STEP"  # cascadio tells by writing no file
        raise MeshLoadError(f"{path}: {what}; {NEXT_STEP}") from error
    meshes: dict[str, list[Mesh]] = {}
    for name, T, key in nodes:
        geometry = geometries.get(key)
        if not isinstance(geometry, trimesh.Trimesh) or not len(geometry.faces):
            continue
        mesh = _checked(path, name, np.array(geometry.vertices), np.array(geometry.faces))
        meshes.setdefault(name, []).append(mesh.transformed(np.array(T, dtype=np.float64)))
    if not meshes:
        raise MeshLoadError(f"{path}: it holds no triangle; {NEXT_STEP}")
    if len(meshes) == 1 and path.suffix.lower() not in SCENE_SUFFIXES:
        meshes = {path.stem: next(iter(meshes.values()))}
    # trimesh keeps nodes in a set: sorting by name and content makes the order the file's alone.
    return tuple((name, concatenate(sorted(meshes[name], key=lambda mesh: mesh.digest))) for name in sorted(meshes))


def _node_name(node: object, parents: dict[object, object]) -> str:
    """A node's name; primitives that trimesh hangs under their node as `node_1a2b3c` take the node's own."""
    parent = str(parents.get(node, ""))
    match = re.fullmatch(r"(.+)_[0-9a-f]{6}", str(node))
    return parent if match and match[1] == parent else str(node)
