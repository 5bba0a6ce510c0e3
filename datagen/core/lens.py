"""Lens distortion after Brown and Conrady, as OpenCV's five coefficients state it."""

from dataclasses import dataclass

import numpy as np

from datagen.core.errors import UsageError

STEPS = 30
CLOSE = 1e-12


@dataclass(frozen=True)
class Lens:
    """x' = x (1 + k1 r2 + k2 r4 + k3 r6) + 2 p1 x y + p2 (r2 + 2 x2), y' likewise with p1 and p2 exchanged.

    (x, y) is a direction as (right, down) over ahead, r2 = x2 + y2; (x', y') is where its pixel is, before K.
    """

    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    k3: float = 0.0

    @property
    def is_straight(self) -> bool:
        """Whether it distorts nothing."""
        return not any((self.k1, self.k2, self.p1, self.p2, self.k3))

    def distort(self, points: np.ndarray) -> np.ndarray:
        """Directions (N, 2) to where they are seen (N, 2)."""
        x, y = points[:, 0], points[:, 1]
        r2 = x * x + y * y
        radial = 1 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3))
        return np.stack(
            [
                x * radial + 2 * self.p1 * x * y + self.p2 * (r2 + 2 * x * x),
                y * radial + 2 * self.p2 * x * y + self.p1 * (r2 + 2 * y * y),
            ],
            axis=1,
        )

    def undistort(self, seen: np.ndarray) -> np.ndarray:
        """The inverse of `distort` (N, 2), by Newton's method.

        Raises UsageError where the coefficients fold the picture over itself, so that a pixel has no direction.
        """
        found = seen.astype(np.float64).copy()
        for _ in range(STEPS):
            error = self.distort(found) - seen
            if not len(error) or np.abs(error).max() < CLOSE:
                return found
            a, b, c, d = self._slopes(found)
            det = a * d - b * c
            if (det <= 0).any():
                break
            found -= (
                np.stack([(d * error[:, 0] - b * error[:, 1]), (a * error[:, 1] - c * error[:, 0])], axis=1)
                / (det[:, None])
            )
        if np.abs(self.distort(found) - seen).max() > 1e-9:
            raise UsageError(
                f"{self} folds the picture over itself within its borders; check the coefficients, which are OpenCV's "
                "k1, k2, p1, p2, k3"
            )
        return found

    def _slopes(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Derivatives of `distort`: dx'/dx, dx'/dy, dy'/dx, dy'/dy."""
        x, y = points[:, 0], points[:, 1]
        r2 = x * x + y * y
        radial = 1 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3))
        slope = 2 * (self.k1 + r2 * (2 * self.k2 + 3 * r2 * self.k3))
        cross = slope * x * y + 2 * (self.p1 * x + self.p2 * y)
        return (
            radial + slope * x * x + 2 * self.p1 * y + 6 * self.p2 * x,
            cross,
            cross,
            radial + slope * y * y + 2 * self.p2 * x + 6 * self.p1 * y,
        )
