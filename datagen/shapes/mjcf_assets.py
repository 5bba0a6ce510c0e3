"""MJCF's files and assets: includes put in place, mesh assets with their scale and reference frame, materials."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from datagen.core.errors import MeshLoadError, ShapeError
from datagen.core.shape import Mesh
from datagen.shapes.mjcf_values import MAIN, Compiler, DefaultClass, merged, present, quaternion
from datagen.shapes.placing import Reach
from datagen.shapes.xmlfile import MAX_XML_DEPTH, numbers, parse_xml

MAX_FILES = 64
MAX_INLINE_VERTICES = 1_000_000
_MESH_ATTRIBUTES = frozenset(
    {"name", "class", "file", "content_type", "scale", "refpos", "refquat", "vertex", "face", "normal", "texcoord"}
    | {"inertia", "maxhullvert", "material", "smoothnormal", "builtin", "params"}
)


@dataclass(frozen=True)
class MjcfDocument:
    """A model's tree with its includes in place; `folders` says where an included element comes from."""

    root: ElementTree.Element
    files: list[Path]
    folders: dict[ElementTree.Element, Path]


def read_document(path: Path, reach: Reach) -> MjcfDocument:
    """A model's files as one tree. Raises ShapeError naming a file that is broken, missing or included twice."""
    document = MjcfDocument(parse_xml(path), [path], {})
    _put_includes(document.root, document, reach, path.parent, 0)
    return document


def _put_includes(element: ElementTree.Element, document: MjcfDocument, reach: Reach, folder: Path, depth: int) -> None:
    if depth > MAX_XML_DEPTH:
        raise ShapeError(f"{reach.plan}: its includes nest over {MAX_XML_DEPTH} levels; simplify the file")
    children = list(element)
    if not any(child.tag == "include" for child in children):
        for child in children:
            document.folders[child] = folder
            _put_includes(child, document, reach, folder, depth + 1)
        return
    for child in children:
        element.remove(child)
    for child in children:
        if child.tag != "include":
            element.append(child)
            document.folders[child] = folder
            _put_includes(child, document, reach, folder, depth + 1)
            continue
        inner, where = _included(child, document, reach, folder)
        _put_includes(inner, document, reach, where, depth + 1)
        element.extend(list(inner))


def _included(
    element: ElementTree.Element, document: MjcfDocument, reach: Reach, folder: Path
) -> tuple[ElementTree.Element, Path]:
    """The root of an included file and its folder: looked for beside the model, then beside the including file."""
    name = element.get("file", "").replace("\\", "/")
    if not name:
        raise ShapeError(f"{reach.plan}: an <include> names no file; give its file attribute or remove it")
    file = reach.file([reach.plan.parent / name, folder / name], name)
    if any(file.resolve() == known.resolve() for known in document.files) or len(document.files) >= MAX_FILES:
        raise ShapeError(f"{reach.plan}: {name} is included twice (or too many files are); include it once")
    if not file.is_file():
        raise ShapeError(f"{reach.plan}: it includes {name}, which is missing; restore that file")
    document.files.append(file)
    return parse_xml(file), file.parent


@dataclass(frozen=True, eq=False)
class MeshAsset:
    """A `<mesh>`: its file or its own vertices, and T_geom_file (4, 4) with scale and reference frame.

    `refused` says why it cannot be placed, else ''.
    """

    T_geom_file: np.ndarray
    file: Path | None = None
    mesh: Mesh | None = None
    refused: str = ""


@dataclass(frozen=True, eq=False)
class Assets:
    """Meshes by name, and the opacity of each material."""

    meshes: dict[str, MeshAsset] = field(default_factory=dict)
    opacity: dict[str, float] = field(default_factory=dict)


