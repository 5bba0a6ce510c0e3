"""Folding chair: two crossing frames, a slatted or padded seat, back slats, cross rods."""

from collections.abc import Callable

import numpy as np

from datagen.shapes.procedural.body import (
    BACK,
    BACK_HBAR,
    LEG,
    POST,
    SEAT,
    SEAT_BAR,
    SEAT_FRAME_BAR,
    STRETCHER,
    Piece,
    both_sides,
    rod,
)
from datagen.shapes.procedural.curves import refine, rounded_trapezoid
from datagen.shapes.procedural.plates import slab
from datagen.shapes.procedural.primitives import rounded_box, warp
from datagen.shapes.procedural.shaping import bar, bowed, moved, puffed, straight, upright


def build(rng: np.random.Generator) -> list[Piece]:
    """One folding chair: the long frame runs from the front feet to the top of the back."""
    seat_y, width, top_y = rng.uniform(0.44, 0.47), rng.uniform(0.42, 0.47), rng.uniform(0.8, 0.88)
    x_out, x_in = width / 2, width / 2 - 0.03
    foot, slope = 0.25, rng.uniform(0.5, 0.56)
    thick, wide = 0.022, rng.uniform(0.032, 0.038)

    def long_z(y: float) -> float:
        return foot - slope * y if y < seat_y else foot - slope * seat_y - 0.28 * (y - seat_y)

    low = upright(straight((x_out, 0, foot), (x_out, seat_y, long_z(seat_y))), thick, wide)
    high = upright(
        straight((x_out, seat_y - 0.004, long_z(seat_y - 0.004)), (x_out, top_y, long_z(top_y))),
        thick * 0.97,
        wide * 0.97,
    )
    back_foot, seat_front = -0.24, 0.19
    short = upright(straight((x_in, 0, back_foot), (x_in, seat_y - 0.03, seat_front - 0.03)), thick, wide * 1.1)
    pieces = [*both_sides(LEG, low), *both_sides(POST, high), *both_sides(LEG, short)]
    pieces += _seat(x_in, seat_y, long_z(seat_y), seat_front, rng)
    pivot = _crossing(foot, slope, back_foot, seat_front - 0.03, seat_y - 0.03)
    pieces.append(Piece(STRETCHER, rod((-x_out, *pivot), (x_out, *pivot), 0.007, 12)))
    for x, y, z in (
        (x_out, 0.12, long_z(0.12)),
        (x_in, 0.1, back_foot + 0.1 * (seat_front - 0.03 - back_foot) / (seat_y - 0.03)),
    ):
        pieces.append(Piece(STRETCHER, bar((-x, y, z), (x, y, z), 0.018, 0.03)))
    pieces += _back(x_out, top_y, long_z, rng)
    return pieces


def _crossing(foot: float, slope: float, back: float, front: float, seat_y: float) -> tuple[float, float]:
    """Height and depth where the two frames cross in side view."""
    y = (foot - back) / ((front - back) / seat_y + slope)
    return y, foot - slope * y


def _seat(x: float, seat_y: float, back: float, front: float, rng: np.random.Generator) -> list[Piece]:
    rail = bar((x, seat_y - 0.032, back - 0.01), (x, seat_y - 0.026, front), 0.02, 0.028)
    pieces = both_sides(SEAT_FRAME_BAR, rail)
    pieces.append(
        Piece(SEAT_FRAME_BAR, rod((-x - 0.03, seat_y - 0.03, back), (x + 0.03, seat_y - 0.03, back), 0.008, 12))
    )
    if rng.random() < 0.5:
        outline = refine(rounded_trapezoid(2 * x + 0.02, 2 * x + 0.02, front - back, 0.04), 0.04)
        pad = puffed(slab(outline, 0.03, 0.012, rings=4), 1, 0.012)
        return [*pieces, Piece(SEAT, moved(pad, (0, seat_y + 0.01, (front + back) / 2 + 0.02)))]
    count = int(rng.integers(5, 8))
    pitch = (front - back - 0.03) / (count - 1)
    for k in range(count):
        slat = rounded_box(
            (2 * x + 0.02, 0.018, pitch * 0.8),
            (0, seat_y - 0.008, back + 0.03 + pitch * k),
            0.004,
            2,
            (10, 1, 1),
        )
        pieces.append(Piece(SEAT_BAR, bowed(slat, 0, 1, -0.003)))
    return pieces


def _back(x: float, top_y: float, long_z: Callable[[float], float], rng: np.random.Generator) -> list[Piece]:
    solid_back = rng.random() < 0.4
    spans = [(top_y - 0.2, top_y - 0.01)] if solid_back else [(top_y - 0.085, top_y), (top_y - 0.2, top_y - 0.125)]
    pieces = []
    for low, high in spans:
        board = rounded_box((2 * x + 0.004, high - low, 0.016), (0, (low + high) / 2, 0), 0.006, 2, (12, 3, 1))
        board = bowed(board, 0, 2, -0.03)
        follow = warp(board, lambda v: v + np.stack([0 * v[:, 0], 0 * v[:, 0], [long_z(y) for y in v[:, 1]]], axis=1))
        pieces.append(Piece(BACK if solid_back else BACK_HBAR, follow))
    return pieces
