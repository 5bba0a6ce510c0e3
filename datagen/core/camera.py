"""Cameras: OpenGL axes (+x right, +y up, looking along -z), pixel i covering [i, i + 1)."""

from dataclasses import dataclass

import numpy as np

from datagen.core.lens import AnyLens, Lens

FOCAL_PX_AT_256 = 355.0
"""Focal length of the published views of single shapes at 256 px; other sizes scale with the image."""
LENS_30_MM_PX_AT_256 = 256 * 30 / 36
"""A 30 mm lens on a 36 mm sensor: the focal length of the published odd-one-out scenes."""
OPENCV_FROM_OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])
"""Camera axes (x right, y up, z back) to (x right, y down, z forward)."""


@dataclass(frozen=True)
class Camera:
    """A perspective camera on a sphere about `target` in the frame inside (z up).

    Azimuth is counter-clockwise seen from above, from +x; angles in degrees, lengths in units of the world.
    """

    azimuth_deg: float
    elevation_deg: float
    radius: float
    size_px: int = 256
    target: tuple[float, float, float] = (0.0, 0.0, 0.0)
    focal_px_at_256: float = FOCAL_PX_AT_256
    lens: AnyLens = Lens()
    """Distortion of its pictures: `K` is what follows it."""

    @property
    def focal_px(self) -> float:
        """Focal length in pixels, scaled with the image size."""
        return self.focal_px_at_256 * self.size_px / 256

    @property
    def K(self) -> np.ndarray:
        """Intrinsics (3, 3): square pixels, principal point at the image centre."""
        f, c = self.focal_px, self.size_px / 2
        return np.array([[f, 0, c], [0, f, c], [0, 0, 1]], dtype=np.float64)

    @property
    def position(self) -> np.ndarray:
        """Camera centre in the world, shape (3,)."""
        az, el = np.radians([self.azimuth_deg, self.elevation_deg])
        offset = [np.cos(el) * np.cos(az), np.cos(el) * np.sin(az), np.sin(el)]
        return np.array(self.target) + self.radius * np.array(offset)

    @property
    def T_world_camera(self) -> np.ndarray:
        """Camera-to-world (4, 4)."""
        z = self.position - np.array(self.target)
        z = z / np.linalg.norm(z)
        x = np.cross([0.0, 0.0, 1.0], z)
        x = x / np.linalg.norm(x)
        T = np.eye(4)
        T[:3, 0], T[:3, 1], T[:3, 2], T[:3, 3] = x, np.cross(z, x), z, self.position
        return T

    @property
    def T_camera_world(self) -> np.ndarray:
        """World-to-camera (4, 4): the inverse of the rigid `T_world_camera`."""
        return rigid_inverse(self.T_world_camera)

    @property
    def extrinsic(self) -> np.ndarray:
        """World to camera (4, 4), OpenCV axes: what `camera.poses[i].rotation` of a published scene holds."""
        return OPENCV_FROM_OPENGL @ self.T_camera_world

    def directions(self, pixels: np.ndarray) -> np.ndarray:
        """Camera-frame directions (N, 3), scaled to z-depth 1, through continuous pixel coordinates (N, 2).

        Raises UsageError for a lens that folds its picture over itself.
        """
        f, c = self.focal_px, self.size_px / 2
        x, y = (pixels[:, 0] - c) / f, (c - pixels[:, 1]) / f
        if not self.lens.is_straight:
            x, y = self.lens.undistort(np.stack([x, -y], axis=1)).T * [[1], [-1]]
        return np.stack([x, y, np.full(len(pixels), -1.0)], axis=1)

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixel coordinates (N, 2) as (column, row), continuous, and z-depth (N,) of world points (N, 3)."""
        T = self.T_camera_world
        p = points @ T[:3, :3].T + T[:3, 3]
        depth = -p[:, 2]
        f, c = self.focal_px, self.size_px / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            if not self.lens.is_straight:
                return c + f * self.lens.distort(np.stack([p[:, 0] / depth, -p[:, 1] / depth], axis=1)), depth
            return np.stack([c + f * p[:, 0] / depth, c - f * p[:, 1] / depth], axis=1), depth


@dataclass(frozen=True)
class PosedCamera(Camera):
    """A camera at a pose of its own: camera-to-world, row-major. What it says of a sphere means nothing."""

    pose: tuple[float, ...] = ()

    @classmethod
    def of(cls, T_camera_world: np.ndarray, focal_px: float, size_px: int) -> "PosedCamera":
        """From an extrinsic (4, 4) in OpenCV axes, as `Camera.extrinsic` gives it."""
        pose = rigid_inverse(OPENCV_FROM_OPENGL @ T_camera_world)
        return cls(0.0, 0.0, 1.0, size_px, focal_px_at_256=focal_px * 256 / size_px, pose=tuple(pose.ravel().tolist()))

    @property
    def T_world_camera(self) -> np.ndarray:
        """Camera-to-world (4, 4)."""
        return np.array(self.pose).reshape(4, 4)

    @property
    def position(self) -> np.ndarray:
        """Camera centre in the world, shape (3,)."""
        return self.T_world_camera[:3, 3]


def rigid_inverse(T: np.ndarray) -> np.ndarray:
    """Inverse of a rigid 4 x 4 transform."""
    inverse = np.eye(4)
    inverse[:3, :3] = T[:3, :3].T
    inverse[:3, 3] = -T[:3, :3].T @ T[:3, 3]
    return inverse


def pose_fault(T: np.ndarray) -> str | None:
    """What is wrong with a 4 x 4 world-to-camera or camera-to-world transform; None for a rigid one."""
    R = T[:3, :3]
    if not np.isfinite(T).all():
        return "not finite"
    if not np.allclose(R @ R.T, np.eye(3), atol=1e-2) or not np.allclose(T[3], [0, 0, 0, 1], atol=1e-6):
        return "no rotation and shift"
    return "mirrored" if np.linalg.det(R) < 0 else None


def is_lens(K: np.ndarray) -> bool:
    """Whether a 3 x 3 matrix can be a lens: finite, with focal lengths above 0."""
    return bool(np.isfinite(K).all() and K[0, 0] > 0 and K[1, 1] > 0)
