"""How an object lies: stable poses of its convex hull, and a simulated pose made exact (section A.1)."""

from collections.abc import Sequence

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from datagen.core.shape import Mesh, Shape

SNAP_DEG = 14.0
"""A simulated pose this near a stable facet is turned onto it: rigid bodies keep a small gap and a small tilt."""
SURE = 0.02
"""How far inside a facet the mass centre's foot has to fall for a pose to be sure, as a share of the hull's size."""


def centre_of_mass(meshes: Sequence[Mesh]) -> np.ndarray:
    """Volume centroid (3,) over all parts; parts without a volume count by a thin shell of their surface."""
    total, moment = 0.0, np.zeros(3)
    for mesh in meshes:
        a, b, c = mesh.triangles.transpose(1, 0, 2)
        volumes = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6
        volume = float(volumes.sum())
        shell = 0.01 * mesh.area
        if abs(volume) > shell:
            weight, centre = abs(volume), (volumes @ (a + b + c)) / 4 / volume
        else:
            weight, centre = shell, (mesh.face_areas @ mesh.triangles.mean(axis=1)) / max(mesh.area, 1e-12)
        total, moment = total + weight, moment + weight * centre
    return moment / max(total, 1e-12)


def facets(points: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outward normals (K, 3) of the hull facets that the object can rest on, and how safely (K,).

    Safety is the distance of the mass centre's foot from the facet's border over the hull's size; negative
    ones are left out.
    """
    try:
        hull = ConvexHull(points)
    except QhullError:
        return np.array([[0.0, 0.0, -1.0]]), np.array([0.0])
    equations = np.round(hull.equations, 5)
    _, label = np.unique(equations, axis=0, return_inverse=True)
    label = label.reshape(-1)
    size = float(np.ptp(points, axis=0).max())
    normals, safety = [], []
    for k in np.flatnonzero(_may_carry(points, hull, label, centre, 1e-3 * size)):
        simplices = hull.simplices[label == k]
        normal = hull.equations[label == k][0, :3]
        corners = points[np.unique(simplices)]
        inside = _foot_inside(corners, normal, centre) / size
        if inside > 0:
            normals.append(normal)
            safety.append(inside)
    if not normals:
        return np.array([[0.0, 0.0, -1.0]]), np.array([0.0])
    return np.array(normals), np.array(safety)


def _may_carry(points: np.ndarray, hull: ConvexHull, label: np.ndarray, centre: np.ndarray, slack: float) -> np.ndarray:
    """Facets (K,) bool whose bounding box, `slack` wider, holds the mass centre's foot: on no other it can lie."""
    equation = hull.equations[np.unique(label, return_index=True)[1]]
    normal = equation[:, :3]
    foot = centre - (normal @ centre + equation[:, 3])[:, None] * normal
    corners = points[hull.simplices]
    low, high = np.full(normal.shape, np.inf), np.full(normal.shape, -np.inf)
    np.minimum.at(low, label, corners.min(axis=1))
    np.maximum.at(high, label, corners.max(axis=1))
    held: np.ndarray = ((foot >= low - slack) & (foot <= high + slack)).all(axis=1)
    return held


def _foot_inside(corners: np.ndarray, normal: np.ndarray, centre: np.ndarray) -> float:
    """Signed distance from the mass centre's foot to the border of a convex facet; positive inside."""
    start = np.eye(3)[np.argmin(np.abs(normal))]
    u = np.cross(start, normal)
    u /= np.linalg.norm(u)
    v = np.cross(normal, u)
    flat = np.stack([corners @ u, corners @ v], axis=1)
    foot = np.array([centre @ u, centre @ v])
    middle = flat.mean(axis=0)
    order = np.argsort(np.arctan2(flat[:, 1] - middle[1], flat[:, 0] - middle[0]))
    ring = flat[order]
    edge = np.roll(ring, -1, axis=0) - ring
    length = np.maximum(np.linalg.norm(edge, axis=1), 1e-12)
    cross = edge[:, 0] * (foot[1] - ring[:, 1]) - edge[:, 1] * (foot[0] - ring[:, 0])
    return float((cross / length).min())


def turn_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The least rotation (3, 3) that takes unit vector a to b."""
    cross, dot = np.cross(a, b), float(a @ b)
    if dot < -1 + 1e-9:
        axis = np.cross(a, np.eye(3)[np.argmin(np.abs(a))])
        axis /= np.linalg.norm(axis)
        return 2 * np.outer(axis, axis) - np.eye(3)
    K = np.array([[0, -cross[2], cross[1]], [cross[2], 0, -cross[0]], [-cross[1], cross[0], 0]])
    return np.eye(3) + K + K @ K / (1 + dot)


def all_points(shape: Shape) -> np.ndarray:
    """Every used vertex (V, 3) of a shape."""
    return np.concatenate([part.mesh.vertices[np.unique(part.mesh.faces)] for part in shape.parts])


def stable_rotation(shape: Shape, start: np.ndarray) -> np.ndarray:
    """The stable pose (3, 3) nearest the rotation `start`: where it would lie if let down gently.

    A facet counts as nearer the more safely it carries the object.
    """
    normals, safety = facets(all_points(shape), centre_of_mass([part.mesh for part in shape.parts]))
    down = start.T @ np.array([0.0, 0.0, -1.0])
    angle = np.degrees(np.arccos(np.clip(normals @ down, -1, 1)))
    cost = angle - 60 * np.minimum(safety, 0.2)
    best = normals[int(np.argmin(cost))]
    return turn_between(start @ best, np.array([0.0, 0.0, -1.0])) @ start


def nearest_rest(shape: Shape, start: np.ndarray) -> np.ndarray:
    """The stable pose (3, 3) that takes the least turn from `start`; a shaky one only if there is no other."""
    normals, safety = facets(all_points(shape), centre_of_mass([part.mesh for part in shape.parts]))
    down = down_of(start)
    sure = safety >= SURE if (safety >= SURE).any() else np.ones(len(safety), dtype=bool)
    best = normals[sure][int(np.argmax(normals[sure] @ down))]
    return turn_between(start @ best, np.array([0.0, 0.0, -1.0])) @ start


def down_of(rotation: np.ndarray) -> np.ndarray:
    """The direction (3,) of the shape's frame that points to the floor when it lies by `rotation` (3, 3)."""
    down: np.ndarray = -rotation[2]
    return down


def tilt_between(a: np.ndarray, b: np.ndarray) -> float:
    """Degrees between how two rotations (3, 3) lay a shape down, whatever their turns about the vertical."""
    return float(np.degrees(np.arccos(np.clip(down_of(a) @ down_of(b), -1, 1))))


def laid_like(other: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) nearest `start` under which the direction points down that does so under `other`."""
    return turn_between(start @ down_of(other), np.array([0.0, 0.0, -1.0])) @ start


def snapped(shape: Shape, simulated: np.ndarray) -> np.ndarray:
    """A simulated rotation (3, 3) turned onto the stable facet beneath it, if there is one within 14 degrees."""
    normals, safety = facets(all_points(shape), centre_of_mass([part.mesh for part in shape.parts]))
    down = simulated.T @ np.array([0.0, 0.0, -1.0])
    angle = np.degrees(np.arccos(np.clip(normals @ down, -1, 1)))
    near = np.flatnonzero(angle < SNAP_DEG)
    if len(near) == 0:
        return simulated
    best = near[int(np.argmin(angle[near] - 40 * np.minimum(safety[near], 0.2)))]
    return turn_between(simulated @ normals[best], np.array([0.0, 0.0, -1.0])) @ simulated