def read_assets(document: MjcfDocument, classes: dict[str, DefaultClass], compiler: Compiler, reach: Reach) -> Assets:
    """Every asset of a model. Raises ShapeError on files out of reach, ValueError on values that are not MJCF's."""
    assets = Assets()
    for element in document.root.iterfind("asset/material"):
        attributes = with_class(element, classes, "")
        rgba = numbers(attributes.get("rgba", "1 1 1 1"), 4, "rgba")
        assets.opacity[element.get("name", "")] = float(rgba[3])
    for element in document.root.iterfind("asset/mesh"):
        attributes = with_class(element, classes, "")
        if unknown := sorted(set(element.attrib) - _MESH_ATTRIBUTES):
            raise ValueError(f"<mesh> has no attribute {unknown[0]}")
        file_name = attributes.get("file", "").replace("\\", "/")
        name = attributes.get("name") or Path(file_name).stem
        if not name or name in assets.meshes:
            raise ValueError(f'two meshes are called "{name}"' if name else "a mesh has neither name nor file")
        asset = _mesh_asset(name, element, attributes)
        if file_name and not asset.refused:
            folder = document.folders.get(element, reach.plan.parent)
            asset = MeshAsset(asset.T_geom_file, _mesh_file(file_name, compiler, reach, folder))
        assets.meshes[name] = asset
    return assets


def with_class(element: ElementTree.Element, classes: dict[str, DefaultClass], child_class: str) -> dict[str, str]:
    """An element's attributes with those of its default class. Raises ValueError on a class that is not there."""
    return merged(class_of(element, classes, child_class).settings.get(str(element.tag), {}), present(element))


def class_of(element: ElementTree.Element, classes: dict[str, DefaultClass], child_class: str) -> DefaultClass:
    """The default class of an element: its own, else that of the bodies and frames about it, else main."""
    name = element.get("class") or child_class or MAIN
    if name not in classes:
        raise ValueError(f'there is no default class "{name}"')
    return classes[name]


def _mesh_file(name: str, compiler: Compiler, reach: Reach, folder: Path) -> Path:
    if compiler.strip_path:
        name = name.rsplit("/", 1)[-1]
    below = f"{compiler.mesh_dir}/{name}" if compiler.mesh_dir else name
    # MuJoCo looks beside the model first, then beside the included file that names the mesh.
    return reach.file([reach.plan.parent / below, folder / below], below)


def _mesh_asset(name: str, element: ElementTree.Element, attributes: dict[str, str]) -> MeshAsset:
    T = np.eye(4)
    T[:3, :3] = quaternion(attributes.get("refquat", "1 0 0 0"), "refquat").T
    T[:3, 3] = -T[:3, :3] @ numbers(attributes.get("refpos", "0 0 0"), 3, "refpos")
    T = np.diag([*numbers(attributes.get("scale", "1 1 1"), 3, "scale"), 1.0]) @ T
    refused = ""
    if abs(np.linalg.det(T[:3, :3])) < 1e-30:
        refused = f'mesh "{name}" is scaled to nothing'
    elif "builtin" in attributes:
        refused = f'mesh "{name}" is built in ({attributes["builtin"]}); save it as OBJ'
    elif element.find("plugin") is not None:
        refused = f'mesh "{name}" is made by a plugin; save it as OBJ'
    elif Path(attributes.get("file", "")).suffix.lower() == ".msh":
        refused = f'mesh "{name}" is in MuJoCo\'s own .msh format; write it as OBJ (python -m mujoco.msh2obj)'
    elif "file" not in attributes:
        return MeshAsset(T, mesh=_inline(name, attributes))
    return MeshAsset(T, refused=refused)


def _inline(name: str, attributes: dict[str, str]) -> Mesh:
    """Vertices and faces written into the XML; the convex hull where there are no faces."""
    words = attributes.get("vertex", "")
    coordinates = numbers(words, range(12, 3 * MAX_INLINE_VERTICES + 1), f"vertices of mesh {name}, vertex")
    if len(coordinates) % 3:
        raise ValueError(f'mesh "{name}" has {len(coordinates)} coordinates, no multiple of 3')
    vertices = coordinates.reshape(-1, 3)
    if "face" not in attributes:
        return _hull(name, vertices)
    try:
        faces = np.array([int(word) for word in attributes["face"].split()], dtype=np.int64)
        return Mesh(vertices, faces.reshape(-1, 3))
    except (ValueError, OverflowError, MeshLoadError) as error:
        raise ValueError(f'the faces of mesh "{name}" do not fit its vertices') from error


def _hull(name: str, vertices: np.ndarray) -> Mesh:
    from scipy.spatial import QhullError
    from trimesh.convex import convex_hull

    try:
        hull = convex_hull(vertices)
    except QhullError as error:
        raise ValueError(f'mesh "{name}" has no faces, and its vertices lie in a plane') from error
    return Mesh(hull.vertices, hull.faces)
