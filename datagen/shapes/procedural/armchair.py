"""Lounge armchair: a wooden frame with paddle arms, slatted back and two thick cushions."""

import numpy as np

from datagen.shapes.procedural.body import (
    ARM_BAR,
    ARM_POST,
    BACK,
    BACK_VBAR,
    LEG,
    RAIL,
    SEAT,
    SEAT_FRAME_BAR,
    SEAT_SUPPORT,
    Body,
    Piece,
    both_sides,
    square_posts,
)
from datagen.shapes.procedural.curves import spline
from datagen.shapes.procedural.primitives import rounded_box
from datagen.shapes.procedural.shaping import bar, curved_bar, moved, puffed, straight, turned_about, upright


def build(rng: np.random.Generator) -> list[Piece]:
    """One lounge chair with arms."""
    body = Body(
        0.32,
        rng.uniform(0.58, 0.64),
        rng.uniform(0.56, 0.62),
        rng.uniform(0.78, 0.86),
        rng.uniform(0.18, 0.24),
        splay=0.06,
        bow=0.0,
    )
    size = rng.uniform(0.036, 0.044)
    x, front_z = body.width / 2, body.depth / 2
    arm_y = body.seat_y + rng.uniform(0.23, 0.27)
    pieces = square_posts(body, x - 0.006, body.seat_y - 0.03, size)
    taper = np.array([1.0, 0.68])
    leg = upright(straight((x, body.seat_y - 0.02, front_z), (x + 0.01, 0, front_z + 0.02)), size, size, taper)
    post = upright(
        straight((x, body.seat_y - 0.024, front_z), (x, arm_y, front_z - 0.01)), size, size, 0.98 * taper**0.5
    )
    pieces += [*both_sides(LEG, leg), *both_sides(ARM_POST, post)]
    pieces += _frame(body, x, front_z)
    start = float(body.back_z(arm_y)) - 0.02
    path = spline(
        [
            (x - 0.006, arm_y - 0.025, start),
            (x + 0.012, arm_y + 0.002, start + 0.2),
            (x + 0.018, arm_y + 0.008, 0.1),
            (x + 0.004, arm_y, front_z + 0.04),
        ],
        7,
    )
    scale = np.stack(
        [
            np.interp(np.linspace(0, 1, len(path)), [0, 0.45, 0.85, 1], [0.55, 0.9, 1.25, 1.05]),
            np.ones(len(path)),
        ],
        axis=1,
    )
    pieces += both_sides(ARM_BAR, curved_bar(path, 0.07, 0.024, (0, 1, 0), scale, 0.009))
    pieces += _back(body, x, rng)
    return pieces


def _frame(body: Body, x: float, front_z: float) -> list[Piece]:
    y, back = body.seat_y - 0.045, -body.depth / 2
    pieces = both_sides(SEAT_FRAME_BAR, bar((x, y - 0.02, back), (x, y, front_z), 0.024, 0.06))
    pieces.append(Piece(SEAT_FRAME_BAR, bar((-x, y, front_z), (x, y, front_z), 0.024, 0.06)))
    pieces.append(Piece(SEAT_FRAME_BAR, bar((-x, y - 0.02, back), (x, y - 0.02, back), 0.024, 0.06)))
    for z in np.linspace(back + 0.12, front_z - 0.12, 3):
        pieces.append(Piece(SEAT_SUPPORT, bar((-x, y + 0.018, z), (x, y + 0.018, z), 0.05, 0.018)))
    thick = 0.12
    cushion = rounded_box((2 * x - 0.05, thick, body.depth + 0.01), (0, 0, 0), 0.035, 4, (6, 1, 6))
    cushion = turned_about(puffed(cushion, 1, 0.016), "x", -3.0)
    pieces.append(Piece(SEAT, moved(cushion, (0, y + 0.022 + thick / 2, 0.035))))
    return pieces


def _back(body: Body, x: float, rng: np.random.Generator) -> list[Piece]:
    top, low = body.top_y, body.seat_y + 0.0
    rails = [body.on_back((-x, x), (y, y + 0.045), 0.022, 0.006) for y in (top - 0.055, low)]
    pieces = [Piece(RAIL, mesh) for mesh in rails]
    count = int(rng.integers(4, 7))
    for centre in np.linspace(-x, x, count + 2)[1:-1]:
        pieces.append(Piece(BACK_VBAR, body.on_back((centre - 0.018, centre + 0.018), (low + 0.04, top - 0.05), 0.012)))
    bottom = body.seat_y + 0.085
    cushion = body.on_back((-x + 0.03, x - 0.03), (bottom, top + 0.02), 0.11, 0.04, puff=0.012, offset=0.06)
    return [*pieces, Piece(BACK, cushion)]
