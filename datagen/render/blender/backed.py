"""Grounds that are not white by construction: a backdrop with the object's shadow on it, or a floor as it is lit.

The ground is rendered with and without the object, which the camera does not see: how much darker it is with the object
is the shadow, whatever the lamps are and however they fall off. Both are small and take few samples.
"""

from collections.abc import Callable, Sequence

import bpy
import numpy as np

from datagen.core.backdrop import Backdrop, Tiled
from datagen.core.colour import linear_from_srgb
from datagen.core.errors import RenderError
from datagen.core.lamp import Backlight
from datagen.core.scene import Scene, Studio, View
from datagen.render.backdrop import flat
from datagen.render.blender import picture
from datagen.render.blender.uv import LAYER
from datagen.render.emitters import plate_mask

LEAST_SAMPLES = 16
"""Of a ground: lamps that stand near are noisier than suns, and the noise of a shadow shows on any backdrop."""
RAYS = ("diffuse", "glossy", "transmission", "shadow")
LIGHTER = 1.02
"""Light that the object throws on the ground shows up to this."""
BLACK = 1e-4


def is_backed(job: Scene) -> bool:
    """Whether a scene's grounds are made here."""
    return isinstance(job.ground, Studio) and (
        bool(job.ground.lamps) or any(view.backdrop is not None for view in job.views)
    )


def backed_grounds(
    job: Scene, objects: Sequence[bpy.types.Object], rendered: Callable[[View], np.ndarray]
) -> list[np.ndarray]:
    """The ground of every view: linear (S, S, 3), as large as the picture.

    `rendered` gives a view's ground, linear (N, N, 3), under the objects' shadow where they are not hidden.
    """
    ground, white = job.ground, float(job.settings["floor_radiance"])  # type: ignore[arg-type]
    assert isinstance(ground, Studio)
    shadowed = [rendered(view) for view in job.views]
    _hide(objects, True)
    alone = [shadowed[k] if isinstance(view.backdrop, Tiled) else rendered(view) for k, view in enumerate(job.views)]
    _hide(objects, False)
    found = []
    for view, dark, bright in zip(job.views, shadowed, alone, strict=True):
        size = view.camera.size_px
        if isinstance(view.backdrop, Tiled):
            behind = picture.through(dark, view.camera)
        else:
            shadow = np.clip((dark + BLACK) / (bright + BLACK), 0, LIGHTER)
            behind = picture.through(shadow, view.camera) * linear(view.backdrop, size, white)
        for plate in (lamp for lamp in ground.lamps if isinstance(lamp, Backlight)):
            share = plate_mask(plate, view, ground.z)[..., None]
            behind = behind * (1 - share) + share * white * plate.strength
        found.append(behind.astype(np.float32))
    return found


def tiled_ground(job: Scene) -> Tiled | None:
    """The floor on which a studio's object stands; None where its ground is flat. Raises RenderError for several."""
    found = {view.backdrop for view in job.views if isinstance(view.backdrop, Tiled)}
    if len(found) > 1 or (found and any(not isinstance(view.backdrop, Tiled) for view in job.views)):
        raise RenderError("the views of a scene in a studio share one floor")
    return next(iter(found), None)


def lay_tiles(floor: bpy.types.Object, material: bpy.types.Material, tiled: Tiled, tile_size: float) -> None:
    """Give a ground's plane a material, laid on by world coordinates."""
    data = floor.data
    corners = np.empty(3 * len(data.vertices), dtype=np.float32)
    data.vertices.foreach_get("co", corners)
    c, s = np.cos(np.radians(tiled.rotation_deg)), np.sin(np.radians(tiled.rotation_deg))
    uv = corners.reshape(-1, 3)[:, :2].astype(np.float64) @ np.array([[c, s], [-s, c]]) / tile_size
    layer = data.uv_layers.new(name=LAYER)
    layer.uv.foreach_set("vector", (uv + np.array(tiled.offset)).astype(np.float32).ravel())
    data.materials[0] = material


def linear(backdrop: Backdrop | None, size: int, white: float) -> np.ndarray:
    """A flat backdrop as linear light (size, size, 3); without one the radiance `white`."""
    return np.full((size, size, 3), white) if backdrop is None else linear_from_srgb(flat(backdrop, size))


def _hide(objects: Sequence[bpy.types.Object], is_hidden: bool) -> None:
    """Take objects out of the light's ways. They stay in the scene: what leaves it comes back in another order, and the
    noise with it; one ray that there is none of still sees them."""
    for thing in objects:
        for way in RAYS:
            setattr(thing, f"visible_{way}", not is_hidden)
