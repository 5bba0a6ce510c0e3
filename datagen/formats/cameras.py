"""Cameras of the published chairs: K, RT and RT_ in JSON; y up, front +z, OpenGL axes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from datagen.core.camera import Camera, rigid_inverse
from datagen.core.shape import T_PUBLISHED_FROM_INSIDE


def published_pose(camera: Camera) -> np.ndarray:
    """Camera-to-world (4, 4) in the published frame."""
    return T_PUBLISHED_FROM_INSIDE @ camera.T_world_camera


def camera_json(camera: Camera) -> dict[str, Any]:
    """K (3, 3), RT world-to-camera and RT_ camera-to-world (4, 4), row-major nested lists."""
    RT_ = published_pose(camera)
    return {"K": camera.K.tolist(), "RT": rigid_inverse(RT_).tolist(), "RT_": RT_.tolist()}


@dataclass(frozen=True, eq=False)
class PublishedCamera:
    """K (3, 3), RT world-to-camera and RT_ camera-to-world (4, 4); y up, OpenGL axes."""

    K: np.ndarray
    RT: np.ndarray
    RT_: np.ndarray

    @property
    def position(self) -> np.ndarray:
        """Camera centre (3,)."""
        centre: np.ndarray = self.RT_[:3, 3]
        return centre

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Continuous (row, column) (N, 2) and z-depth (N,) of world points (N, 3)."""
        p = points @ self.RT[:3, :3].T + self.RT[:3, 3]
        depth = -p[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            row = self.K[1, 2] - self.K[1, 1] * p[:, 1] / depth
            column = self.K[0, 2] + self.K[0, 0] * p[:, 0] / depth
        return np.stack([row, column], axis=1), depth


def read_camera(value: Mapping[str, Any] | None) -> PublishedCamera | None:
    """A camera from `K`, `RT`, `RT_`; None where they are absent or no finite matrices of the right shape."""
    if not isinstance(value, Mapping):
        return None
    matrices = []
    for key, shape in (("K", (3, 3)), ("RT", (4, 4)), ("RT_", (4, 4))):
        try:
            matrix = np.array(value[key], dtype=np.float64)
        except (KeyError, TypeError, ValueError):
            return None
        if matrix.shape != shape or not np.isfinite(matrix).all():
            return None
        matrices.append(matrix)
    return PublishedCamera(*matrices)


def position_of(radius: float, azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    """r (cos el cos az, sin el, cos el sin az): the published camera formula, about the world origin."""
    az, el = np.radians([azimuth_deg, elevation_deg])
    centre: np.ndarray = radius * np.array([np.cos(el) * np.cos(az), np.sin(el), np.cos(el) * np.sin(az)])
    return centre
