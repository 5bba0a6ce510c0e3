"""Joints: which parts of a shape move together, about or along what, how far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation

JointKind = Literal["hinge", "slider"]
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Joint:
    """A hinge or a slider at rest at 0, in the frame of its shape.

    Parts turn about `axis` (unit) through `origin`, right-handed, in radians; or shift along it, in object units.
    """

    name: str
    kind: JointKind
    part_ids: tuple[int, ...]
    origin: Vector
    axis: Vector
    low: float
    high: float

    def motion(self, value: float) -> np.ndarray:
        """What a value of the joint does to its parts: 4 x 4, in the frame of the shape."""
        T, axis, origin = np.eye(4), np.array(self.axis), np.array(self.origin)
        if self.kind == "slider":
            T[:3, 3] = value * axis
            return T
        T[:3, :3] = Rotation.from_rotvec(value * axis).as_matrix()
        T[:3, 3] = origin - T[:3, :3] @ origin
        return T

    def transformed(self, T: np.ndarray) -> "Joint":
        """The same joint under a similarity (4, 4) of its shape; a mirror image turns the other way."""
        scale = float(np.cbrt(abs(np.linalg.det(T[:3, :3]))))
        axis = T[:3, :3] @ np.array(self.axis) / scale
        if self.kind == "hinge" and np.linalg.det(T[:3, :3]) < 0:
            axis = -axis
        reach = scale if self.kind == "slider" else 1.0
        return replace(
            self,
            origin=_vector(T[:3, :3] @ np.array(self.origin) + T[:3, 3]),
            axis=_vector(axis),
            low=self.low * reach,
            high=self.high * reach,
        )


def _vector(values: np.ndarray) -> Vector:
    x, y, z = values.tolist()
    return (x, y, z)


def part_motions(joints: Sequence[Joint], values: Mapping[str, float]) -> dict[int, np.ndarray]:
    """Part id -> motion (4, 4) of the parts that move. A joint that carries others stands before them."""
    found: dict[int, np.ndarray] = {}
    for joint in joints:
        value = values.get(joint.name, 0.0)
        for part_id in joint.part_ids if value else ():
            found[part_id] = found.get(part_id, np.eye(4)) @ joint.motion(value)
    return found


def joints_at(joints: Sequence[Joint], values: Mapping[str, float]) -> tuple[Joint, ...]:
    """The joints where they are when all have these values: their limits count from there."""
    placed = []
    for k, joint in enumerate(joints):
        carrying = [other for other in joints[:k] if set(joint.part_ids) <= set(other.part_ids)]
        T = np.eye(4)
        for other in carrying:
            T = T @ other.motion(values.get(other.name, 0.0))
        moved, value = joint.transformed(T), values.get(joint.name, 0.0)
        placed.append(replace(moved, low=moved.low - value, high=moved.high - value))
    return tuple(placed)
