"""Render for detect: the camera of a photo, found by rendering the reference's mesh again and again.

From the nearest view's azimuth the camera is moved in ever smaller steps of azimuth, elevation and distance to where
the silhouettes of photo and render agree best; the photo is then compared with the render from there.
"""

from dataclasses import dataclass, replace

import numpy as np

from datagen.core.camera import Camera
from datagen.core.shape import Shape
from datagen.geometry.rays import RayScene
from datagen.recipe.models import ReferenceRecipe
from datagen.render.reference import ReferenceShader
from datagen.scenes.cameras import reference_transform
from datagen.train.tasks.matching.reference import Reference

GROUND, OBJECT = 230.0, 195.0
"""Grey levels from which a pixel shows the ground, and up to which the object; shadows lie between."""
ELEVATIONS_DEG = (5.0, 60.0)
STEPS_DEG = (6.0, 3.0, 1.5, 0.75)
RADIUS_STEP = 0.02
"""Share of the distance by which a step of 6 degrees changes it; smaller steps less."""
STARTS_DEG = ((0.0, 20.0), (0.0, 30.0), (0.0, 40.0), (-9.0, 30.0), (9.0, 30.0))
"""Azimuths from the nearest view's, and elevations, that the search begins at; it goes on from the best."""


class MeshViews:
    """Grey pictures of a mesh, normalised and upright, from any camera."""

    def __init__(self, shape: Shape) -> None:
        placed = shape.transformed(reference_transform(shape))
        scene = RayScene([(part.part_id, part.mesh) for part in placed.parts])
        self.shader = ReferenceShader(scene, [part.mesh for part in placed.parts])

    def picture(self, camera: Camera) -> np.ndarray:
        """(S, S) uint8."""
        return self.shader.shaded(camera)[0][..., 0]


@dataclass(frozen=True, eq=False)
class Refined:
    """A camera, what the mesh looks like from there (S, S) uint8, and the IoU of the silhouettes."""

    camera: Camera
    picture: np.ndarray
    agreement: float


def silhouette(grey_SS: np.ndarray) -> np.ndarray:
    """Object share (S, S) in 0..1: soft at edges, so that moves of less than a pixel count."""
    return np.clip((GROUND - grey_SS) / (GROUND - OBJECT), 0, 1)


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """IoU of two soft silhouettes."""
    return float(np.minimum(a, b).sum() / max(np.maximum(a, b).sum(), 1e-9))


def refine(photo: np.ndarray, views: MeshViews, azimuth_deg: float) -> Refined:
    """The camera of a photo (S, S, 3) uint8 on white, near a published azimuth of a reference view."""
    wanted = silhouette(photo.min(axis=2))

    def tried(camera: Camera) -> Refined:
        picture = views.picture(camera)
        return Refined(camera, picture, agreement(wanted, silhouette(picture)))

    radius = ReferenceRecipe().radius
    starts = [Camera(-azimuth_deg + a, e, radius, size_px=len(photo)) for a, e in STARTS_DEG]
    best = max((tried(camera) for camera in starts), key=lambda found: found.agreement)
    for step in STEPS_DEG:
        for _ in range(3):
            moved = max((tried(camera) for camera in _moves(best.camera, step)), key=lambda found: found.agreement)
            if moved.agreement <= best.agreement:
                break
            best = moved
    return best


def _moves(camera: Camera, step: float) -> list[Camera]:
    """Neighbours of a camera in azimuth, elevation and distance."""
    low, high = ELEVATIONS_DEG
    far = 1 + RADIUS_STEP * step / STEPS_DEG[0]
    moves = [replace(camera, azimuth_deg=camera.azimuth_deg + sign * step) for sign in (-1, 1)]
    heights = (float(np.clip(camera.elevation_deg + sign * step, low, high)) for sign in (-1, 1))
    moves += [replace(camera, elevation_deg=height) for height in heights]
    return [*moves, replace(camera, radius=camera.radius * far), replace(camera, radius=camera.radius / far)]


def only_view(picture: np.ndarray) -> Reference:
    """A picture (S, S) as a bundle of one view, without positions."""
    patches = (len(picture) // 8) ** 2
    return Reference(picture[None], np.full((1, patches, 3), np.nan, dtype=np.float32), np.zeros(1))


def off_deg(a: Camera, b: Camera) -> float:
    """Angle between the directions that two cameras look from."""
    eyes = [camera.position / np.linalg.norm(camera.position) for camera in (a, b)]
    return float(np.degrees(np.arccos(np.clip(eyes[0] @ eyes[1], -1, 1))))
