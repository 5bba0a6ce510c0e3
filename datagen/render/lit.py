"""How brightly lamps light surfaces, without shadows and highlights: what the flat renderer shades by."""

import numpy as np

from datagen.core.lamp import Backlight
from datagen.core.scene import Studio, View
from datagen.render.caster import SceneFrame
from datagen.render.emitters import frame_of, plate_mask, radiance, surface

STEPS = 16
"""Of a full circle: lamps are so many points."""
FACING = 0.95
"""Shade of a surface that faces a lamp of strength 1, as of one that faces the sun of a studio."""


def lamp_shade(frame: SceneFrame, view: View, ground: Studio) -> np.ndarray:
    """Shade (N,) that lamps give to the pixels of a frame that show an object, in the order of their mask.

    Plates give none: what stands before one is dark.
    """
    hit = frame.object_index > 0
    rows, columns = np.nonzero(hit)
    T = view.camera.T_world_camera
    rays = view.camera.directions(np.stack([columns, rows], axis=1) + 0.5) @ T[:3, :3].T
    points, normals = view.camera.position + frame.depth[hit][:, None] * rays, frame.normal[hit]
    found = np.zeros(len(points))
    for lamp in (lamp for lamp in ground.lamps if not isinstance(lamp, Backlight)):
        shape = surface(lamp, STEPS).transformed(frame_of(lamp, view, ground.z))
        a, b, c = shape.triangles.transpose(1, 0, 2)
        across = np.cross(b - a, c - a) / 2
        level = FACING * radiance(lamp, 1.0, 1.0 / np.pi)
        for middle, area in zip((a + b + c) / 3, across, strict=True):
            way = middle - points
            far = np.maximum(np.einsum("ni,ni->n", way, way), 1e-9)
            leaving = np.clip(-(way @ area), 0, None)
            meeting = np.clip(np.einsum("ni,ni->n", way, normals), 0, None)
            found += level * leaving * meeting / far**2
    return found


def plates(picture: np.ndarray, view: View, ground: Studio) -> np.ndarray:
    """A picture (H, W, 3) of the ground with the plates of backlights in it, as bright as they are."""
    for lamp in ground.lamps:
        if isinstance(lamp, Backlight):
            share = plate_mask(lamp, view, ground.z)[..., None]
            picture = picture * (1 - share) + share * min(lamp.strength, 1.0) ** (1 / 2.2)
    return picture
