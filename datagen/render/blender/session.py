"""One Blender: a factory-empty scene for each job, whatever it is asked."""

import tempfile
from pathlib import Path

import bpy
import numpy as np

from datagen.core.scene import RenderJob
from datagen.core.tabletop import TabletopJob
from datagen.render.blender import engine, physics, picture, tabletop
from datagen.render.blender.profile import profile
from datagen.render.blender.stage import set_stage


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
        """One (H, W, 3) uint8 sRGB picture a view. Raises RenderError, MaterialError, MissingDependency."""
        with tempfile.TemporaryDirectory(prefix="datagen-") as folder:
            stage = set_stage(job, self.threads, Path(folder))
            return stage.in_two_passes() if stage.settings["ground_samples"] else stage.in_one_pass()

    def tabletop(self, job: TabletopJob) -> list[np.ndarray]:
        """One (H, W, 3) uint8 picture a view of objects on a floor under a visible sky."""
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene = bpy.context.scene
        engine.configure(scene, job, self.threads)
        stage = tabletop.TabletopStage(scene, job)
        with tempfile.TemporaryDirectory(prefix="datagen-") as folder:
            pictures = []
            for view in job.views:
                stage.aim(view.camera)
                pictures.append(picture.render_shown(scene, Path(folder)))
            return pictures

    def drop(self, argument: tuple[list[physics.Body], list[np.ndarray]]) -> list[np.ndarray]:
        """Final transforms (4, 4) of rigid bodies let fall."""
        bpy.ops.wm.read_factory_settings(use_empty=True)
        return physics.drop(*argument)

    def profile(self, job: RenderJob) -> dict[str, float]:
        """CPU-seconds of a job by phase: what `datagen bench` prints."""
        return profile(job, self.threads)
