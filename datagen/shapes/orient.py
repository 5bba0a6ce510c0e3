"""Standing shapes upright and turning their front to -Y."""

from collections.abc import Sequence

import numpy as np

from datagen.core.shape import T_INSIDE_FROM_PUBLISHED, Mesh, Part
from datagen.recipe.part_rules import Front, Upright

_T_FROM_X_UP = np.array([[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]], dtype=np.float64)


def T_up(up: str) -> np.ndarray:
    """Rotation (4, 4) that brings the axis `up` ('x' | 'y' | 'z') to +Z; y up carries front +z to -Y."""
    return {"z": np.eye(4), "y": T_INSIDE_FROM_PUBLISHED, "x": _T_FROM_X_UP}[up]


def up_from_parts(classes: Sequence[tuple[str, np.ndarray]], rule: Upright | None) -> str:
    """'x' | 'y' | 'z' when named parts (seats) lie clearly above others (legs) along one axis, else ''.

    `classes` holds (class by name, box centre (3,)); the category's rule says which are above which.
    """
    if rule is None:
        return ""
    upper = [centre for label, centre in classes if label == rule.above]
    lower = [centre for label, centre in classes if label == rule.below]
    if not upper or len(lower) < 2:
        return ""
    rise = np.mean(upper, axis=0) - np.mean(lower, axis=0)
    order = np.argsort(-np.abs(rise))
    clear = rise[order[0]] > 0 and abs(rise[order[0]]) > 1.5 * abs(rise[order[1]])
    return "xyz"[order[0]] if clear else ""


def T_front(parts: Sequence[Part], up: str, front: str, rule: Front | None) -> np.ndarray:
    """Rotation (4, 4) about +Z, a multiple of 90 degrees, that turns the front to -Y.

    A given `front` ('+x' .. '-z', in the source's frame) decides; else, by the category's rule, the backs' side of
    the seat (or the upper side of a moulded shell) when it is clearly off the middle; else nothing turns.
    """
    if front:
        axis = np.zeros(3)
        axis["xyz".index(front[1])] = 1.0 if front[0] == "+" else -1.0
        return _turn(-(T_up(up)[:3, :3] @ axis))
    if rule is None:
        return np.eye(4)
    backs = [part.mesh for part in parts if part.part_class in rule.back]
    middles = [part.mesh for part in parts if part.part_class == rule.middle]
    if not middles:
        return np.eye(4)
    middle = np.average([mesh.centre for mesh in middles], axis=0, weights=[mesh.area for mesh in middles])
    if backs:
        away = np.average([mesh.centre for mesh in backs], axis=0, weights=[mesh.area for mesh in backs]) - middle
    else:
        away = _upper_side(max(middles, key=lambda mesh: mesh.area))
    clear = np.abs(away[:2]).max() > 0.1 * max(mesh.diagonal for mesh in middles)
    return _turn(away) if clear else np.eye(4)


def _upper_side(mesh: Mesh) -> np.ndarray:
    """Where the upper third of a moulded shell lies from its middle (its back); zero for a flat seat."""
    if mesh.extents[2] < 0.4 * max(mesh.extents[:2]):
        return np.zeros(3)
    centres = mesh.triangles.mean(axis=1)
    upper = centres[:, 2] > mesh.bounds[1, 2] - mesh.extents[2] / 3
    if mesh.face_areas[upper].sum() <= 0:
        return np.zeros(3)
    return np.average(centres[upper], axis=0, weights=mesh.face_areas[upper]) - mesh.centre


def _turn(back: np.ndarray) -> np.ndarray:
    """The quarter turns about +Z that bring `back`'s main horizontal direction to +Y."""
    x, y = back[:2]
    if abs(x) < 1e-9 and abs(y) < 1e-9:
        return np.eye(4)
    c, s = (np.sign(y), 0.0) if abs(y) >= abs(x) else (0.0, np.sign(x))
    T = np.eye(4)
    T[:2, :2] = [[c, -s], [s, c]]
    return T
