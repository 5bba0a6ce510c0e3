"""What rendering is measured on: objects with a defect, each in several views and lights, and the masks of both."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from datagen.core.scene import Scene, View

VIEWS, LIGHTS = 4, 3
"""Cameras and light set-ups of an object: twelve pictures in three render jobs of four."""


@dataclass(frozen=True, eq=False)
class Target:
    """One picture to make: silhouette and defect (H, W) bool are the masks it is judged in.

    `whole`: its ground is part of the picture, which is judged as a whole too.
    """

    view: View
    silhouette: np.ndarray
    defect: np.ndarray
    whole: bool = False


@dataclass(frozen=True, eq=False)
class MeasuredObject:
    """One object with its materials and an anomaly, and the pictures of it; `job` is the render job without views."""

    name: str
    kind: str
    faces: int
    job: Scene
    targets: tuple[Target, ...]

    def first_shot(self) -> "MeasuredObject":
        """The same object in its first light alone."""
        return replace(self, targets=self.targets[:VIEWS])

    def shots(self) -> Iterator[tuple[Scene, tuple[Target, ...]]]:
        """Render jobs of up to four pictures, the light changing from one to the next as in a build."""
        for start in range(0, len(self.targets), VIEWS):
            targets = self.targets[start : start + VIEWS]
            yield replace(self.job, views=tuple(target.view for target in targets)), targets
