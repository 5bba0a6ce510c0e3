"""Garden bench: slatted seat and back between two end frames, with arms."""

import numpy as np

from datagen.shapes.procedural.body import (
    ARM_BAR,
    ARM_POST,
    BACK_HBAR,
    BACK_VBAR,
    LEG,
    RAIL,
    SEAT_BAR,
    SEAT_FRAME_BAR,
    STRETCHER,
    Body,
    Piece,
    both_sides,
    square_posts,
)
from datagen.shapes.procedural.curves import spline
from datagen.shapes.procedural.primitives import rounded_box
from datagen.shapes.procedural.shaping import bar, curved_bar, straight, upright


def build(rng: np.random.Generator) -> list[Piece]:
    """One bench, 1.0 to 1.3 m wide."""
    body = Body(
        rng.uniform(0.42, 0.45),
        rng.uniform(1.0, 1.3),
        rng.uniform(0.44, 0.5),
        rng.uniform(0.84, 0.92),
        rng.uniform(0.09, 0.14),
        splay=0.05,
        bow=0.0,
    )
    size = rng.uniform(0.05, 0.06)
    x, front_z, rail_y = body.width / 2 - size / 2, body.depth / 2 - size / 2, body.seat_y - 0.055
    pieces = square_posts(body, x, rail_y, size)
    leg = upright(straight((x, 0, front_z), (x, rail_y + 0.03, front_z)), size, size)
    pieces += both_sides(LEG, leg)
    for z in (front_z, -body.depth / 2):
        pieces.append(Piece(SEAT_FRAME_BAR, bar((-x, rail_y, z), (x, rail_y, z), 0.026, 0.07)))
    pieces += both_sides(SEAT_FRAME_BAR, bar((x, rail_y, -body.depth / 2), (x, rail_y, front_z), 0.03, 0.07))
    count = int(rng.integers(5, 7))
    pitch = (body.depth + 0.01) / count
    for k in range(count):
        z = -body.depth / 2 + 0.045 + (body.depth - 0.055) * k / (count - 1)
        slat = rounded_box((body.width + 0.01, 0.022, pitch * 0.74), (0, body.seat_y - 0.011, z), 0.005, 2, (2, 1, 1))
        pieces.append(Piece(SEAT_BAR, slat))
    pieces += _back(body, x, rng)
    if rng.random() < 0.7:
        pieces += _arms(body, x, front_z, rail_y, size)
    pieces += both_sides(STRETCHER, bar((x, 0.13, -body.depth / 2 - 0.02), (x, 0.13, front_z), 0.026, 0.04))
    return pieces


def _back(body: Body, x: float, rng: np.random.Generator) -> list[Piece]:
    top, low = body.top_y, body.seat_y + 0.08
    arch = rng.choice([0.0, 0.05])
    rail = body.on_back((-x - 0.01, x + 0.01), (top - 0.07, top + 0.004), 0.034, 0.009, arch=arch)
    if rng.random() < 0.5:
        pieces = [Piece(RAIL, rail)]
        for y in np.linspace(low, top - 0.16, 3):
            pieces.append(Piece(BACK_HBAR, body.on_back((-x, x), (y, y + 0.06), 0.02, 0.005)))
        return pieces
    pieces = [Piece(RAIL, rail), Piece(RAIL, body.on_back((-x, x), (low, low + 0.05), 0.03, 0.006))]
    for centre in np.linspace(-x, x, 8)[1:-1]:
        slat = body.on_back(
            (centre - x * 0.075, centre + x * 0.075),
            (low + 0.04, top - 0.06),
            0.016,
            0.004,
            arch=arch,
            hang=True,
        )
        pieces.append(Piece(BACK_VBAR, slat))
    return pieces


def _arms(body: Body, x: float, front_z: float, rail_y: float, size: float) -> list[Piece]:
    y = body.seat_y + 0.2
    start = float(body.back_z(y)) - 0.01
    path = spline([(x, y - 0.004, start), (x, y + 0.006, start + 0.2), (x, y + 0.012, 0.1), (x, y, front_z + 0.05)], 6)
    post = upright(straight((x, rail_y + 0.026, front_z), (x, y + 0.002, front_z)), size * 0.9, size * 0.9)
    return [
        *both_sides(ARM_BAR, curved_bar(path, 0.062, 0.026, (0, 1, 0), 1.0, 0.009)),
        *both_sides(ARM_POST, post),
    ]
