"""A numpy renderer with the protocol of the real one: flat shading, white ground, milliseconds a view.

For tests and dry runs. It obeys the same figures for ground and object as Cycles does, so the
quality checks after rendering mean something with it too. Lamps light by Lambert's law: no shadows, no highlights.
"""

from collections.abc import Mapping

import numpy as np

from datagen.core.backdrop import Tiled
from datagen.core.material import PartMaterial
from datagen.core.scene import Light, Scene, ScenePart, Studio, View
from datagen.core.shape import Skin
from datagen.render.backdrop import flat
from datagen.render.caster import SceneCaster, SceneFrame
from datagen.render.lit import lamp_shade, plates


class FakeRenderer:
    """Lambert shading of the mean material colour: on white with a soft blob of shadow, or on a plain floor."""

    name = "fake"
    flat = True

    def render(self, scene: Scene) -> list[np.ndarray]:
        """One (H, W, 3) uint8 picture for each view."""
        caster = SceneCaster(scene.objects)
        colors = {
            (k + 1, part.part_id): _shown(scene.materials[name].mean_color)
            for k, thing in enumerate(scene.objects)
            for part in thing.parts
            if (name := _worn(part)) is not None
        }
        if isinstance(scene.ground, Studio):
            return [_in_studio(caster.alone(view.camera), view, colors, scene) for view in scene.views]
        floor = _shown(scene.materials[scene.ground.material_id].mean_color)
        return [_on_floor(caster.cast(view.camera), colors, floor) for view in scene.views]

    def versions(self) -> dict[str, str]:
        """Version of this shading: it changes when its pixels do."""
        return {"renderer": "fake 1"}

    def cpu_seconds(self) -> float:
        """Nothing runs elsewhere."""
        return 0.0

    def close(self) -> None:
        """Nothing to end."""


def _shown(linear: tuple[float, float, float]) -> np.ndarray:
    return np.clip(np.array(linear), 0.02, 0.6) ** (1 / 2.2)


def _worn(part: ScenePart) -> str | None:
    """The material that stands for a part: the first of its skin."""
    match part.surface:
        case PartMaterial():
            return part.surface.material_id
        case Skin():
            return part.surface.materials[0]
    return None


def _in_studio(frame: SceneFrame, view: View, colors: Mapping[tuple[int, int], np.ndarray], scene: Scene) -> np.ndarray:
    ground = scene.ground
    assert isinstance(view.light, Light) and isinstance(ground, Studio), "a studio is lit by light set-ups"
    picture = _behind(view, scene) * (1 - 0.12 * _shadow(view, ground.z))[..., None]
    azimuth = np.radians(view.light.rotation_deg + view.turn_deg)
    sun = np.array([np.cos(azimuth) * 0.5, np.sin(azimuth) * 0.5, 0.7])
    shade = _sunlit(frame, sun / np.linalg.norm(sun))
    if ground.lamps:
        picture = plates(picture, view, ground)
        shade = ground.room * shade + lamp_shade(frame, view, ground)
    return _with_objects(picture, frame, colors, shade)


def _behind(view: View, scene: Scene) -> np.ndarray:
    """What is behind the objects of a studio, (H, W, 3) in 0..1; a tiled ground in its material's mean colour."""
    if isinstance(view.backdrop, Tiled):
        color = _shown(scene.materials[view.backdrop.material_id].mean_color)
        return np.broadcast_to(color, (view.camera.size_px, view.camera.size_px, 3))
    return flat(view.backdrop, view.camera.size_px)


def _on_floor(frame: SceneFrame, colors: Mapping[tuple[int, int], np.ndarray], floor: np.ndarray) -> np.ndarray:
    picture = np.full((*frame.depth.shape, 3), 0.8)
    picture[frame.floor] = floor
    return _with_objects(picture, frame, colors, _sunlit(frame, np.array([0.48, 0.36, 0.8])))


def _sunlit(frame: SceneFrame, sun: np.ndarray) -> np.ndarray:
    """Shade (N,) of the pixels that show an object, lit from `sun` (3,)."""
    shade: np.ndarray = 0.45 + 0.5 * np.clip(frame.normal @ sun, 0, 1)
    return shade[frame.object_index > 0]


def _with_objects(
    picture: np.ndarray, frame: SceneFrame, colors: Mapping[tuple[int, int], np.ndarray], shade: np.ndarray
) -> np.ndarray:
    """Objects painted over a picture in 0..1, as bright as `shade` (N,) has their pixels: (H, W, 3) uint8."""
    hit = frame.object_index > 0
    seen, which = np.unique(np.stack([frame.object_index[hit], frame.part_id[hit]]), axis=1, return_inverse=True)
    if hit.any():
        table = np.array([colors[place, part_id] for place, part_id in seen.T.tolist()])
        picture[hit] = table[which.reshape(-1)] * shade[:, None]
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _shadow(view: View, ground_z: float) -> np.ndarray:
    """Darkness (H, W) in 0..1 of a soft disc about the point on the ground below the target."""
    camera = view.camera
    below = np.array([[camera.target[0], camera.target[1], ground_z]])
    (centre,), _ = camera.project(below)
    rows, columns = np.mgrid[: camera.size_px, : camera.size_px] + 0.5
    spread = 0.16 * camera.size_px
    squared = ((columns - centre[0]) ** 2 + ((rows - centre[1]) / 0.5) ** 2) / spread**2
    return np.exp(-squared / 2)
