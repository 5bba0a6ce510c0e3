"""Upholstered sofa or club chair: framed body, loose cushions, rolled or block arms, turned feet."""

import numpy as np

from datagen.core.shape import Mesh
from datagen.shapes.procedural.body import (
    ARM_SOFA,
    BACK,
    BACK_FRAME,
    FOOT,
    SEAT,
    SEAT_FRAME,
    SEAT_SUPPORT,
    Piece,
    both_sides,
)
from datagen.shapes.procedural.curves import circle
from datagen.shapes.procedural.primitives import loft, rounded_box
from datagen.shapes.procedural.shaping import moved, puffed, straight, turned_about, upright


def build(rng: np.random.Generator) -> list[Piece]:
    """One to three seats wide."""
    seats = int(rng.integers(1, 4))
    seat_w, depth = rng.uniform(0.54, 0.62), rng.uniform(0.78, 0.86)
    width, foot = seats * seat_w, rng.uniform(0.08, 0.13)
    frame_h, cushion_h, arm_w = 0.17, 0.15, rng.uniform(0.12, 0.17)
    top, seat_y = foot + frame_h, foot + frame_h + cushion_h
    back_top = rng.uniform(0.78, 0.86)
    pieces = [Piece(SEAT_FRAME, rounded_box((width, frame_h, depth - 0.02), (0, foot + frame_h / 2, 0), 0.02, 3))]
    support = rounded_box((width - 0.1, 0.03, depth - 0.2), (0, foot - 0.008, 0), 0.008)
    pieces.append(Piece(SEAT_SUPPORT, support))
    panel = rounded_box((width + 0.02, back_top - foot - 0.02, 0.14), (0, 0, 0), 0.05, 3, (2, 5, 1))
    panel = turned_about(moved(panel, (0, (back_top + foot) / 2, -depth / 2 + 0.07)), "x", -7, (0, foot, -depth / 2))
    pieces.append(Piece(BACK_FRAME, panel))
    pieces += _cushions(seats, seat_w, depth, top, cushion_h, seat_y, back_top)
    arm_h = rng.uniform(0.56, 0.64)
    arm = _rolled_arm(arm_w, arm_h - foot, depth) if rng.random() < 0.5 else _block_arm(arm_w, arm_h - foot, depth)
    pieces += both_sides(ARM_SOFA, moved(arm, (width / 2 + arm_w / 2 - 0.01, foot, 0.0)))
    x, z = width / 2 + arm_w * 0.4, depth / 2 - 0.07
    for side in (z, -z):
        path = straight((x + 0.01, 0, side * 1.02), (x, foot + 0.01, side), 5)
        pieces += both_sides(FOOT, upright(path, 0, 0, np.linspace(0.55, 1.0, 5), circle(16) * 0.03))
    return pieces


def _cushions(
    seats: int, seat_w: float, depth: float, top: float, cushion_h: float, seat_y: float, back_top: float
) -> list[Piece]:
    pieces = []
    inner = depth - 0.15
    for k in range(seats):
        x = (k - (seats - 1) / 2) * seat_w
        seat = rounded_box((seat_w + 0.002, cushion_h, inner), (0, 0, 0), 0.042, 3, (5, 1, 5))
        pieces.append(
            Piece(
                SEAT,
                moved(puffed(seat, 1, 0.022), (x, top + cushion_h / 2 - 0.004, depth / 2 - inner / 2 + 0.01)),
            )
        )
        height = back_top - seat_y + 0.02
        back = puffed(rounded_box((seat_w - 0.004, height, 0.17), (0, 0, 0), 0.06, 3, (5, 4, 1)), 2, 0.03)
        back = turned_about(back, "x", -11)
        pieces.append(Piece(BACK, moved(back, (x, seat_y + height / 2 - 0.004, -depth / 2 + 0.165))))
    return pieces


def _block_arm(width: float, height: float, depth: float) -> Mesh:
    arm = rounded_box((width, height, depth), (0, height / 2, 0), 0.045, 4, (2, 2, 2))
    return puffed(arm, 1, 0.006)


def _rolled_arm(width: float, height: float, depth: float) -> Mesh:
    """A straight body with a scroll on top, drawn as one outline and carried front to back."""
    r = width * 0.56
    angle = np.radians(np.linspace(-38, 218, 22))
    scroll = np.stack([r * np.cos(angle), height - r + r * np.sin(angle)], axis=1)
    foot = np.array([[-width * 0.42, 0.012], [-width * 0.4, 0.0], [width * 0.4, 0.0], [width * 0.42, 0.012]])
    outline = np.concatenate([scroll, foot])
    centre = outline.mean(axis=0)
    stations = [
        (-depth / 2, 0.9),
        (-depth / 2 + 0.005, 0.96),
        (-depth / 2 + 0.018, 1.0),
        (0.0, 1.0),
        (depth / 2 - 0.018, 1.0),
        (depth / 2 - 0.005, 0.96),
        (depth / 2, 0.9),
    ]
    rings = [np.column_stack([centre + (outline - centre) * s, np.full(len(outline), z)]) for z, s in stations]
    return loft(np.array(rings))
