"""Lamps as bright surfaces: triangles in the world, and how bright they are, for whatever renders them."""

from functools import lru_cache

import numpy as np

from datagen.core.lamp import Backlight, Bar, Bulb, Dome, Lamp, Ring
from datagen.core.scene import View
from datagen.core.shape import Mesh

ABOVE_GROUND = 1e-3
"""A plate lies so far below the foot: above the ground, which lies twice as far below."""


def surface(lamp: Lamp, steps: int = 96) -> Mesh:
    """The lamp's surface in its own frame, its faces' normals on the bright side; `steps` of a full circle."""
    match lamp:
        case Ring():
            return _band(lamp, steps)
        case Bar():
            return _rectangle(lamp.length, lamp.width).transformed(_facing(np.array(lamp.position), np.array(lamp.aim)))
        case Backlight():
            height = -ABOVE_GROUND if lamp.behind is None else -lamp.behind
            return _shifted(_rectangle(*lamp.size), (0.0, 0.0, height))
        case Dome():
            ball = _ball(lamp.radius, steps, half=True)
            return Mesh(ball.vertices, ball.faces[:, ::-1])
        case Bulb():
            return _shifted(_ball(lamp.radius, max(8, steps // 6)), lamp.position)


def radiance(lamp: Lamp, irradiance: float, white: float) -> float:
    """Of its surface: a lamp of strength 1 gives `irradiance` to what faces it, a plate of strength 1 is `white`."""
    match lamp:
        case Ring():
            area = 2 * np.pi * lamp.radius * lamp.width
            return float(lamp.strength * irradiance * (lamp.radius**2 + lamp.height**2) / area)
        case Bar():
            far = float(np.sum(np.subtract(lamp.position, lamp.aim) ** 2))
            return lamp.strength * irradiance * far / (lamp.length * lamp.width)
        case Dome():
            return float(lamp.strength * irradiance / np.pi)
        case Backlight():
            return lamp.strength * white
        case Bulb():
            far = max(float(np.sum(np.square(lamp.position))), lamp.radius**2)
            return float(lamp.strength * irradiance * far / (np.pi * lamp.radius**2))


def frame_of(lamp: Lamp, view: View, ground_z: float) -> np.ndarray:
    """The lamp's frame to the world (4, 4) as it stands for a view."""
    if _goes_with_camera(lamp):
        T = view.camera.T_world_camera.copy()
        T[:3, 3] = 0.0
        return T
    c, s = np.cos(np.radians(view.turn_deg)), np.sin(np.radians(view.turn_deg))
    T = np.eye(4)
    T[:2, :2] = [[c, -s], [s, c]]
    T[2, 3] = ground_z
    return T


def plate_mask(plate: Backlight, view: View, ground_z: float, samples: int = 2) -> np.ndarray:
    """How much of each pixel (H, W), 0 to 1, shows a backlight's plate where nothing is before it."""
    size = view.camera.size_px
    fine = (np.arange(size * samples) + 0.5) / samples
    pixels = np.stack(np.meshgrid(fine, fine), axis=-1).reshape(-1, 2)
    T = frame_of(plate, view, ground_z)
    rays = view.camera.directions(pixels) @ view.camera.T_world_camera[:3, :3].T @ T[:3, :3]
    eye = T[:3, :3].T @ (view.camera.position - T[:3, 3])
    height = 0.0 if plate.behind is None else -plate.behind
    with np.errstate(divide="ignore", invalid="ignore"):
        far = (height - eye[2]) / rays[:, 2]
        at = eye[:2] + far[:, None] * rays[:, :2]
        met = (far > 0) & (np.abs(at) <= np.array(plate.size) / 2).all(axis=1)
    shares: np.ndarray = met.reshape(size, samples, size, samples).mean(axis=(1, 3))
    return shares


def _goes_with_camera(lamp: Lamp) -> bool:
    match lamp:
        case Ring():
            return lamp.about == "camera"
        case Backlight():
            return lamp.behind is not None
    return False


def _band(ring: Ring, steps: int) -> Mesh:
    """A strip of the cone whose normals meet in the origin."""
    far = np.hypot(ring.radius, ring.height)
    across = np.array([ring.height, -ring.radius]) / far * ring.width / 2
    inner, outer = np.array([ring.radius, ring.height]) - across, np.array([ring.radius, ring.height]) + across
    turns = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    around = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    vertices = np.concatenate([np.c_[around * r, np.full(steps, z)] for r, z in (inner, outer)])
    k = np.arange(steps)
    n = (k + 1) % steps
    faces = np.concatenate([np.c_[k, n, steps + n], np.c_[k, steps + n, steps + k]])
    return Mesh(vertices, faces)


def _rectangle(length: float, width: float) -> Mesh:
    """About the origin, its normal up."""
    x, y = length / 2, width / 2
    return Mesh(np.array([(-x, -y, 0), (x, -y, 0), (x, y, 0), (-x, y, 0.0)]), np.array([(0, 1, 2), (0, 2, 3)]))


@lru_cache(maxsize=16)
def _unit_ball(steps: int, half: bool) -> Mesh:
    rows = steps // 4 if half else steps // 2
    polar = np.linspace(0, np.pi / 2 if half else np.pi, rows + 1)
    turns = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    ring = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    vertices = np.concatenate([np.c_[np.sin(p) * ring, np.full(steps, np.cos(p))] for p in polar])
    faces = []
    for row in range(rows):
        k = np.arange(steps)
        n = (k + 1) % steps
        a, b = row * steps, (row + 1) * steps
        faces += [np.c_[a + k, b + k, b + n], np.c_[a + k, b + n, a + n]]
    found = Mesh(vertices, np.concatenate(faces))
    size = np.linalg.norm(np.cross(*np.diff(found.triangles, axis=1).transpose(1, 0, 2)), axis=1)
    return Mesh(found.vertices, found.faces[size > 1e-9])


def _ball(radius: float, steps: int, half: bool = False) -> Mesh:
    """Normals outwards; the upper half alone."""
    ball = _unit_ball(steps, half)
    return Mesh(ball.vertices * radius, ball.faces)


def _shifted(mesh: Mesh, by: tuple[float, float, float]) -> Mesh:
    return Mesh(mesh.vertices + np.array(by), mesh.faces)


def _facing(position: np.ndarray, aim: np.ndarray) -> np.ndarray:
    """From a rectangle's frame (x along, z ahead) to where it stands and faces (4, 4); x is level."""
    z = (aim - position) / np.linalg.norm(aim - position)
    x = np.cross([0.0, 0.0, 1.0], z)
    x = np.array([1.0, 0.0, 0.0]) if np.linalg.norm(x) < 1e-9 else x / np.linalg.norm(x)
    T = np.eye(4)
    T[:3, 0], T[:3, 1], T[:3, 2], T[:3, 3] = x, np.cross(z, x), z, position
    return T
