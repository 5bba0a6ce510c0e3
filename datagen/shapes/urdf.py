"""URDF as a placing plan: the visual geometry of every link with all joints at zero (z up)."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from urllib.parse import unquote

import numpy as np

from datagen.core.errors import ShapeError
from datagen.core.shape import Mesh
from datagen.shapes.mjcf_values import euler
from datagen.shapes.placing import Placement, PlacingPlan, Reach, distinct
from datagen.shapes.primitives import primitive
from datagen.shapes.xmlfile import numbers, parse_xml

EXPAND = "expand it first: xacro model.urdf.xacro > model.urdf"


def read_urdf(path: Path, collection: Path | None = None) -> PlacingPlan:
    """Visual geometry of a URDF in the frame of its root link. Raises ShapeError naming what cannot be read."""
    root = parse_xml(path)
    if root.tag.startswith("{"):
        raise ShapeError(f"{path}: its root has an XML namespace ({root.tag}), which is not read; take xmlns out")
    if root.tag != "robot":
        raise ShapeError(f"{path}: its root is <{root.tag}>, not <robot>; give a URDF")
    if path.suffix.lower() == ".xacro" or any("xacro" in str(element.tag) for element in root.iter()):
        raise ShapeError(f"{path}: it is written in xacro; {EXPAND}")
    reach = Reach(path, collection)
    try:
        T_links = _link_frames(root)
        links = [link for link in root.iterfind("link")]
        placements = [
            _visual(visual, T_links[link.get("name", "")], index, link.get("name", ""), reach)
            for index, link in enumerate(links)
            for visual in link.iterfind("visual")
        ]
        named = [
            _file(mesh.get("filename", ""), reach)
            for mesh in root.iterfind("link/collision/geometry/mesh")
            if mesh.get("filename")
        ]
    except ValueError as error:
        raise ShapeError(f"{path}: {error}; mend the file") from error
    named += [p.file for p in placements if p.file is not None]
    return PlacingPlan(path, distinct(placements, path), (path,), tuple(dict.fromkeys(named)))


def _link_frames(root: ElementTree.Element) -> dict[str, np.ndarray]:
    """T_root_link (4, 4) of every link at zero configuration. Raises ValueError where the links make no tree."""
    names = [link.get("name", "") for link in root.iterfind("link")]
    if len(set(names)) != len(names) or "" in names:
        raise ValueError("its links do not have a name each")
    parents: dict[str, tuple[str, np.ndarray]] = {}
    for joint in root.iterfind("joint"):
        parent, child = (_named(joint, tag) for tag in ("parent", "child"))
        if parent not in names or child not in names or child in parents:
            raise ValueError(f'joint "{joint.get("name", "")}" joins {parent!r} and {child!r}, which makes no tree')
        parents[child] = (parent, _origin(joint))
    roots = [name for name in names if name not in parents]
    if len(roots) != 1:
        raise ValueError(f"{len(roots)} links ({', '.join(roots[:4])}) hang on no joint; a URDF has one such root")
    frames = {roots[0]: np.eye(4)}
    children: dict[str, list[str]] = {}
    for child, (parent, _) in parents.items():
        children.setdefault(parent, []).append(child)
    waiting = [roots[0]]
    while waiting:
        parent = waiting.pop()
        for child in children.get(parent, []):
            frames[child] = frames[parent] @ parents[child][1]
            waiting.append(child)
    if len(frames) != len(names):
        raise ValueError("its joints make a ring")
    return frames


def _named(joint: ElementTree.Element, tag: str) -> str:
    element = joint.find(tag)
    return "" if element is None else element.get("link", "")


def _origin(element: ElementTree.Element) -> np.ndarray:
    """T_parent_element (4, 4): xyz in metres, rpy in radians about the parent's axes."""
    T = np.eye(4)
    origin = element.find("origin")
    if origin is not None:
        T[:3, 3] = numbers(origin.get("xyz", "0 0 0"), 3, "xyz")
        T[:3, :3] = euler(numbers(origin.get("rpy", "0 0 0"), 3, "rpy"), "XYZ")
    return T


def _visual(visual: ElementTree.Element, T_link: np.ndarray, index: int, link: str, reach: Reach) -> Placement:
    T = T_link @ _origin(visual)
    geometry = visual.find("geometry")
    shape = next(iter(geometry), None) if geometry is not None else None
    if shape is None:
        raise ValueError(f'a <visual> of link "{link}" has no geometry')
    if (geometry is not None and len(geometry) > 1) or len(visual.findall("geometry")) > 1:
        raise ValueError(f'a <visual> of link "{link}" has several geometries; give each a <visual> of its own')
    if len(visual.findall("origin")) > 1:
        raise ValueError(f'a <visual> of link "{link}" has several origins')
    name = visual.get("name", "")
    if shape.tag != "mesh":
        label = name or (link if link else str(shape.tag))
        return Placement(label, f"{label} {link}", T, None, _primitive(shape, link), index)
    scale = numbers(shape.get("scale", "1 1 1"), range(1, 4), "scale")
    if len(scale) == 2 or (scale == 0).any():
        raise ValueError(f'scale="{shape.get("scale")}" of link "{link}" is no scale of three axes')
    scale = np.repeat(scale, 3) if len(scale) == 1 else scale
    file = _file(shape.get("filename", ""), reach)
    return Placement(file.stem, f"{file.stem} {name} {link}", T @ np.diag([*scale, 1.0]), file, None, index)


def _primitive(shape: ElementTree.Element, link: str) -> Mesh:
    kind = str(shape.tag)
    if kind == "box":
        return primitive("box", numbers(shape.get("size", ""), 3, "size") / 2)
    if kind not in ("sphere", "cylinder", "capsule"):
        raise ValueError(f'<{kind}> of link "{link}" is no geometry of URDF')
    radius = numbers(shape.get("radius", ""), 1, "radius")
    if kind == "sphere":
        return primitive(kind, radius)
    return primitive(kind, np.array([*radius, *(numbers(shape.get("length", ""), 1, "length") / 2)]))


def _file(said: str, reach: Reach) -> Path:
    """The file that a `filename` means: a path beside the URDF, package://, model:// or file://."""
    name = said.strip().replace("\\", "/")
    if not name or "$(" in name or "${" in name:
        raise ValueError(f"filename={said!r} is no file; {EXPAND}")
    scheme, mark, rest = name.partition("://")
    folder = reach.plan.parent
    if not mark:
        return reach.file([folder / name], said)
    if scheme not in ("package", "model", "file"):
        raise ValueError(f"filename={said!r} is not a file of the folder; fetch it and name it by its path")
    rest = unquote(rest)
    if scheme == "file":
        return reach.file([folder / rest], said)
    package, _, below = rest.partition("/")
    top = reach.collection or folder
    above = [folder, *(p for p in folder.parents if p.is_relative_to(top))]
    own = [p / below for p in above if p.name == package]
    return reach.file([*own, *(p / rest for p in above), *(p / below for p in above)], said)
