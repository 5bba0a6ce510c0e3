"""Windsor chair: a bent hoop with spindles, a saddle seat, splayed turned legs and an H stretcher."""

import numpy as np

from datagen.shapes.procedural.body import BACK_FRAME, BACK_VBAR, LEG, SEAT, STRETCHER, Piece, rod
from datagen.shapes.procedural.curves import circle, refine, spline, superellipse
from datagen.shapes.procedural.plates import slab
from datagen.shapes.procedural.primitives import sweep, turned
from datagen.shapes.procedural.shaping import dished, moved


def build(rng: np.random.Generator) -> list[Piece]:
    """One hoop-back Windsor with 5 to 9 spindles."""
    seat_y, width, depth = rng.uniform(0.44, 0.46), rng.uniform(0.43, 0.47), rng.uniform(0.41, 0.44)
    top_y, rake = rng.uniform(0.92, 1.0), rng.uniform(0.1, 0.14)
    outline = refine(superellipse(width, depth, 2.7, 48), 0.05)
    outline[:, 0] *= 1 + 0.14 * outline[:, 1] / depth
    seat = dished(slab(outline, 0.042, 0.014, rings=6, steps=4), 0.014, -0.02, 3.0)
    pieces = [Piece(SEAT, moved(seat, (0, seat_y, 0)))]
    pieces += _legs(seat_y, width, depth, rng)
    half, base = width / 2 - 0.055, -depth / 2 + 0.07
    hoop = _hoop(half, seat_y, top_y, base, rake)
    pieces.append(Piece(BACK_FRAME, sweep(hoop, circle(14) * 0.0115, np.full(len(hoop), 1.0), soften=0.002)))
    count = int(rng.choice([5, 7, 9]))
    for x in np.linspace(-half, half, count + 2)[1:-1]:
        inside = hoop[_top_index(hoop, x * 1.08)]
        foot = (x * 0.86, seat_y - 0.014, base - 0.05 * (1 - (x / half) ** 2))
        pieces.append(Piece(BACK_VBAR, rod(foot, inside, 0.0062, 10, 1.25)))
    return pieces


def _hoop(half: float, seat_y: float, top_y: float, base: float, rake: float) -> np.ndarray:
    height = top_y - seat_y
    side = [
        (half, -0.02),
        (half * 1.1, height * 0.3),
        (half * 1.08, height * 0.62),
        (half * 0.78, height * 0.9),
    ]
    outline = [*side, (0.0, height), *[(-x, y) for x, y in reversed(side)]]
    return spline(
        [(x, seat_y + y, base - max(y, 0.0) / height * rake - 0.012 * (1 - (x / half) ** 2)) for x, y in outline],
        7,
    )


def _top_index(hoop: np.ndarray, x: float) -> int:
    """The station of the hoop's upper run nearest to x."""
    upper = hoop[:, 1] > hoop[:, 1].min() + 0.55 * np.ptp(hoop[:, 1])
    return int(np.where(upper, np.abs(hoop[:, 0] - x), 9.0).argmin())


def _legs(seat_y: float, width: float, depth: float, rng: np.random.Generator) -> list[Piece]:
    r = rng.uniform(0.016, 0.019)
    profile = [
        (0, r * 0.7),
        (0.04, r * 0.85),
        (0.3, r * 1.25),
        (0.36, r * 0.75),
        (0.4, r * 1.15),
        (0.44, r * 0.8),
        (0.5, r * 0.95),
        (0.7, r * 1.3),
        (0.86, r * 0.8),
        (1, r * 0.72),
    ]
    feet, pieces = {}, []
    for side in (1, -1):
        for end in (1, -1):
            top = np.array([side * (width / 2 - 0.09), seat_y - 0.028, end * (depth / 2 - 0.09)])
            foot = np.array([side * (width / 2 + 0.005), 0.0, end * (depth / 2 - 0.01) - 0.01])
            leg = turned(foot, top, profile)
            pieces.append(Piece(LEG, moved(leg, (0, -float(leg.bounds[0, 1]), 0))))
            feet[side, end] = foot + (top - foot) * 0.36
    for side in (1, -1):
        pieces.append(Piece(STRETCHER, rod(feet[side, 1], feet[side, -1], 0.0085, 12, 1.6)))
    middle = [(feet[side, 1] + feet[side, -1]) / 2 for side in (1, -1)]
    pieces.append(Piece(STRETCHER, rod(middle[0], middle[1], 0.0085, 12, 1.6)))
    return pieces
