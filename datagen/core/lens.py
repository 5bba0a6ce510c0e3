"""Lens distortion after Brown and Conrady, as OpenCV's five coefficients state it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from datagen.core.errors import UsageError

STEPS = 30
CLOSE = 1e-12
ASIDE = 1e-6
"""A step that is small beside any field of view."""


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

    @property
    def _told(self) -> str:
        return ", ".join(f"{name} {value:g}" for name, value in asdict(self).items() if value)

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
                f"a lens of {self._told} folds the picture over itself within its borders; check the coefficients, "
                "which are OpenCV's k1, k2, p1, p2, k3"
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


@dataclass(frozen=True)
class CutoutLens:
    """A lens as a level cut-out sees it that looks another way than the lens does.

    `turn` is the rotation (9, row by row) from the cut-out's camera axes to the lens's, both as OpenCV has them. Where
    the cut-out's middle is seen is its origin, and what is to the right of that stays to the right.
    """

    lens: Lens
    turn: tuple[float, ...]

    @property
    def is_straight(self) -> bool:
        """Whether the lens distorts nothing: a cut-out of such a picture is taken for a view of its own."""
        return self.lens.is_straight

    def distort(self, points: np.ndarray) -> np.ndarray:
        """Directions (N, 2) of the cut-out's camera to where they are seen (N, 2)."""
        origin, level = self._frame
        found: np.ndarray = (self._seen(points) - origin) @ level
        return found

    def undistort(self, seen: np.ndarray) -> np.ndarray:
        """The inverse of `distort` (N, 2). Raises UsageError as `Lens.undistort`."""
        origin, level = self._frame
        flat = self.lens.undistort(seen @ level.T + origin)
        ahead = np.c_[flat, np.ones(len(flat))] @ self._R
        found: np.ndarray = ahead[:, :2] / ahead[:, 2:]
        return found

    @property
    def _R(self) -> np.ndarray:
        return np.array(self.turn).reshape(3, 3)

    def _seen(self, points: np.ndarray) -> np.ndarray:
        """Where the lens shows directions of the cut-out's camera."""
        turned = np.c_[points, np.ones(len(points))] @ self._R.T
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.lens.distort(turned[:, :2] / turned[:, 2:])

    @cached_property
    def _frame(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the cut-out's middle is seen (2,), and the rotation (2, 2) whose columns are its right and down."""
        origin, beside = self._seen(np.array([[0.0, 0.0], [ASIDE, 0.0]]))
        x, y = (beside - origin) / np.linalg.norm(beside - origin)
        return origin, np.array([[x, -y], [y, x]])


AnyLens = Lens | CutoutLens


def lens_data(lens: AnyLens) -> dict[str, Any]:
    """As JSON has it: coefficients by name, and `turn` of a cut-out; {} of a straight one."""
    if lens.is_straight:
        return {}
    return asdict(lens) if isinstance(lens, Lens) else {**asdict(lens.lens), "turn": list(lens.turn)}


def lens_of(data: Mapping[str, Any]) -> AnyLens:
    """The lens of `lens_data`. Raises TypeError, ValueError for what is none."""
    told = dict(data)
    turn = tuple(float(value) for value in told.pop("turn", ()))
    lens = Lens(**{name: float(value) for name, value in told.items()})
    if len(turn) not in (0, 9):
        raise ValueError("turn of a lens is nine numbers")
    return CutoutLens(lens, turn) if turn else lens
