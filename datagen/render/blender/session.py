"""One Blender: a factory-empty scene for each job, whatever it is asked."""

import tempfile
from pathlib import Path

import bpy
import numpy as np

from datagen.core.scene import Scene
from datagen.render.blender import engine, physics
from datagen.render.blender.profile import profile
from datagen.render.blender.stage import set_stage


class BlenderSession:
    """Renders scenes in this process; a warm session writes what a fresh one writes."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def versions(self) -> dict[str, str]:
        """Version and build hash of Blender."""
        return {"renderer": f"cycles {bpy.app.version_string} {bpy.app.build_hash.decode()}"}

    def devices(self) -> list[str]:
        """Cycles devices by type."""
        return engine.devices()

    def render(self, scene: Scene) -> list[np.ndarray]:
        """One (H, W, 3) uint8 sRGB picture for each view. Raises RenderError, MaterialError, MissingDependency."""
        with tempfile.TemporaryDirectory(prefix="datagen-") as folder:
            stage = set_stage(scene, self.threads, Path(folder))
            return stage.in_two_passes() if stage.settings.get("ground_samples") else stage.in_one_pass()

    def drop(self, argument: tuple[list[physics.Body], list[np.ndarray]]) -> list[np.ndarray]:
        """Final transforms (4, 4) of rigid bodies let fall."""
        bpy.ops.wm.read_factory_settings(use_empty=True)
        return physics.drop(*argument)

    def profile(self, scene: Scene) -> dict[str, float]:
        """CPU-seconds of a scene by phase: what `datagen bench` prints."""
        return profile(scene, self.threads)
