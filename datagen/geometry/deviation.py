"""How far a part lies off its place, and its surface off another: measured on meshes, never told by what moved them."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.core.shape import Mesh
from datagen.geometry.proximity import exact_distances
from datagen.geometry.sample import grid_samples

SAMPLES = 1500
"""Points of a surface whose distance from another is looked at, besides its vertices."""
MOST_VERTICES = 6000
"""Of more vertices as many, evenly spread."""
ALMOST_RIGID = 1e-6
"""A motion leaves vertices no further off than this share of the part's diagonal, or it is none of a rigid body."""


@dataclass(frozen=True, eq=False)
class Motion:
    """A rigid motion of a part: `shift` (3,) of its centre, `turn` (3,) about it as a rotation vector in radians."""

    shift: np.ndarray
    turn: np.ndarray

    @property
    def distance(self) -> float:
        """How far the centre went."""
        return float(np.linalg.norm(self.shift))

    @property
    def angle_deg(self) -> float:
        """The angle of the turn."""
        return float(np.degrees(np.linalg.norm(self.turn)))


def centre_of(mesh: Mesh) -> np.ndarray:
    """The centroid (3,) of a surface: what the place of a part is measured at."""
    weights = mesh.face_areas
    if weights.sum() <= 0:
        return np.asarray(mesh.vertices.mean(axis=0))
    return np.asarray(np.average(mesh.triangles.mean(axis=1), axis=0, weights=weights))


def rigid_motion(before: Mesh, after: Mesh) -> Motion | None:
    """The motion that brings one mesh onto another of the same faces (least squares); None where none does."""
    if len(before.vertices) != len(after.vertices) or not np.array_equal(before.faces, after.faces):
        return None
    used = np.unique(before.faces)
    a, b = before.vertices[used], after.vertices[used]
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    u, _, vt = np.linalg.svd((a - mean_a).T @ (b - mean_b))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(vt.T @ u.T))])
    R = vt.T @ flip @ u.T
    left = np.abs((a - mean_a) @ R.T - (b - mean_b)).max()
    if left > ALMOST_RIGID * max(before.diagonal, 1e-12):
        return None
    centre = centre_of(before)
    shift = R @ (centre - mean_a) + mean_b - centre
    return Motion(shift, Rotation.from_matrix(R).as_rotvec())


def moved_by(mesh: Mesh, motion: Motion) -> Mesh:
    """The mesh under a motion about its own centre."""
    centre, R = centre_of(mesh), Rotation.from_rotvec(motion.turn).as_matrix()
    T = np.eye(4)
    T[:3, :3] = R
    T[:3, 3] = centre + motion.shift - R @ centre
    return mesh.transformed(T)


def furthest(surface: Mesh, other: Mesh) -> float:
    """Largest distance of a point of one surface from another: vertices and samples of the faces."""
    used = np.unique(surface.faces)
    used = used[:: max(1, -(-len(used) // MOST_VERTICES))]
    points = np.concatenate([surface.vertices[used], grid_samples(surface, SAMPLES)])
    return float(exact_distances(other, points).max())


def volume_of(mesh: Mesh) -> float:
    """Volume that a closed surface holds, whichever way its faces are wound."""
    a, b, c = (mesh.triangles - mesh.centre).transpose(1, 0, 2)
    return abs(float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6)
