"""Pedestal chair: a trumpet foot, a moulded tub of seat and wrapped back, a loose cushion."""

import numpy as np

from datagen.core.shape import Mesh
from datagen.shapes.procedural.body import (
    ARM_SOFA,
    BACK,
    PEDESTAL,
    PEDESTAL_COLUMN,
    SEAT,
    SEAT_FRAME,
    Piece,
)
from datagen.shapes.procedural.curves import spline, superellipse
from datagen.shapes.procedural.plates import sheet, slab
from datagen.shapes.procedural.primitives import turned
from datagen.shapes.procedural.shaping import dished, moved, puffed


def build(rng: np.random.Generator) -> list[Piece]:
    """One pedestal chair."""
    seat_y, r = rng.uniform(0.43, 0.46), rng.uniform(0.235, 0.26)
    foot_r, shell_y = rng.uniform(0.22, 0.25), seat_y - 0.07
    neck = shell_y * 0.5
    curve = spline(
        [
            (0, foot_r),
            (0.012, foot_r),
            (0.03, foot_r * 0.86),
            (0.07, foot_r * 0.42),
            (0.16, 0.046),
            (neck, 0.03),
        ],
        5,
    )
    pieces = [Piece(PEDESTAL, _lathe(curve))]
    upper = spline(
        [(neck - 0.006, 0.0302), (shell_y * 0.75, 0.034), (shell_y - 0.02, 0.07), (shell_y + 0.004, 0.12)], 6
    )
    pieces.append(Piece(PEDESTAL_COLUMN, _lathe(upper)))
    bowl = dished(slab(superellipse(2 * r, 2 * r * 0.96, 2.4, 48), 0.03, 0.012, rings=6), 0.02)
    pieces.append(Piece(SEAT_FRAME, moved(bowl, (0, shell_y + 0.026, 0))))
    pad = puffed(slab(superellipse(1.82 * r, 1.76 * r, 2.5, 44), 0.055, 0.024, rings=5, steps=4), 1, 0.014)
    pieces.append(Piece(SEAT, moved(pad, (0, seat_y, 0.012))))
    pieces += _tub(r, shell_y, rng)
    return pieces


def _lathe(curve: np.ndarray) -> Mesh:
    low, high = curve[0, 0], curve[-1, 0]
    profile = [((y - low) / (high - low), radius) for y, radius in curve]
    return turned((0, low, 0), (0, high, 0), profile, 36)


def _tub(r: float, shell_y: float, rng: np.random.Generator) -> list[Piece]:
    """The wrapped back as one sheet, cut from the two sides that serve as arms."""
    back_h, arm_h = rng.uniform(0.36, 0.44), rng.uniform(0.17, 0.22)
    reach, recline, waist = rng.uniform(96, 132), rng.uniform(0.12, 0.45), rng.uniform(0.8, 0.93)
    pieces = []
    for label, start, end in ((BACK, -62, 62), (ARM_SOFA, 62, reach), (ARM_SOFA, -reach, -62)):
        angle = np.radians(np.linspace(start, end, 20))
        height = _rim(np.degrees(angle), back_h, arm_h)
        t = np.linspace(0, 1, 9)[None]
        lean = 1 + recline * t * (0.35 + 0.65 * np.cos(angle / 2)[:, None] ** 4)
        x, z = -np.sin(angle)[:, None] * lean, -np.cos(angle)[:, None] * lean
        y = shell_y + 0.008 + t * height[:, None]
        inset = waist + (1 - waist) * np.sin(np.pi / 2 * np.clip(t * 2.5, 0, 1))
        pieces.append(Piece(label, sheet(np.stack([x * r * inset, y + 0 * x, z * r * 0.97 * inset], axis=-1), 0.022)))
    return pieces


def _rim(angle_deg: np.ndarray, back_h: float, arm_h: float) -> np.ndarray:
    """Height of the tub's rim, falling smoothly from the back's crown to the arms and their fronts."""

    def step(t: np.ndarray) -> np.ndarray:
        t = np.clip(t, 0, 1)
        return t * t * (3 - 2 * t)

    a = np.abs(angle_deg)
    return back_h + (arm_h - back_h) * step((a - 15) / 75) - (arm_h - 0.1) * step((a - 95) / 40)
