"""Cameras of a station, and what of a part they can see: pixels per millimetre, and the smallest defect."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from datagen.core.camera import OPENCV_FROM_OPENGL, Camera
from datagen.core.errors import UsageError
from datagen.core.lens import AnyLens, CutoutLens, Lens
from datagen.core.shape import Mesh, Shape
from datagen.geometry.rays import RayScene
from datagen.recipe.station import CameraRecipe, OpticsRecipe, StationRecipe

GRID_RAYS = 40_000
"""Rays a camera is asked with, evenly spread over its picture."""
FEW_RAYS = 2_500
"""Of them where no more is asked than whether it sees the part at all."""
STEP_MM = 1e-3
"""A step along a surface that is so small that a lens is straight over it."""
STEEPEST_DEG = 89.9
"""Views from straight above have no azimuth: they are taken from this far up."""
GOLDEN_DEG = 180 * (3 - 5**0.5)


@dataclass(frozen=True, eq=False)
class StationCamera:
    """A camera in a world of millimetres: K (3, 3), world to camera (4, 4) in OpenCV axes, (width, height), a lens."""

    name: str
    K: np.ndarray
    T_camera_world: np.ndarray
    size_px: tuple[int, int]
    lens: Lens = Lens()

    @property
    def position(self) -> np.ndarray:
        """Where it stands, (3,)."""
        R, t = self.T_camera_world[:3, :3], self.T_camera_world[:3, 3]
        return -R.T @ t

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (N, 2) as (column, row), pixel i covering i to i + 1, and depth (N,) in mm of world points (N, 3)."""
        p = points @ self.T_camera_world[:3, :3].T + self.T_camera_world[:3, 3]
        with np.errstate(divide="ignore", invalid="ignore"):
            seen = self.lens.distort(p[:, :2] / p[:, 2:])
        return seen * self.K[[0, 1], [0, 1]] + self.K[:2, 2], p[:, 2]

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Unit directions (N, 3) in the world of pixels (N, 2). Raises UsageError as `Lens.undistort`."""
        flat = self.lens.undistort((pixels - self.K[:2, 2]) / self.K[[0, 1], [0, 1]])
        ahead = np.c_[flat, np.ones(len(flat))]
        ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
        found: np.ndarray = ahead @ self.T_camera_world[:3, :3]
        return found


@dataclass(frozen=True)
class Seen:
    """What one camera sees of a part.

    `px_per_mm` are the least, the median and the greatest over the visible surface, facing the camera. `whole` says
    whether nothing of the part is cut at the border, `share` how much of the picture it fills.
    """

    camera: str
    distance_mm: float
    px_per_mm: tuple[float, float, float]
    share: float
    whole: bool

    def smallest_mm(self, defect_px: int) -> float:
        """Edge of the smallest square that covers so many pixels where the part is seen at the median scale."""
        return float(np.sqrt(defect_px) / self.px_per_mm[1])


def station_cameras(station: StationRecipe, middle_mm: Sequence[float]) -> tuple[StationCamera, ...]:
    """All cameras of a station about a part whose middle is at `middle_mm`."""
    found = [_placed(camera, station) for camera in station.cameras]
    middle = np.array(middle_mm, dtype=np.float64)
    for word, ring in (("ring", station.ring), ("turntable", station.turntable)):
        if ring is not None:
            turns = np.radians(ring.first_deg + np.arange(ring.count) * 360 / ring.count)
            level = np.full(ring.count, ring.height_mm)
            places = np.c_[
                middle[0] + ring.radius_mm * np.cos(turns), middle[1] + ring.radius_mm * np.sin(turns), level
            ]
            found += [_looking(f"{word}-{k:02d}", place, middle, station) for k, place in enumerate(places)]
    if station.dome is not None:
        dome = station.dome
        low, high = np.sin(np.radians(dome.elevations_deg))
        up = low + (high - low) * (np.arange(dome.count) + 0.5) / dome.count
        turns, flat = np.radians(GOLDEN_DEG) * np.arange(dome.count), np.sqrt(1 - up**2)
        places = middle + dome.radius_mm * np.c_[flat * np.cos(turns), flat * np.sin(turns), up]
        found += [_looking(f"dome-{k:02d}", place, middle, station) for k, place in enumerate(places)]
    return tuple(found)


def look_at(position: np.ndarray, target: np.ndarray, up: Sequence[float] = (0.0, 0.0, 1.0)) -> np.ndarray:
    """World to camera (4, 4), OpenCV axes. Straight above or below what is up turns to +y."""
    ahead = target - position
    ahead = ahead / np.linalg.norm(ahead)
    right = np.cross(ahead, up)
    if np.linalg.norm(right) < 1e-9:
        right = np.cross(ahead, (0.0, 1.0, 0.0) if abs(ahead[1]) < 0.9 else (1.0, 0.0, 0.0))
    right = right / np.linalg.norm(right)
    T = np.eye(4)
    T[:3, :3] = np.stack([right, np.cross(ahead, right), ahead])
    T[:3, 3] = -T[:3, :3] @ position
    return T


def placed_parts(shape: Shape, frame: Literal["standing", "file"]) -> list[tuple[int, Mesh]]:
    """Parts in a station's millimetres: standing on z = 0 above the origin, or as their file has them.

    Raises UsageError where nothing says what unit the file is in.
    """
    T = _to_station(shape, frame)
    return [(part.part_id, part.mesh.transformed(T)) for part in shape.parts]


class StationView(NamedTuple):
    """Azimuth and elevation in degrees to 0.01, distance in units of the shape's bounding radius, and the lens as a
    level view of the shape's middle has it."""

    azimuth_deg: float
    elevation_deg: float
    distance: float
    lens: AnyLens = Lens()


