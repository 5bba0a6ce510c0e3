"""One Blender: factory-empty scene for each job, white ground, lights at infinity, Cycles.

The rig is lookdev.md, section 1: a ground that is white by construction (diffuse plus emission)
under a blurred, white-balanced environment and suns, so no light falls off over the floor.
"""

import tempfile
from pathlib import Path

import bpy
import numpy as np

from datagen.core.errors import RenderError
from datagen.core.scene import RenderJob, RenderPart, View
from datagen.core.tabletop import TabletopJob
from datagen.render.blender import engine, meshes, physics, shader, studio, tabletop


class BlenderSession:
    """Renders jobs in this process; a warm session writes what a fresh one writes."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def versions(self) -> dict[str, str]:
        """Version and build hash of Blender."""
        return {"renderer": f"cycles {bpy.app.version_string} {bpy.app.build_hash.decode()}"}

    def devices(self) -> list[str]:
        """Cycles devices by type."""
        return engine.devices()

    def render(self, job: RenderJob) -> list[np.ndarray]:
        """One (H, W, 3) uint8 sRGB picture a view."""
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene = bpy.context.scene
        engine.configure(scene, job, self.threads)
        materials = {key: shader.build(job.materials[key]) for key in sorted(job.materials)}
        for part in job.parts:
            self._add(part, job, materials)
        rig = studio.Studio(scene, job)
        with tempfile.TemporaryDirectory(prefix="datagen-") as folder:
            return [self._view(scene, rig, view, Path(folder) / f"{k}.png") for k, view in enumerate(job.views)]

    def tabletop(self, job: TabletopJob) -> list[np.ndarray]:
        """One (H, W, 3) uint8 picture a view of objects on a floor under a visible sky."""
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene = bpy.context.scene
        engine.configure(scene, job, self.threads)  # type: ignore[arg-type]  # both name views, settings and seed
        stage = tabletop.Stage(scene, job)
        with tempfile.TemporaryDirectory(prefix="datagen-") as folder:
            pictures = []
            for k, view in enumerate(job.views):
                stage.aim(view.camera)
                pictures.append(shot(scene, Path(folder) / f"{k}.png"))
            return pictures

    def drop(self, argument: tuple[list[physics.Body], list[np.ndarray]]) -> list[np.ndarray]:
        """Final transforms (4, 4) of rigid bodies let fall."""
        bpy.ops.wm.read_factory_settings(use_empty=True)
        return physics.drop(*argument)

    def _add(self, part: RenderPart, job: RenderJob, materials: dict[str, bpy.types.Material]) -> None:
        dress = part.dress
        meshes.add(part, materials[dress.material_id], job.materials[dress.material_id].tile_size)

    def _view(self, scene: bpy.types.Scene, rig: studio.Studio, view: View, path: Path) -> np.ndarray:
        rig.aim(view)
        return shot(scene, path)


def shot(scene: bpy.types.Scene, path: Path) -> np.ndarray:
    """Render what the scene's camera sees by way of a file. Raises RenderError."""
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    if not path.is_file():
        raise RenderError("Blender wrote no picture")
    return read_png(path)


def read_png(path: Path) -> np.ndarray:
    """An 8-bit RGB file as (H, W, 3) uint8."""
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))
