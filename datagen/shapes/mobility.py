"""PartNet-Mobility's objects: a part tree over textured_objs/*.obj, and a URDF that says how parts move.

Meshes of one object share a frame, y up and front +z as PartNet's. A link's meshes are moved by its joint, and those
of the links that hang on it. semantics.txt names the links; what it says of joints stands in the URDF as well.
"""

import math
import xml.etree.ElementTree as ElementTree
from collections import Counter
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
MOST_TURNS, MOST_SIZES, TOLERANCE = 2.0, 3.0, 1e-6
"""A hinge beyond so many turns, or a slider beyond so many diagonals of its object, is read wrong."""
MOST_LINKS = 100
"""A longer chain is of no object."""
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

    Raises ShapeError naming what in the URDF cannot be read: numbers, links that no joint may have, meshes that are
    not there.
    """
    path = folder / URDF
    if not path.is_file():
        return (), (f"{URDF} missing: nothing is known to move",)
    root = parse_xml(path)
    try:
        _check_links(root, folder / MESHES)
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


def _check_links(root: ElementTree.Element, meshes: Path) -> None:
    """Raises ValueError where links and joints are no forest, or a mesh is not there."""
    links = Counter(link.get("name", "") for link in root.iterfind("link"))
    for stem in (stem for link in root.iterfind("link") for stem in _stems(link)):
        if not (meshes / f"{stem}.obj").is_file():
            raise ValueError(f"it names {MESHES}/{stem}.obj, which is not there")
    above: dict[str, str] = {}
    for joint in root.iterfind("joint"):
        name, parent, child = joint.get("name", ""), _end(joint, "parent"), _end(joint, "child")
        for link in (parent, child):
            if links[link] != 1:
                raise ValueError(f'joint "{name}" names the link "{link}", of which there are {links[link]}')
        if child in above:
            raise ValueError(f'the link "{child}" hangs on two joints')
        above[child] = parent
    for start in above:
        link, seen = start, {start}
        while (link := above.get(link, "")) in above:
            if link in seen:
                raise ValueError(f'its joints make a ring through the link "{link}"')
            seen.add(link)
            if len(seen) > MOST_LINKS:
                raise ValueError(f"more than {MOST_LINKS} links hang on one another")


def _joints(root: ElementTree.Element, words: Mapping[str, str]) -> tuple[tuple[LinkJoint, ...], tuple[str, ...]]:
    stems = {link.get("name", ""): _stems(link) for link in root.iterfind("link")}
    frames = {link.get("name", ""): _mesh_frame(link) for link in root.iterfind("link")}
    children: dict[str, list[ElementTree.Element]] = {}
    for joint in root.iterfind("joint"):
        children.setdefault(_end(joint, "parent"), []).append(joint)
    moved = {_end(joint, "child") for joint in root.iterfind("joint")}
    found: list[LinkJoint] = []
    warnings: list[str] = []

    def carried(link: str) -> frozenset[str]:
        below = (carried(_end(joint, "child")) for joint in children.get(link, ()))
        return frozenset(stems.get(link, ())).union(*below)

    def walk(link: str) -> None:
        for joint in children.get(link, ()):
            child, kind = _end(joint, "child"), joint.get("type", "")
            if kind in KINDS:
                moves = carried(child)
                if frames.get(child) is None or not moves:
                    warnings.append(f"joint without a mesh left out: {joint.get('name', '')}")
                elif kind == "revolute" and joint.find("limit") is None:
                    warnings.append(f"joint taken as fixed, as a hinge has no limit: {joint.get('name', '')}")
                else:
                    found.append(_link_joint(joint, child, words.get(child, ""), moves, frames[child]))
            elif kind != "fixed":
                warnings.append(f"joint of a kind that is not read: {joint.get('name', '')} ({kind})")
            walk(child)

    for link in stems:
        if link not in moved:
            walk(link)
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
    return LinkJoint(name, kind, stems, (x, y, z), (a, b, c), low, high)


def joints_of(
    leaves: Mapping[int, Leaf], joints: tuple[LinkJoint, ...], size: float
) -> tuple[tuple[Joint, ...], tuple[str, ...]]:
    """The joints over part ids; a leaf of which a joint moves some meshes only moves with most of them.

    `size` is the object's diagonal in the frame of the meshes. A joint whose limits cannot be meant is fixed.
    """
    found, warnings = [], []
    for joint in joints:
        ids = []
        for part_id, leaf in leaves.items():
            share = sum(stem in joint.stems for stem in leaf.objs) / max(len(leaf.objs), 1)
            if share > 0.5:
                ids.append(part_id)
            if 0 < share < 1:
                warnings.append(f"part that a joint cuts in two: {leaf.path} ({joint.name})")
        why = _not_meant(joint, size)
        if ids and why:
            warnings.append(f"joint taken as fixed, as {why}: {joint.name} ({joint.low:g} to {joint.high:g})")
        elif ids and joint.high > joint.low:
            found.append(Joint(joint.name, joint.kind, tuple(ids), joint.origin, joint.axis, joint.low, joint.high))
    return tuple(found), tuple(dict.fromkeys(warnings))


def _not_meant(joint: LinkJoint, size: float) -> str:
    """Why a joint's limits cannot be meant; '' where they can."""
    if joint.low > joint.high:
        return "its lower limit is above its upper one"
    if joint.low > TOLERANCE or joint.high < -TOLERANCE:
        return "its meshes lie outside its limits"
    reach = max(abs(joint.low), abs(joint.high))
    if joint.kind == "hinge" and reach > MOST_TURNS * 2 * math.pi:
        return f"a hinge turns more than {MOST_TURNS:g} times"
    if joint.kind == "slider" and reach > MOST_SIZES * size:
        return f"a slider goes further than {MOST_SIZES:g} times the object's size"
    return ""