def station_views(station: StationRecipe, shape: Shape) -> list[StationView]:
    """How every camera sees a shape.

    As seen from the middle of the shape where it stands; straight above is 89.9 degrees. Raises UsageError as
    `placed_parts`.
    """
    T = _to_station(shape, station.frame)
    middle = T[:3, :3] @ shape.centre + T[:3, 3]
    found = []
    for camera in station_cameras(station, middle):
        # Back into the shape's own axes, whose bounding sphere has radius 1.
        x, y, z = np.linalg.solve(T[:3, :3], camera.position - middle)
        far = float(np.sqrt(x * x + y * y + z * z))
        elevation = float(np.clip(np.degrees(np.arcsin(z / far)), -STEEPEST_DEG, STEEPEST_DEG))
        azimuth = round(float(np.degrees(np.arctan2(y, x))) % 360, 2) % 360
        level = Camera(float(np.degrees(np.arctan2(y, x))), elevation, 1.0)
        lens = _as_seen(camera, level, T[:3, :3] * shape.mm)
        found.append(StationView(azimuth, round(elevation, 2), float(f"{far:.5g}"), lens))
    return found


def _as_seen(camera: StationCamera, level: Camera, R: np.ndarray) -> AnyLens:
    """A camera's lens in a level view of the shape's middle; `R` (3, 3) turns the shape's axes to the station's."""
    if camera.lens.is_straight:
        return Lens()
    turn = camera.T_camera_world[:3, :3] @ R @ level.T_world_camera[:3, :3] @ OPENCV_FROM_OPENGL[:3, :3]
    if np.abs(turn - np.eye(3)).max() < 1e-7:
        return camera.lens
    return CutoutLens(camera.lens, tuple(np.round(turn, 9).ravel().tolist()))


def look_through(station: StationRecipe, shape: Shape) -> list[Seen]:
    """What every camera of a station sees of a shape. Raises UsageError as `placed_parts` and `seen_by`."""
    scene = RayScene(placed_parts(shape, station.frame))
    return [seen_by(camera, scene) for camera in station_cameras(station, scene.bounds.mean(axis=0))]


def cut_by(station: StationRecipe, shape: Shape) -> tuple[str, ...]:
    """Names of the cameras whose sensors cut the shape. Raises UsageError as `look_through`, in a tenth of its time."""
    scene = RayScene(placed_parts(shape, station.frame))
    cameras = station_cameras(station, scene.bounds.mean(axis=0))
    return tuple(camera.name for camera in cameras if not seen_by(camera, scene, FEW_RAYS).whole)


