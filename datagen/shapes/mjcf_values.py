"""MJCF's values: compiler settings, default classes, and the spellings of a pose."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.shapes.xmlfile import numbers

ORIENTATIONS = ("quat", "axisangle", "euler", "xyaxes", "zaxis")
MAIN = "main"
_TINY = 1e-14


@dataclass(frozen=True)
class Compiler:
    """What `<compiler>` says of angles and file names; all its elements in a model count as one."""

    degrees: bool = True
    eulerseq: str = "xyz"
    mesh_dir: str = ""
    strip_path: bool = False


def read_compiler(root: ElementTree.Element) -> Compiler:
    """The settings of a whole model. Raises ValueError naming a value that is not MuJoCo's."""
    found: dict[str, str] = {}
    for element in root.iterfind("compiler"):
        found |= present(element)
        # `assetdir` stands for `meshdir` where its own element does not say both.
        if "assetdir" in element.attrib and "meshdir" not in element.attrib:
            found["meshdir"] = element.attrib["assetdir"]
    if found.get("coordinate", "local") != "local":
        raise ValueError('coordinate="global" is no longer MuJoCo\'s; save the model by MuJoCo 2.3.3 in local ones')
    sequence = found.get("eulerseq", "xyz")
    if len(sequence) != 3 or set(sequence.lower()) - set("xyz"):
        raise ValueError(f"eulerseq={sequence!r} is no sequence of three axes")
    return Compiler(
        degrees=_choice(found, "angle", ("degree", "radian")) == "degree",
        eulerseq=sequence,
        mesh_dir=found.get("meshdir", "").replace("\\", "/"),
        strip_path=_choice(found, "strippath", ("false", "true")) == "true",
    )


def _choice(found: Mapping[str, str], key: str, allowed: tuple[str, str]) -> str:
    value = found.get(key, allowed[0])
    if value not in allowed:
        raise ValueError(f'{key}="{value}" is neither {allowed[0]} nor {allowed[1]}')
    return value


def present(element: ElementTree.Element) -> dict[str, str]:
    """The attributes of an element that hold something: MuJoCo takes an empty one for none."""
    return {key: value for key, value in element.attrib.items() if value.strip()}


@dataclass(frozen=True)
class DefaultClass:
    """A default class: what it sets by element, its ancestors' settings included; `chain` names it and them."""

    chain: tuple[str, ...]
    settings: Mapping[str, Mapping[str, str]]


def read_defaults(root: ElementTree.Element) -> dict[str, DefaultClass]:
    """Every default class by name; `main` is always there. Raises ValueError on a class that is told twice."""
    classes = {MAIN: DefaultClass((MAIN,), {})}
    for element in root.iterfind("default"):
        if element.get("class", MAIN) not in (MAIN, ""):
            raise ValueError(f'the outermost <default> is called "{element.get("class")}"; MuJoCo calls it main')
        classes[MAIN] = _with_settings(classes[MAIN], element)
        _nested(element, classes[MAIN], classes)
    return classes


def _nested(element: ElementTree.Element, parent: DefaultClass, classes: dict[str, DefaultClass]) -> None:
    for child in element.iterfind("default"):
        name = child.get("class", "")
        if not name or name in classes:
            raise ValueError(f'<default class="{name}"> has no name of its own')
        made = _with_settings(DefaultClass((*parent.chain, name), parent.settings), child)
        classes[name] = made
        _nested(child, made, classes)


def _with_settings(base: DefaultClass, element: ElementTree.Element) -> DefaultClass:
    settings = dict(base.settings)
    own = [child for child in element if child.tag != "default"]
    if len({child.tag for child in own}) != len(own):
        raise ValueError(f'<default class="{base.chain[-1]}"> sets one element twice')
    for child in own:
        settings[str(child.tag)] = merged(settings.get(str(child.tag), {}), present(child))
    return DefaultClass(base.chain, settings)


def merged(inherited: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """An element's attributes over inherited ones; an orientation of its own replaces every inherited one."""
    if sum(key in own for key in ORIENTATIONS) > 1:
        raise ValueError(f"an element has several orientations ({', '.join(k for k in ORIENTATIONS if k in own)})")
    turned = any(key in own for key in ORIENTATIONS)
    return {k: v for k, v in inherited.items() if not (turned and k in ORIENTATIONS)} | dict(own)


def pose(attributes: Mapping[str, str], compiler: Compiler) -> np.ndarray:
    """T_parent_element (4, 4) of `pos` and whichever orientation there is. Raises ValueError naming it."""
    T = np.eye(4)
    T[:3, :3] = rotation(attributes, compiler)
    T[:3, 3] = numbers(attributes.get("pos", "0 0 0"), 3, "pos")
    return T


def rotation(attributes: Mapping[str, str], compiler: Compiler) -> np.ndarray:
    """R_parent_element (3, 3)."""
    unit = np.pi / 180 if compiler.degrees else 1.0
    if "quat" in attributes:
        return quaternion(attributes["quat"], "quat")
    if "axisangle" in attributes:
        *axis, angle = numbers(attributes["axisangle"], 4, "axisangle")
        return Rotation.from_rotvec(_unit(np.array(axis), "axisangle") * angle * unit).as_matrix()
    if "euler" in attributes:
        return euler(numbers(attributes["euler"], 3, "euler") * unit, compiler.eulerseq)
    if "xyaxes" in attributes:
        values = numbers(attributes["xyaxes"], 6, "xyaxes")
        x = _unit(values[:3], "xyaxes")
        y = _unit(values[3:] - (x @ values[3:]) * x, "xyaxes")
        return np.column_stack([x, y, np.cross(x, y)])
    if "zaxis" in attributes:
        return towards(numbers(attributes["zaxis"], 3, "zaxis"), "zaxis")
    return np.eye(3)


def quaternion(text: str, what: str) -> np.ndarray:
    """R (3, 3) of a quaternion written w x y z."""
    w, x, y, z = _unit(numbers(text, 4, what), what)
    return Rotation.from_quat([x, y, z, w]).as_matrix()


def euler(angles_rad: np.ndarray, sequence: str) -> np.ndarray:
    """R (3, 3): small letters turn about the axes turned so far, capital letters about the parent's."""
    R = np.eye(3)
    for axis, angle in zip(sequence, angles_rad, strict=True):
        step = np.eye(3)
        i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis.lower()]
        step[i, i] = step[j, j] = np.cos(angle)
        step[j, i] = np.sin(angle)
        step[i, j] = -step[j, i]
        R = R @ step if axis.islower() else step @ R
    return R


def towards(direction: np.ndarray, what: str) -> np.ndarray:
    """The smallest rotation (3, 3) that takes +z to a direction."""
    z = _unit(direction, what)
    axis = np.array([-z[1], z[0], 0.0])
    sine = float(np.linalg.norm(axis))
    angle = np.arctan2(sine, z[2])
    axis = axis / sine if sine > 1e-10 else np.array([1.0, 0.0, 0.0])
    return Rotation.from_rotvec(axis * angle).as_matrix()


def _unit(vector: np.ndarray, what: str) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    if length < _TINY:
        raise ValueError(f"{what} has an axis of no length")
    return vector / length
