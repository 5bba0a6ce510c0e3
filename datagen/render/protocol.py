"""The renderer protocol and the one place that picks an implementation by name."""

from typing import Protocol

import numpy as np

from datagen.core.errors import UsageError
from datagen.core.scene import Scene

FAKE_NOTE = "The pictures are flat shading by the fake renderer, for tests and dry runs: no data to train on."
RENDERERS = ("cycles", "fake")


class Renderer(Protocol):
    """Makes the pictures of a scene. Same scene, same bytes, whatever was rendered before."""

    name: str
    flat: bool
    """Whether it shades by mean colours alone: materials then need no maps and skies no file."""

    def render(self, scene: Scene) -> list[np.ndarray]:
        """One (H, W, 3) uint8 sRGB picture for each view. Raises RenderError, MaterialError, MissingDependency."""
        ...

    def versions(self) -> dict[str, str]:
        """Name and version of what makes the pixels."""
        ...

    def cpu_seconds(self) -> float:
        """CPU-seconds spent so far outside this process (0 for in-process renderers)."""
        ...

    def close(self) -> None:
        """End helper processes."""
        ...


def open_renderer(name: str, threads: int = 1) -> Renderer:
    """`cycles` or `fake`. Raises UsageError for another name."""
    if name == "fake":
        from datagen.render.fake import FakeRenderer

        return FakeRenderer()
    if name == "cycles":
        from datagen.render.blender.client import BlenderProcess

        return BlenderProcess(threads=threads)
    raise UsageError(f"unknown renderer '{name}'; the renderers are {', '.join(RENDERERS)}")
