"""Dining chair: tapered legs, raked posts, a bowed back panel or pad, an upholstered seat."""

import numpy as np

from datagen.shapes.procedural.body import (
    BACK,
    RAIL,
    SEAT,
    SEAT_SUPPORT,
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
from datagen.shapes.procedural.shaping import bar, moved, puffed


def build(rng: np.random.Generator) -> list[Piece]:
    """One dining chair."""
    body = side_body(rng)
    size, pad = rng.uniform(0.036, 0.044), rng.uniform(0.045, 0.065)
    x, front_z = body.width / 2 - size / 2, body.depth / 2 - size / 2
    under = body.seat_y - pad
    pieces = square_posts(body, x, under, size, spread=rng.uniform(0.0, 0.015))
    pieces += front_legs(x, front_z, under + 0.006, size, size * rng.uniform(0.6, 0.8), rng.uniform(0.0, 0.015))
    pieces += aprons(x, -body.depth / 2, front_z, under + 0.004, rng.uniform(0.05, 0.07), 0.022)
    outline = refine(rounded_trapezoid(body.width - 0.02, body.width + 0.02, body.depth, 0.05), 0.04)
    seat = puffed(slab(outline, pad, 0.018, rings=4, steps=4), 1, 0.014)
    pieces.append(Piece(SEAT, moved(seat, (0, body.seat_y, 0.004))))
    pieces.append(Piece(SEAT_SUPPORT, bar((-x, under - 0.014, 0), (x, under - 0.014, 0), 0.05, 0.03)))
    pieces += _back(body, x, rng)
    if rng.random() < 0.6:
        y = rng.uniform(0.14, 0.2)
        pieces += both_sides(STRETCHER, bar((x, y, -body.depth / 2 - 0.01), (x, y, front_z), 0.018, 0.028))
        pieces.append(Piece(STRETCHER, bar((-x, y, 0), (x, y, 0), 0.018, 0.026)))
    return pieces


def _back(body: Body, x: float, rng: np.random.Generator) -> list[Piece]:
    top = body.top_y
    rail = body.on_back((-x - 0.012, x + 0.012), (top - 0.075, top + 0.004), 0.026, 0.008, arch=0.012)
    if rng.random() < 0.5:
        low = body.seat_y + rng.uniform(0.10, 0.16)
        pad = body.on_back((-x + 0.002, x - 0.002), (low, top - 0.07), 0.036, 0.014, puff=0.010)
        return [Piece(BACK, pad), Piece(RAIL, rail)]
    low = body.seat_y + rng.uniform(0.16, 0.22)
    panel = body.on_back((-x, x), (low, low + rng.uniform(0.10, 0.15)), 0.018)
    return [Piece(BACK, panel), Piece(RAIL, rail)]
