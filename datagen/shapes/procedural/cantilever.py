"""Cantilever chair: bent steel tube from the back over the seat to the floor, two pads."""

import numpy as np

from datagen.core.shape import Mesh
from datagen.shapes.procedural.body import (
    ARM_BAR,
    ARM_POST,
    BACK,
    LEG,
    POST,
    RUNNER,
    SEAT,
    SEAT_FRAME_BAR,
    STRETCHER,
    Body,
    Piece,
    both_sides,
    hoop,
    side_body,
)
from datagen.shapes.procedural.curves import fillet, refine, rounded_trapezoid
from datagen.shapes.procedural.plates import slab
from datagen.shapes.procedural.primitives import rounded_box
from datagen.shapes.procedural.shaping import moved, puffed, waterfall


def build(rng: np.random.Generator) -> list[Piece]:
    """One cantilever chair, half of them with arms."""
    body = side_body(rng, width=rng.uniform(0.46, 0.52), depth=rng.uniform(0.44, 0.48), top_y=rng.uniform(0.82, 0.9))
    r = rng.uniform(0.0115, 0.014)
    x, back, front = body.width / 2, -body.depth / 2, body.depth / 2 + 0.03
    rail_y, bend = body.seat_y - 0.045, rng.uniform(0.05, 0.08)
    path = fillet(
        [
            (x, body.top_y - 0.02, back - body.rake),
            (x, rail_y, back),
            (x, rail_y, front),
            (x, r, front - 0.02),
            (x, r, back - 0.04),
        ],
        bend,
        8,
    )
    pieces = _tube_pieces(path, r, body)
    rear = fillet([(x, r, back - 0.036), (x, r, back - 0.08), (-x, r, back - 0.08), (-x, r, back - 0.036)], 0.05, 6)
    pieces.append(Piece(STRETCHER, hoop(rear, r)))
    pieces.append(Piece(STRETCHER, hoop(np.array([(-x, rail_y, back + 0.09), (x, rail_y, back + 0.09)]), r * 0.9)))
    pieces.append(Piece(SEAT, _seat(body, x)))
    low = body.seat_y + rng.uniform(0.13, 0.18)
    pad = body.on_back((-x - 0.004, x + 0.004), (low, body.top_y), 0.03, 0.012, puff=0.006, offset=0.012)
    pieces.append(Piece(BACK, pad))
    if rng.random() < 0.5:
        pieces += _arms(body, x, r)
    return pieces


def _tube_pieces(path: np.ndarray, r: float, body: Body) -> list[Piece]:
    """The tube cut where PartNet's labels change: post, seat rail, leg, runner."""
    corner = int(np.argmax(path[:, 2] > -body.depth / 2 + 0.06))
    knee = int(np.argmax(path[:, 2])) - 4
    heel = len(path) - 2
    cuts = [
        (POST, 0, corner),
        (SEAT_FRAME_BAR, corner, knee),
        (LEG, knee, heel),
        (RUNNER, heel, len(path) - 1),
    ]
    pieces = []
    for label, start, end in cuts:
        pieces += both_sides(label, hoop(path[start : end + 1], r))
    return pieces


def _seat(body: Body, x: float) -> Mesh:
    outline = refine(rounded_trapezoid(2 * x + 0.004, 2 * x + 0.004, body.depth - 0.02, 0.045), 0.04)
    seat = puffed(slab(outline, 0.042, 0.016, rings=4), 1, 0.012)
    return waterfall(moved(seat, (0, body.seat_y, 0.03)), 0.012, 0.7)


def _arms(body: Body, x: float, r: float) -> list[Piece]:
    y = body.seat_y + 0.21
    start = float(body.back_z(y))
    path = fillet(
        [
            (x, y, start),
            (x + 0.03, y, start + 0.03),
            (x + 0.03, y, 0.12),
            (x + 0.012, body.seat_y - 0.04, 0.14),
        ],
        0.05,
        7,
    )
    pad = rounded_box((0.04, 0.022, 0.24), (x + 0.03, y + 0.018, -0.02), 0.01, 3)
    return [*both_sides(ARM_BAR, pad), *both_sides(ARM_POST, hoop(path, r))]
