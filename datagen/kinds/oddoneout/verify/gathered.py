"""Where the pixels of a scene's objects lie, back-projected, over all its views."""

from typing import Any

import numpy as np

from datagen.verify.damage import DAMAGE


class Gathered:
    """Bounds of back-projected pixels by object, over all views."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self.records = records
        count = len(records)
        self.world = np.stack([np.full((count, 3), np.inf), np.full((count, 3), -np.inf)])
        self.local = self.world.copy()
        self.seen: list[list[int]] = [[] for _ in records]

    def add(self, k: int, points: np.ndarray, count: int) -> None:
        self.seen[k].append(count)
        if len(points) == 0:
            return
        try:
            T = np.array(self.records[k]["rotation_matrix"], dtype=float).reshape(4, 4)
            local = (points - T[:3, 3]) @ T[:3, :3]
        except DAMAGE:
            local = points
        for bounds, cloud in ((self.world, points), (self.local, local)):
            bounds[0, k] = np.minimum(bounds[0, k], cloud.min(axis=0))
            bounds[1, k] = np.maximum(bounds[1, k], cloud.max(axis=0))

    def bounds(self, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Low and high (3,) of an object's pixels in the world, then in the frame of its rotation_matrix."""
        return self.world[0, k], self.world[1, k], self.local[0, k], self.local[1, k]
