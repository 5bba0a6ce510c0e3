"""Slat-back chair: vertical slats between a crest and a lower rail, a hollowed wooden seat."""

import numpy as np

from datagen.shapes.procedural.body import (
    BACK_VBAR,
    RAIL,
    SEAT,
    STRETCHER,
    Body,
    Piece,
    aprons,
    both_sides,
    front_legs,
    side_body,
    square_posts,
)
from datagen.shapes.procedural.curves import refine, rounded_trapezoid
from datagen.shapes.procedural.plates import slab
from datagen.shapes.procedural.shaping import bar, dished, moved


def build(rng: np.random.Generator) -> list[Piece]:
    """One slat-back chair with 4 to 7 slats."""
    body = side_body(rng, top_y=rng.uniform(0.9, 1.0))
    size, board = rng.uniform(0.034, 0.040), rng.uniform(0.02, 0.026)
    x, front_z = body.width / 2 - size / 2, body.depth / 2 - size / 2
    under = body.seat_y - board
    pieces = square_posts(body, x, under, size)
    pieces += front_legs(x, front_z, under + 0.004, size, size * 0.75)
    pieces += aprons(x, -body.depth / 2, front_z, under + 0.003, rng.uniform(0.045, 0.06), 0.02)
    outline = refine(rounded_trapezoid(body.width - 0.03, body.width + 0.02, body.depth + 0.02, 0.03), 0.035)
    seat = dished(slab(outline, board, 0.007, rings=5), 0.010, -0.03)
    pieces.append(Piece(SEAT, moved(seat, (0, body.seat_y + 0.002, 0.012))))
    pieces += _back(body, x, int(rng.integers(4, 8)), rng)
    y = rng.uniform(0.12, 0.2)
    pieces += both_sides(STRETCHER, bar((x, y, -body.depth / 2 - 0.012), (x, y, front_z), 0.018, 0.026))
    pieces.append(Piece(STRETCHER, bar((-x, y + 0.06, front_z), (x, y + 0.06, front_z), 0.018, 0.026)))
    return pieces


def _back(body: Body, x: float, count: int, rng: np.random.Generator) -> list[Piece]:
    top, low = body.top_y, body.seat_y + rng.uniform(0.07, 0.12)
    arch = rng.uniform(0.0, 0.03)
    crest = body.on_back((-x - 0.01, x + 0.01), (top - 0.07, top + 0.002), 0.028, 0.009, arch=arch)
    rail = body.on_back((-x, x), (low, low + 0.036), 0.024, 0.005)
    pieces = [Piece(RAIL, crest), Piece(RAIL, rail)]
    pitch = 2 * x / (count + 1)
    half = pitch * rng.uniform(0.22, 0.32)
    for k in range(count):
        centre = -x + pitch * (k + 1)
        slat = body.on_back(
            (centre - half, centre + half), (low + 0.03, top - 0.062), 0.012, 0.004, arch=arch, hang=True
        )
        pieces.append(Piece(BACK_VBAR, slat))
    return pieces
