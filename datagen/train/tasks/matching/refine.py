"""Render for detect: the camera of a photo, found by rendering the reference again and again.

From the nearest view's azimuth the camera is moved in ever smaller steps of azimuth, elevation and distance to where
the silhouettes of photo and render agree best; the photo is then compared with the render from there. Of a photo that
was not taken like a query roll is searched for too, and its place in the picture is taken from the box.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from PIL import Image
from scipy import ndimage

from datagen.core.camera import Camera
from datagen.core.shape import Mesh, Shape
from datagen.geometry.rays import RayScene
from datagen.models.silhouettes import GROUND_LEVEL, OBJECT_LEVEL
from datagen.recipe.models import ReferenceRecipe
from datagen.render.raycast import frame_of, look
from datagen.render.reference import ReferenceShader
from datagen.scenes.cameras import reference_transform
from datagen.train.tasks.matching.reference import Reference

ELEVATIONS_DEG = (5.0, 60.0)
ROLL_DEG = 12.0
STEPS_DEG = (6.0, 3.0, 1.5, 0.75)
RADIUS_STEP = 0.02
"""Share of the distance by which a step of 6 degrees changes it; smaller steps less."""
STARTS_DEG = ((0.0, 20.0), (0.0, 30.0), (0.0, 40.0), (-9.0, 30.0), (9.0, 30.0))
"""Azimuths from the nearest view's, and elevations, that the search begins at; it goes on from the best."""


class Views(Protocol):
    """Grey pictures of a reference from any camera."""

    def picture(self, camera: Camera) -> np.ndarray:
        """(S, S) uint8, white where there is nothing."""

    def outline(self, camera: Camera) -> np.ndarray:
        """The same, as well as a search needs it."""


class MeshViews:
    """Pictures of a mesh, by ray casting."""

    def __init__(self, parts: Sequence[tuple[int, Mesh]]) -> None:
        """`parts`: ids and meshes in the frame of the reference views, z up."""
        self.scene = RayScene(list(parts))
        self.shader = ReferenceShader(self.scene, [mesh for _, mesh in parts])

    def picture(self, camera: Camera) -> np.ndarray:
        """(S, S) uint8."""
        return self.shader.shaded(camera)[0][..., 0]

    outline = picture

    def part_ids(self, pose: "Pose") -> np.ndarray:
        """(S, S) int32: the part that a pose shows at each pixel, 0 for background."""
        camera = pose.camera
        ids = frame_of(self.scene, camera, look(self.scene, camera)).part_id
        rows, columns = np.indices(ids.shape)
        half = (len(ids) - 1) / 2
        x, y = columns - pose.shift[0] * len(ids) - half, rows - pose.shift[1] * len(ids) - half
        angle = np.radians(pose.roll_deg)
        u, v = (np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y)
        found = ndimage.map_coordinates(ids, np.stack([v + half, u + half]), order=0, mode="constant")
        plain: np.ndarray = found
        return plain


def views_of(shape: Shape) -> MeshViews:
    """Pictures of a shape, normalised and stood upright."""
    placed = shape.transformed(reference_transform(shape))
    return MeshViews([(part.part_id, part.mesh) for part in placed.parts])


@dataclass(frozen=True)
class Pose:
    """A camera, by how many degrees its picture is turned (counter-clockwise), and by how much it is moved then
    (columns, rows, as shares of the picture)."""

    camera: Camera
    roll_deg: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Refined:
    """A pose, what the reference looks like from there (S, S) uint8, and the IoU of the silhouettes."""

    pose: Pose
    picture: np.ndarray
    agreement: float

    @property
    def camera(self) -> Camera:
        """The pose's camera."""
        return self.pose.camera


def silhouette(grey_SS: np.ndarray) -> np.ndarray:
    """Object share (S, S) in 0..1: soft at edges, so that moves of less than a pixel count."""
    return np.clip((GROUND_LEVEL - grey_SS) / (GROUND_LEVEL - OBJECT_LEVEL), 0, 1)


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """IoU of two soft silhouettes."""
    return float(np.minimum(a, b).sum() / max(np.maximum(a, b).sum(), 1e-9))


