"""Objects of several detached pieces, such as a tea set: which of them stand on the floor."""

from dataclasses import dataclass

import numpy as np

from datagen.core.shape import Shape
from datagen.geometry.pieces import clusters, components_of

TOUCH = 0.006
"""A piece whose lowest point is this near the floor, as a share of the object's diagonal, stands on it."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """Vertices (V, 3) of each piece that hangs together, in the shape's frame, and its surface area."""

    points: tuple[np.ndarray, ...]
    areas: tuple[float, ...]
    diagonal: float

    @classmethod
    def of(cls, shape: Shape, reach: float) -> "Pieces":
        """The pieces of a shape; surfaces within `reach`, a share of its diagonal, hang together."""
        meshes = components_of([part.mesh for part in shape.parts])
        labels = clusters(meshes, reach * shape.diagonal)
        groups = [[meshes[k] for k in np.flatnonzero(labels == label)] for label in np.unique(labels)]
        points = tuple(np.concatenate([mesh.vertices[np.unique(mesh.faces)] for mesh in group]) for group in groups)
        return cls(points, tuple(sum(mesh.area for mesh in group) for group in groups), shape.diagonal)

    def floating(self, rotation: np.ndarray) -> float:
        """Share of the surface in pieces that touch no floor when the object lies by `rotation` (3, 3), 0..1."""
        lows = np.array([float((cloud @ rotation[2]).min()) for cloud in self.points])
        up = lows - lows.min() > TOUCH * self.diagonal
        return float(np.array(self.areas)[up].sum() / sum(self.areas))