def seen_by(camera: StationCamera, scene: RayScene, rays: int = GRID_RAYS) -> Seen:
    """What a camera sees of parts in millimetres. Raises UsageError for one inside the part, or that misses it."""
    eye = camera.position
    if is_inside(scene, eye):
        raise UsageError(f"camera {camera.name} stands inside the part; move it, or check the station's millimetres")
    width, height = camera.size_px
    step = max(1.0, np.sqrt(width * height / rays))
    columns, rows = (np.arange(step / 2, size, step) for size in (width, height))
    pixels = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    directions = camera.rays(pixels)
    hits = scene.cast(np.broadcast_to(eye, directions.shape), directions)
    hit = hits.face >= 0
    if not hit.any():
        raise UsageError(f"camera {camera.name} does not see the part; check where it stands and looks")
    points = eye + directions[hit] * hits.t[hit, None]
    scale = _px_per_mm(camera, points)
    at, depth = camera.project(scene.triangles.reshape(-1, 3))
    whole = bool((depth > 0).all() and (at >= 0).all() and (at <= (width, height)).all())
    least, median, most = (float(value) for value in np.percentile(scale, [0, 50, 100]))
    near = float(np.linalg.norm(points - eye, axis=1).min())
    return Seen(camera.name, near, (least, median, most), float(hit.mean()), whole)


def _px_per_mm(camera: StationCamera, points: np.ndarray) -> np.ndarray:
    """Pixels per millimetre (N,) of a surface that faces the camera at world points: the root of the area's scale."""
    right, down = camera.T_camera_world[0, :3], camera.T_camera_world[1, :3]
    here = camera.project(points)[0]
    a, b = (camera.project(points + STEP_MM * axis)[0] - here for axis in (right, down))
    found: np.ndarray = np.sqrt(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])) / STEP_MM
    return found


def is_inside(scene: RayScene, eye: np.ndarray) -> bool:
    """Whether a point (3,) is within the scene's surfaces: in most of 26 directions a back is nearest."""
    steps = np.stack(np.meshgrid(*[(-1.0, 0.03, 1.0)] * 3), axis=-1).reshape(-1, 3)
    directions = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    hits = scene.cast(np.broadcast_to(eye, directions.shape), directions)
    hit = hits.face >= 0
    backs = np.einsum("ni,ni->n", scene.normals[hits.face[hit]], directions[hit]) > 0
    return bool(hit.mean() > 0.9 and backs.mean() > 0.5)


def _looking(name: str, place: np.ndarray, target: np.ndarray, optics: OpticsRecipe) -> StationCamera:
    K, size = _optics((optics,))
    return StationCamera(name, K, look_at(place, target), size, _lens((optics,)))


def _placed(camera: CameraRecipe, station: StationRecipe) -> StationCamera:
    told = (camera, station)
    K, size = _optics(told)
    if camera.T_camera_world is None:
        T = look_at(np.array(camera.position_mm), np.array(camera.look_at_mm), camera.up)
    else:
        T = np.eye(4)
        T[:3] = np.array(camera.T_camera_world)[:3]
    return StationCamera(camera.name, K, T, size, _lens(told))


def _lens(told: Sequence[OpticsRecipe]) -> Lens:
    lens = next((optics.lens for optics in told if optics.lens is not None), None)
    return Lens() if lens is None else Lens(lens.k1, lens.k2, lens.p1, lens.p2, lens.k3)


def _optics(told: Sequence[OpticsRecipe]) -> tuple[np.ndarray, tuple[int, int]]:
    """K and (width, height): of the camera where it tells them, else of the station, which is known to."""
    size = next(optics.size_px for optics in told if optics.size_px is not None)
    optics = next(optics for optics in told if optics.has_focal_length)
    if optics.K is not None:
        return np.array(optics.K), size
    focal = optics.focal_px or (optics.focal_mm or 0.0) * 1000 / (optics.pixel_um or 1.0)
    return np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1.0]]), size


def _to_station(shape: Shape, frame: Literal["standing", "file"]) -> np.ndarray:
    """The shape's frame to the station's millimetres (4, 4)."""
    if not shape.mm:
        raise UsageError(
            f"{shape.shape_id}: nothing says the unit of its file; write `units: mm` in collection.json, or give "
            "--set units=mm"
        )
    low, high = shape.bounds
    T = np.diag([1 / shape.mm] * 3 + [1.0])
    T[:3, 3] = -np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]]) / shape.mm
    if frame == "file":
        to_mm = np.diag([shape.source_mm] * 3 + [1.0])
        T = to_mm @ np.linalg.inv(np.array(shape.T_shape_source))
    return T
