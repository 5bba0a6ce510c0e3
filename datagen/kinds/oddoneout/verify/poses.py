"""How the objects of scenes lie beside each other, and how many are odd: what tells an odd one without a look."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from datagen.kinds.oddoneout.verify.facts import SceneFacts

APART_DEG, FALLEN_DEG = 5.0, 70.0
"""From here on an object lies otherwise than another, and on another side."""


@dataclass(frozen=True)
class Tilts:
    """Degrees between how objects lie and how the nearest of their scene's (other) normal ones does."""

    objects: int
    median: float
    p95: float
    apart: float
    fallen: float
    """Shares further off than 5 and than 70 degrees."""

    @classmethod
    def of(cls, degrees: Sequence[float]) -> "Tilts":
        """Figures of angles, of which there is at least one."""
        values = np.array(degrees)
        shares = [float((values > limit).mean()) for limit in (APART_DEG, FALLEN_DEG)]
        return cls(len(values), float(np.median(values)), float(np.percentile(values, 95)), *shares)

    def to_json(self) -> dict[str, Any]:
        """Plain figures."""
        return {key: round(value, 4) for key, value in asdict(self).items()}


@dataclass(frozen=True)
class PoseFigures:
    """Tilts of odd and of normal objects (None where the scenes do not say), and scenes by (objects, odd ones)."""

    odd: Tilts | None
    normal: Tilts | None
    counts: tuple[tuple[int, int, int], ...]

    def to_json(self) -> dict[str, Any]:
        """Plain figures."""
        told = {name: t.to_json() if t else None for name, t in (("odd", self.odd), ("normal", self.normal))}
        return {**told, "scenes_by_objects_and_odd": [list(row) for row in self.counts]}


def downs(scene: SceneFacts) -> np.ndarray | None:
    """Unit directions (N, 3) of the shape's frame that point to the floor; None where an object does not say."""
    try:
        T = np.array([thing.record["T_world_shape"] for thing in scene.objects], dtype=float).reshape(-1, 4, 4)
    except (KeyError, TypeError, ValueError):
        return None
    rows = -T[:, 2, :3]
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / length if np.isfinite(rows).all() and (length > 0).all() else None


def angles(directions: np.ndarray) -> np.ndarray:
    """Degrees (N, N) between unit directions (N, 3)."""
    found: np.ndarray = np.degrees(np.arccos(np.clip(directions @ directions.T, -1, 1)))
    return found


def pose_figures(scenes: Sequence[SceneFacts]) -> PoseFigures:
    """Figures over scenes that hold both labels; counts over all."""
    tilts: dict[bool, list[float]] = {True: [], False: []}
    for scene in scenes:
        odd = np.array([thing.anomalous for thing in scene.objects], dtype=bool)
        directions = downs(scene)
        if directions is None or not odd.any() or odd.all():
            continue
        apart = angles(directions)
        np.fill_diagonal(apart, np.inf)
        nearest = apart[:, ~odd].min(axis=1)
        for k in np.flatnonzero(np.isfinite(nearest)):
            tilts[bool(odd[k])].append(float(nearest[k]))
    counts = Counter((len(scene.objects), scene.anomalous) for scene in scenes)
    found = {label: Tilts.of(values) if values else None for label, values in tilts.items()}
    return PoseFigures(found[True], found[False], tuple((*key, n) for key, n in sorted(counts.items())))
