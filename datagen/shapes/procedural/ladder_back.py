"""Ladder-back chair: turned posts with finials, bowed rungs, a woven seat on round rails."""

import numpy as np

from datagen.shapes.procedural.body import (
    ARM_BAR,
    BACK_HBAR,
    LEG,
    POST,
    SEAT,
    SEAT_FRAME_BAR,
    STRETCHER,
    Body,
    Piece,
    both_sides,
    clipped,
    rod,
    side_body,
)
from datagen.shapes.procedural.curves import circle, refine, rounded_trapezoid, spline
from datagen.shapes.procedural.plates import slab
from datagen.shapes.procedural.primitives import sweep, turned
from datagen.shapes.procedural.shaping import curved_bar, dished, moved, upright


def build(rng: np.random.Generator) -> list[Piece]:
    """One ladder-back chair with 3 to 5 slats, now and then with arms."""
    armed = bool(rng.random() < 0.4)
    body = side_body(rng, top_y=rng.uniform(0.98, 1.06), splay=0.015, rake=rng.uniform(0.07, 0.1))
    radius = rng.uniform(0.017, 0.021)
    x, front_z = body.width / 2 - radius, body.depth / 2 - radius
    rail_y = body.seat_y - 0.03
    pieces = _posts(body, x, rail_y, radius)
    top = body.seat_y + (0.2 if armed else 0.012)
    leg = turned((x + 0.012, 0, front_z), (x + 0.012, top, front_z), _leg_profile(radius, rail_y / top))
    pieces += both_sides(LEG, leg)
    pieces += _rungs(body, x, front_z, rail_y, rng)
    outline = refine(rounded_trapezoid(body.width - 0.05, body.width - 0.012, body.depth - 0.01, 0.025), 0.03)
    seat = dished(slab(outline, 0.034, 0.016, rings=5), 0.012, 0.0, 3.0)
    pieces.append(Piece(SEAT, moved(seat, (0, body.seat_y, 0.0))))
    count = int(rng.integers(3, 6))
    for k in range(count):
        low = body.seat_y + 0.12 + (body.top_y - 0.13 - body.seat_y - 0.12) * k / (count - 1)
        slat = body.on_back((-x, x), (low, low + 0.055), 0.012, 0.004, arch=0.012)
        pieces.append(Piece(BACK_HBAR, slat))
    if armed:
        start, y = float(body.back_z(body.seat_y + 0.2)), body.seat_y + 0.2
        path = spline([(x, y + 0.005, start), (x + 0.02, y + 0.012, 0.0), (x + 0.014, y + 0.006, front_z + 0.03)], 8)
        pieces += both_sides(ARM_BAR, curved_bar(path, 0.05, 0.022, (0, 1, 0), np.linspace(0.7, 1.1, len(path))))
    return pieces


def _leg_profile(r: float, rail: float) -> list[tuple[float, float]]:
    foot = [(0, r * 0.55), (0.01, r * 0.72), (0.05, r * 0.8), (0.09, r * 0.62), (0.13, r * 1.0)]
    shaft = [
        (0.3, r * 1.05),
        (rail * 0.62, r),
        (rail * 0.7, r * 0.7),
        (rail * 0.74, r * 1.15),
        (rail * 0.78, r * 0.8),
    ]
    return [*foot, *shaft, (rail * 0.84, r * 1.1), (0.985, r), (1.0, r * 0.8)]


def _posts(body: Body, x: float, cut: float, radius: float) -> list[Piece]:
    low, high = body.split_rear(x, cut)
    leg = upright(low, 0, 0, np.interp(low[:, 1], [0, 0.12, cut], [0.7, 1.0, 1.05]), circle(16) * radius)
    high = np.concatenate([clipped(high, 0, body.top_y - 0.07), _finial_stations(high, body.top_y - 0.066)])
    scale = np.ones(len(high))
    scale[-8:] = [0.98, 0.62, 0.62, 0.95, 1.15, 1.1, 0.75, 0.3]
    return [*both_sides(LEG, leg), *both_sides(POST, sweep(high, circle(16) * radius, scale, soften=0.001))]


def _finial_stations(path: np.ndarray, start: float) -> np.ndarray:
    y = start + np.array([0.0, 0.008, 0.014, 0.022, 0.034, 0.046, 0.058, 0.066])
    return np.stack([np.interp(y, path[:, 1], path[:, k]) for k in range(3)], axis=1)


def _rungs(body: Body, x: float, front_z: float, rail_y: float, rng: np.random.Generator) -> list[Piece]:
    def back(y: float) -> float:
        return float(body.back_z(y))

    side = rod((x, rail_y, back(rail_y)), (x + 0.012, rail_y, front_z), 0.013)
    pieces = both_sides(SEAT_FRAME_BAR, side)
    for z, half in ((front_z, x + 0.012), (back(rail_y), x)):
        pieces.append(Piece(SEAT_FRAME_BAR, rod((-half, rail_y, z), (half, rail_y, z), 0.013)))
    swell = rng.uniform(1.3, 1.7)
    for y in (0.13, 0.26):
        pieces += both_sides(STRETCHER, rod((x, y, back(y)), (x + 0.012, y, front_z), 0.009, 12, swell))
    for y in (0.165, 0.295):
        pieces.append(Piece(STRETCHER, rod((-x - 0.012, y, front_z), (x + 0.012, y, front_z), 0.009, 12, swell)))
    pieces.append(Piece(STRETCHER, rod((-x, 0.2, back(0.2)), (x, 0.2, back(0.2)), 0.009, 12, swell)))
    return pieces
