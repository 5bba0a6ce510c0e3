"""PartNet-Mobility's objects: a part tree over textured_objs/*.obj, and a URDF that says how parts move.

Meshes of one object share a frame, y up and front +z as PartNet's. A link's meshes are moved by its joint, and those
of the links that hang on it. semantics.txt names the links; what it says of joints stands in the URDF as well.
"""

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datagen.core.errors import ShapeError
from datagen.core.joint import Joint, JointKind, Vector
from datagen.shapes.mjcf_values import euler
from datagen.shapes.partnet_tree import Leaf
from datagen.shapes.xmlfile import numbers, parse_xml

URDF, SEMANTICS, MESHES = "mobility.urdf", "semantics.txt", "textured_objs"
KINDS: Mapping[str, JointKind] = {"revolute": "hinge", "continuous": "hinge", "prismatic": "slider"}


@dataclass(frozen=True)
class LinkJoint:
    """A joint before parts have ids: the obj stems that it moves, in the frame of the meshes."""

    name: str
    kind: JointKind
    stems: frozenset[str]
    origin: Vector
    axis: Vector
    low: float
    high: float


def read_joints(folder: Path) -> tuple[tuple[LinkJoint, ...], tuple[str, ...]]:
    """The joints of an object, those that carry others first, and warnings; none without a URDF.

    Raises ShapeError naming what in the URDF cannot be read.
    """
    path = folder / URDF
    if not path.is_file():
        return (), (f"{URDF} missing: nothing is known to move",)
    root = parse_xml(path)
    try:
        return _joints(root, _link_names(folder))
    except ValueError as error:
        raise ShapeError(f"{path}: {error}; fetch the object again") from error


def _link_names(folder: Path) -> Mapping[str, str]:
    """Link -> the word that semantics.txt has for it (`link_0 hinge door`); {} where the file is missing."""
    path = folder / SEMANTICS
    try:
        rows = (line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    except OSError:
        return {}
    return {row[0]: row[2] for row in rows if len(row) >= 3}


def _joints(root: ElementTree.Element, words: Mapping[str, str]) -> tuple[tuple[LinkJoint, ...], tuple[str, ...]]:
    stems = {link.get("name", ""): _stems(link) for link in root.iterfind("link")}
    frames = {link.get("name", ""): _mesh_frame(link) for link in root.iterfind("link")}
    children: dict[str, list[ElementTree.Element]] = {}
    for joint in root.iterfind("joint"):
        children.setdefault(_end(joint, "parent"), []).append(joint)
    moved = {_end(joint, "child") for joint in root.iterfind("joint")}
    found: list[LinkJoint] = []
    warnings: list[str] = []

    def carried(link: str, seen: tuple[str, ...]) -> frozenset[str]:
        if link in seen:
            raise ValueError("its joints make a ring")
        below = (carried(_end(joint, "child"), (*seen, link)) for joint in children.get(link, ()))
        return frozenset(stems.get(link, ())).union(*below)

    def walk(link: str, seen: tuple[str, ...]) -> None:
        for joint in children.get(link, ()):
            child, kind = _end(joint, "child"), joint.get("type", "")
            if kind in KINDS:
                moves = carried(child, seen)
                if frames.get(child) is not None and moves:
                    found.append(_link_joint(joint, child, words.get(child, ""), moves, frames[child]))
                else:
                    warnings.append(f"joint without a mesh left out: {joint.get('name', '')}")
            elif kind != "fixed":
                warnings.append(f"joint of a kind that is not read: {joint.get('name', '')} ({kind})")
            walk(child, (*seen, link))

    for link in stems:
        if link not in moved:
            walk(link, ())
    return tuple(found), tuple(warnings)


def _end(joint: ElementTree.Element, tag: str) -> str:
    element = joint.find(tag)
    return "" if element is None else element.get("link", "")


def _stems(link: ElementTree.Element) -> tuple[str, ...]:
    files = (mesh.get("filename", "") for mesh in link.iterfind("visual/geometry/mesh"))
    return tuple(Path(name).stem for name in files if name)


def _mesh_frame(link: ElementTree.Element) -> np.ndarray | None:
    """T_link_mesh (4, 4) of the first mesh of a link: where the meshes' common frame lies in the link's."""
    for visual in link.iterfind("visual"):
        if visual.find("geometry/mesh") is not None:
            return _origin(visual)
    return None


def _origin(element: ElementTree.Element) -> np.ndarray:
    T, origin = np.eye(4), element.find("origin")
    if origin is not None:
        T[:3, 3] = numbers(origin.get("xyz", "0 0 0"), 3, "xyz")
        T[:3, :3] = euler(numbers(origin.get("rpy", "0 0 0"), 3, "rpy"), "XYZ")
    return T


def _link_joint(
    joint: ElementTree.Element, child: str, word: str, stems: frozenset[str], T_link_mesh: np.ndarray | None
) -> LinkJoint:
    assert T_link_mesh is not None
    T_mesh_link = np.linalg.inv(T_link_mesh)
    axis, limit = joint.find("axis"), joint.find("limit")
    along = numbers("1 0 0" if axis is None else axis.get("xyz", "1 0 0"), 3, "axis")
    if np.linalg.norm(along) < 1e-9:
        raise ValueError(f'the axis of joint "{joint.get("name", "")}" has no length')
    turned = T_mesh_link[:3, :3] @ (along / np.linalg.norm(along))
    kind = KINDS[joint.get("type", "")]
    low, high = -math.pi, math.pi
    if limit is not None and joint.get("type") != "continuous":
        low, high = (float(numbers(limit.get(key, "0"), 1, key)[0]) for key in ("lower", "upper"))
    elif kind == "slider":
        raise ValueError(f'joint "{joint.get("name", "")}" slides without a limit')
    name = f"{child} {word}".strip()
    x, y, z = T_mesh_link[:3, 3].tolist()
    a, b, c = turned.tolist()
    return LinkJoint(name, kind, stems, (x, y, z), (a, b, c), min(low, high), max(low, high))


def joints_of(leaves: Mapping[int, Leaf], joints: tuple[LinkJoint, ...]) -> tuple[tuple[Joint, ...], tuple[str, ...]]:
    """The joints over part ids; a leaf of which a joint moves some meshes only moves with most of them."""
    found, warnings = [], []
    for joint in joints:
        ids = []
        for part_id, leaf in leaves.items():
            share = sum(stem in joint.stems for stem in leaf.objs) / max(len(leaf.objs), 1)
            if share > 0.5:
                ids.append(part_id)
            if 0 < share < 1:
                warnings.append(f"part that a joint cuts in two: {leaf.path} ({joint.name})")
        if ids and joint.high > joint.low:
            found.append(Joint(joint.name, joint.kind, tuple(ids), joint.origin, joint.axis, joint.low, joint.high))
    return tuple(found), tuple(dict.fromkeys(warnings))
