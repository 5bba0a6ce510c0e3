"""Blender in this very process: for Ray actors, which are processes of their own already."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from datagen.core.errors import RenderError
from datagen.core.scene import Scene
from datagen.render.blender.affinity import started_on_cores


class BlenderHere:
    """The renderer protocol over a BlenderSession in this process."""

    name = "cycles"
    flat = False

    def __init__(self, threads: int = 1) -> None:
        # bpy and the embree of other libraries clash unless bpy comes first.
        with started_on_cores(threads):
            from datagen.render.blender.session import BlenderSession

        self._session: Any = BlenderSession(threads)

    def render(self, scene: Scene) -> list[np.ndarray]:
        """Pictures of every view. Raises RenderError, MissingDependency."""
        try:
            return self._session.render(scene)
        except RuntimeError as error:  # what bpy operators raise
            raise RenderError(f"Blender refused the scene: {error}") from error

    def drop(self, bodies: Sequence[tuple[np.ndarray, np.ndarray]], starts: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Rigid bodies let fall on z = 0: their final transforms (4, 4)."""
        return self._session.drop((list(bodies), list(starts)))

    def versions(self) -> dict[str, str]:
        """Blender's version and build hash."""
        return self._session.versions()

    def cpu_seconds(self) -> float:
        """Everything is spent in this process."""
        return 0.0

    def close(self) -> None:
        """The process's end is Blender's."""
