"""A numpy renderer with the protocol of the real one: flat shading, white ground, milliseconds a view.

For tests and dry runs. It obeys the same figures for ground and object as Cycles does, so the
quality checks after rendering mean something with it too.
"""

import numpy as np

from datagen.core.scene import GeometryFrame, RenderJob, View
from datagen.core.tabletop import TabletopJob
from datagen.geometry.rays import RayScene
from datagen.render.raycast import cast_view
from datagen.render.tabletop import SceneCaster, SceneFrame


class FakeRenderer:
    """Lambert shading of the mean material colour, a soft blob of shadow on white."""

    name = "fake"
    flat = True

    def render(self, job: RenderJob) -> list[np.ndarray]:
        """One (H, W, 3) uint8 picture a view."""
        scene = RayScene([(part.part_id, part.mesh) for part in job.parts])
        colors = {p.part_id: _shown(job.materials[p.dress.material_id].mean_color) for p in job.parts}
        return [_picture(cast_view(scene, view.camera), view, colors, job.ground_z) for view in job.views]

    def tabletop(self, job: TabletopJob) -> list[np.ndarray]:
        """The same of objects on a floor: flat shading, a plain floor, a pale sky."""
        caster = SceneCaster(job.objects)
        colors = {
            (k + 1, part.part_id): _shown(job.materials[part.skin.materials[0]].mean_color)
            for k, thing in enumerate(job.objects)
            for part in thing.shape.parts
            if part.skin is not None
        }
        ground = _shown(job.materials[job.floor.material_id].mean_color)
        return [_scene_picture(caster.cast(view.camera), colors, ground) for view in job.views]

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


def _picture(frame: GeometryFrame, view: View, colors: dict[int, np.ndarray], ground_z: float) -> np.ndarray:
    size = view.camera.size_px
    picture = np.full((size, size, 3), 1.0)
    picture *= (1 - 0.12 * _shadow(view, ground_z))[..., None]
    azimuth = np.radians(view.light.rotation_deg)
    sun = np.array([np.cos(azimuth) * 0.5, np.sin(azimuth) * 0.5, 0.7])
    shade = 0.45 + 0.5 * np.clip(frame.normal @ (sun / np.linalg.norm(sun)), 0, 1)
    for part_id, color in colors.items():
        mask = frame.part_id == part_id
        picture[mask] = color * shade[mask][:, None]
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _scene_picture(frame: SceneFrame, colors: dict[tuple[int, int], np.ndarray], ground: np.ndarray) -> np.ndarray:
    picture = np.full((*frame.depth.shape, 3), 0.8)
    picture[frame.floor] = ground
    shade = 0.45 + 0.5 * np.clip(frame.normal @ np.array([0.48, 0.36, 0.8]), 0, 1)
    hit = frame.object_index > 0
    seen, which = np.unique(np.stack([frame.object_index[hit], frame.part_id[hit]]), axis=1, return_inverse=True)
    if hit.any():
        table = np.array([colors[place, part_id] for place, part_id in seen.T.tolist()])
        picture[hit] = table[which.reshape(-1)] * shade[hit][:, None]
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