def refine(photo: np.ndarray, views: Views, azimuth_deg: float, *, free: bool = False) -> Refined:
    """The camera of a photo (S, S, 3) uint8 on white, near a published azimuth of a reference view.

    `free`: the photo was not taken as queries are rendered, upright and with the object's box centre in the middle. So
    roll is searched for too, and pictures are moved until their boxes and the photo's have one centre.
    """
    wanted = silhouette(photo.min(axis=2))

    def tried(pose: Pose) -> Refined:
        picture = turned(views.outline(pose.camera), pose.roll_deg)
        if free:
            pose = replace(pose, shift=_apart(wanted, silhouette(picture)))
            picture = moved(picture, pose.shift)
        return Refined(pose, picture, agreement(wanted, silhouette(picture)))

    def best_of(poses: list[Pose]) -> Refined:
        return max((tried(pose) for pose in poses), key=lambda found: found.agreement)

    radius = ReferenceRecipe().radius
    starts = [Camera(-azimuth_deg + a, e, radius, size_px=len(photo)) for a, e in STARTS_DEG]
    best = best_of([Pose(camera) for camera in starts])
    for step in STEPS_DEG:
        for _ in range(3):
            found = best_of(_moves(best.pose, step, free))
            if found.agreement <= best.agreement:
                break
            best = found
    picture = moved(turned(views.picture(best.camera), best.pose.roll_deg), best.pose.shift)
    return replace(best, picture=picture)


def turned(picture: np.ndarray, roll_deg: float) -> np.ndarray:
    """A picture (S, S) uint8 turned about its middle, counter-clockwise; white comes in."""
    if not roll_deg:
        return picture
    return np.asarray(Image.fromarray(picture).rotate(roll_deg, Image.Resampling.BILINEAR, fillcolor=255))


def moved(picture: np.ndarray, shift: tuple[float, float]) -> np.ndarray:
    """A picture (S, S) uint8 moved by a share of its side along columns and rows; white comes in."""
    if shift == (0.0, 0.0):
        return picture
    x, y = (-part * len(picture) for part in shift)
    image = Image.fromarray(picture)
    whole = image.transform(
        image.size, Image.Transform.AFFINE, (1, 0, x, 0, 1, y), Image.Resampling.BILINEAR, fillcolor=255
    )
    return np.asarray(whole)


def _apart(wanted: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """How far the middle of the one outline's box is from the other's, as shares of the side (columns, rows)."""
    middles = []
    for share in (wanted, found):
        rows, columns = (np.flatnonzero((share > 0.5).any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return 0.0, 0.0
        middles.append(((columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2))
    (x, y), (u, v) = middles
    return (x - u) / len(wanted), (y - v) / len(wanted)


def _moves(pose: Pose, step: float, free: bool) -> list[Pose]:
    """Neighbours of a pose in azimuth, elevation and distance, and of a free one in roll."""
    low, high = ELEVATIONS_DEG
    camera, far = pose.camera, 1 + RADIUS_STEP * step / STEPS_DEG[0]
    cameras = [replace(camera, azimuth_deg=camera.azimuth_deg + sign * step) for sign in (-1, 1)]
    heights = (float(np.clip(camera.elevation_deg + sign * step, low, high)) for sign in (-1, 1))
    cameras += [replace(camera, elevation_deg=height) for height in heights]
    cameras += [replace(camera, radius=camera.radius * far), replace(camera, radius=camera.radius / far)]
    turns = [pose.roll_deg + sign * step / 2 for sign in (-1, 1)] if free else []
    rolls = [replace(pose, roll_deg=turn) for turn in turns if abs(turn) <= ROLL_DEG]
    return [*(replace(pose, camera=moved_camera) for moved_camera in cameras), *rolls]


def only_view(picture: np.ndarray) -> Reference:
    """A picture (S, S) as a bundle of one view, without positions."""
    patches = (len(picture) // 8) ** 2
    return Reference(picture[None], np.full((1, patches, 3), np.nan, dtype=np.float32), np.zeros(1))


def direction_deg(a: np.ndarray, b: np.ndarray) -> float:
    """Angle between the directions of two points (3,), seen from the origin; NaN where one is."""
    return float(np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))))
