"""MuJoCo XML as a placing plan: which mesh file stands where (z up). Nothing else of MJCF is read."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.core.errors import ShapeError

MAX_XML_BYTES = 20_000_000


@dataclass(frozen=True)
class Placement:
    """One visual mesh geom: its names, its file, and T_world_mesh (4, 4) with the mesh scale included."""

    name: str
    hints: str
    file: Path
    T_world_mesh: np.ndarray


def find_xml(folder: Path) -> Path | None:
    """The MJCF that places the parts of a folder: inside it, else beside it under the folder's name."""
    inside = sorted(folder.glob("*.xml"), key=lambda path: (path.stem != folder.name, path.name))
    for path in (*inside, folder.parent / f"{folder.name}.xml"):
        if path.is_file() and b"<mujoco" in path.read_bytes()[:4096]:
            return path
    return None


def read_placements(path: Path) -> tuple[Placement, ...]:
    """Visual mesh geoms of an MJCF file in document order, in its world frame (z up).

    Collision geoms (by name, class, group >= 3 or alpha 0) and plain primitives are left out. Raises
    ShapeError naming the file when it is broken or points outside its own folder.
    """
    root = _parse(path)
    compiler = root.find("compiler")
    settings = compiler.attrib if compiler is not None else {}
    radians = settings.get("angle", "degree") == "radian"
    meshes = _mesh_assets(root, path, settings.get("meshdir", ""))
    world = root.find("worldbody")
    if world is None:
        raise ShapeError(f"{path}: there is no worldbody that could place the parts")
    try:
        found = list(_walk(world, np.eye(4), meshes, radians, ""))
    except ValueError as error:
        raise ShapeError(f"{path}: {error}; mend the pose in the file") from error
    unique: dict[tuple[str, bytes], Placement] = {}
    for placement in found:
        unique.setdefault((str(placement.file), np.round(placement.T_world_mesh, 9).tobytes()), placement)
    return tuple(unique.values())


def _parse(path: Path) -> ElementTree.Element:
    data = path.read_bytes()
    if len(data) > MAX_XML_BYTES or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ShapeError(f"{path}: too large or with a document type; only plain MJCF is read")
    try:
        return ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise ShapeError(f"{path}: broken XML ({error}); mend or remove it") from error


def _mesh_assets(root: ElementTree.Element, path: Path, mesh_dir: str) -> dict[str, tuple[Path, np.ndarray]]:
    """Mesh name -> (file, scale (3,)). Raises ShapeError where a file would lie outside the XML's folder."""
    base = path.parent.resolve()
    assets = {}
    for mesh in root.iterfind("asset/mesh"):
        name = mesh.get("file", "")
        file = (base / mesh_dir / name).resolve()
        if not name or not file.is_relative_to(base):
            raise ShapeError(f"{path}: mesh file {name!r} lies outside the folder; move it beside the XML")
        assets[mesh.get("name", Path(name).stem)] = (file, _numbers(mesh.get("scale", "1 1 1"), 3))
    return assets


def _walk(
    node: ElementTree.Element,
    T: np.ndarray,
    meshes: dict[str, tuple[Path, np.ndarray]],
    radians: bool,
    body: str,
) -> Iterator[Placement]:
    for child in node:
        if child.tag == "body":
            yield from _walk(child, T @ _pose(child, radians), meshes, radians, child.get("name", body))
        elif child.tag == "geom" and child.get("mesh") in meshes and _is_visual(child):
            key = child.get("mesh", "")
            file, scale = meshes[key]
            names = (file.stem, key, child.get("name", ""), body)
            yield Placement(key, " ".join(names), file, T @ _pose(child, radians) @ np.diag([*scale, 1.0]))


def _is_visual(geom: ElementTree.Element) -> bool:
    label = f"{geom.get('name', '')} {geom.get('class', '')}".lower()
    rgba = geom.get("rgba")
    invisible = rgba is not None and _numbers(rgba, 4)[3] == 0
    return not ("collision" in label or "noviz" in label or invisible or int(geom.get("group", "0")) >= 3)


def _pose(node: ElementTree.Element, radians: bool) -> np.ndarray:
    """T_parent_node (4, 4) from pos and quat (w x y z), euler (intrinsic xyz) or axisangle."""
    T = np.eye(4)
    T[:3, 3] = _numbers(node.get("pos", "0 0 0"), 3)
    if quat := node.get("quat"):
        w, x, y, z = _numbers(quat, 4)
        T[:3, :3] = Rotation.from_quat([x, y, z, w]).as_matrix()
    elif euler := node.get("euler"):
        T[:3, :3] = Rotation.from_euler("XYZ", _numbers(euler, 3), degrees=not radians).as_matrix()
    elif axis_angle := node.get("axisangle"):
        x, y, z, angle = _numbers(axis_angle, 4)
        axis = np.array([x, y, z]) / np.linalg.norm([x, y, z])
        T[:3, :3] = Rotation.from_rotvec(axis * (angle if radians else np.radians(angle))).as_matrix()
    return T


def _numbers(text: str, count: int) -> np.ndarray:
    values = np.array([float(word) for word in text.split()])
    if values.shape != (count,) or not np.isfinite(values).all():
        raise ValueError(f"{text!r} is not {count} finite numbers")
    return values
