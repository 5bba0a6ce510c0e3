"""Where objects stand in an odd-one-out scene, and the cameras that look at them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from datagen.core.camera import LENS_30_MM_PX_AT_256, Camera
from datagen.core.rng import random_rotation
from datagen.core.shape import Shape
from datagen.recipe.scenes import LayoutRecipe, OrbitRecipe
from datagen.scenes.rest import all_points

TRIES = 60
"""Draws of a place before the square grows."""


@dataclass(frozen=True, eq=False)
class RestingBody:
    """An object as it lies: shape, resting rotation (3, 3), and the point of the shape's frame that is its origin."""

    shape: Shape
    rotation: np.ndarray
    origin: np.ndarray

    def points(self) -> np.ndarray:
        """Vertices (V, 3) about the origin, turned as it lies, unscaled."""
        return (all_points(self.shape) - self.origin) @ self.rotation.T

    def baked(self, scale: float) -> np.ndarray:
        """The shape's frame to the object's own (4, 4): resting pose and scale, as the published meshes have it."""
        T = np.eye(4)
        T[:3, :3] = scale * self.rotation
        T[:3, 3] = -scale * self.rotation @ self.origin
        return T


@dataclass(frozen=True, eq=False)
class StandingPlace:
    """Yaw (rad) about z and location (3,) of an object's origin in the world."""

    yaw: float
    location: np.ndarray

    @property
    def matrix(self) -> np.ndarray:
        """Object frame to world (4, 4): a turn about z and a shift."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        T = np.eye(4)
        T[:2, :2] = [[c, -s], [s, c]]
        T[:3, 3] = self.location
        return T


def start_rotations(recipe: LayoutRecipe, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """How a shape is turned before each of its drops (3, 3): tilts towards sides evenly about."""
    first = random_rotation(rng) if recipe.start == "random" else np.eye(3)
    side = rng.uniform(0, 2 * np.pi)
    for k in range(recipe.drops):
        axis = side + 2 * np.pi * k / recipe.drops
        tilt = np.radians(rng.uniform(0, recipe.tilt_deg))
        x, y = np.cos(axis), np.sin(axis)
        K = np.array([[0, 0, y], [0, 0, -x], [-y, x, 0]])
        yield (np.eye(3) + np.sin(tilt) * K + (1 - np.cos(tilt)) * K @ K) @ first


def metric_scale(bodies: Sequence[RestingBody], recipe: LayoutRecipe, rng: np.random.Generator) -> float:
    """Metres a unit of the shape's frame: the first body's largest coordinate to the published reach.

    Smaller where any body would stand taller than the published volume sees.
    """
    reach = float(rng.uniform(*recipe.reach_m))
    scale = reach / float(np.abs(bodies[0].points()).max())
    height = max(float(np.ptp(body.points()[:, 2])) for body in bodies)
    return min(scale, recipe.max_height_m / height)


def footprint(points: np.ndarray) -> np.ndarray:
    """Convex outline (K, 2), counter-clockwise, of points (V, 3) seen from above."""
    try:
        hull = ConvexHull(points[:, :2])
    except QhullError:
        low, high = points[:, :2].min(axis=0) - 1e-4, points[:, :2].max(axis=0) + 1e-4
        return np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    return points[hull.vertices, :2]


def outline_gap(a: np.ndarray, b: np.ndarray) -> float:
    """A lower bound of the distance of two convex outlines, by separating axes; negative where they overlap."""
    best = -np.inf
    for ring, other in ((a, b), (b, a)):
        edge = np.roll(ring, -1, axis=0) - ring
        normal = np.stack([edge[:, 1], -edge[:, 0]], axis=1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        best = max(best, float(((other @ normal.T).min(axis=0) - (ring * normal).sum(axis=1)).max()))
    return best


def lay_out(
    bodies: Sequence[RestingBody], scale: float, recipe: LayoutRecipe, rng: np.random.Generator
) -> list[StandingPlace]:
    """A place for every body: random yaw, on the floor, footprints apart. The square grows until all fit."""
    clouds = [scale * body.points() for body in bodies]
    side = max(float(np.ptp(cloud[:, :2], axis=0).max()) for cloud in clouds)
    edge = recipe.spread * side * np.sqrt(len(bodies))
    places: list[StandingPlace] = []
    outlines: list[np.ndarray] = []
    misses = 0
    while len(places) < len(bodies):
        cloud = clouds[len(places)]
        yaw = float(rng.uniform(-np.pi, np.pi))
        location = np.array([*rng.uniform(-edge / 2, edge / 2, 2), -float(cloud[:, 2].min())])
        place = StandingPlace(yaw, location)
        outline = footprint(cloud @ place.matrix[:3, :3].T + place.location)
        if all(outline_gap(outline, other) >= recipe.gap_m for other in outlines):
            places.append(place)
            outlines.append(outline)
            misses = 0
            continue
        misses += 1
        if misses % TRIES == 0:
            edge *= 1.06
        if misses >= 12 * TRIES:
            # The first ones stand so that no other fits: begin again.
            places, outlines, misses = [], [], 0
    return places


def orbit(
    bounds: np.ndarray, count: int, aim: np.ndarray, recipe: OrbitRecipe, rng: np.random.Generator
) -> list[Camera]:
    """Cameras about the world's axis, all aimed at one point. `bounds` (2, 3) holds every object.

    Radius and height sway along the orbit as in the published sample, whose figures (objects cut at the border,
    pixels an object, elevation) the recipe's numbers are fitted to.
    """
    base = float(np.abs(bounds[:, :2]).max()) + recipe.per_object_m * count + recipe.margin_m
    base = max(base, recipe.least_radius_m)
    steps = max(recipe.views - 1, 1) if recipe.closed else recipe.views
    phases = rng.uniform(0, 2 * np.pi, 2)
    low, high = recipe.height_m
    grown = 1 + recipe.height_with_radius * max((base + recipe.sway_m / 2) / 0.7 - 1, 0.0)
    cameras = []
    for k in range(recipe.views):
        angle = 2 * np.pi * k / steps
        radius = base + recipe.sway_m * (0.5 + 0.5 * np.sin(2 * angle + phases[0]))
        height = (low + (high - low) * (0.5 + 0.5 * np.sin(angle + phases[1]))) * grown
        eye = np.array([radius * np.cos(angle), radius * np.sin(angle), height])
        cameras.append(camera_towards(eye, aim, recipe.size_px))
    return cameras


def camera_towards(eye: np.ndarray, aim: np.ndarray, size_px: int) -> Camera:
    """The camera at `eye` looking at `aim`, level."""
    offset = eye - aim
    radius = float(np.linalg.norm(offset))
    azimuth = float(np.degrees(np.arctan2(offset[1], offset[0])))
    elevation = float(np.degrees(np.arcsin(offset[2] / radius)))
    target = (float(aim[0]), float(aim[1]), float(aim[2]))
    return Camera(azimuth, elevation, radius, size_px, target, LENS_30_MM_PX_AT_256)
