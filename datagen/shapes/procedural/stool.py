"""Bar stool: dished round seat, splayed turned legs, a footrest ring or rungs, sometimes a low back."""

import numpy as np

from datagen.core.shape import Mesh
from datagen.shapes.procedural.body import (
    BACK,
    BACK_SUPPORT,
    FOOTREST,
    LEG,
    SEAT,
    SEAT_SUPPORT,
    STRETCHER,
    Piece,
    rod,
)
from datagen.shapes.procedural.curves import circle, spline, superellipse
from datagen.shapes.procedural.plates import slab
from datagen.shapes.procedural.primitives import tube, turned
from datagen.shapes.procedural.shaping import curved_bar, dished, moved, turned_about


def build(rng: np.random.Generator) -> list[Piece]:
    """One stool, 60 to 76 cm high, on three or four legs."""
    legs, height = int(rng.integers(3, 5)), rng.uniform(0.60, 0.76)
    seat_d, spread, r = rng.uniform(0.33, 0.38), rng.uniform(0.2, 0.24), rng.uniform(0.016, 0.02)
    thick, inner = rng.uniform(0.035, 0.05), seat_d * 0.33
    seat = slab(superellipse(seat_d, seat_d, rng.choice([2.0, 2.25]), 48), thick, 0.014, rings=6, steps=4)
    seat = dished(seat, 0.012) if rng.random() < 0.6 else dished(seat, -0.014)
    pieces = [Piece(SEAT, moved(seat, (0, height, 0)))]
    under, start = height - thick + 0.006, 45.0 if legs == 4 else 30.0
    angles = [start + 360 / legs * k for k in range(legs)]
    plate = turned(
        (0, under - 0.03, 0), (0, under, 0), [(0, inner + 0.02), (0.2, inner + 0.028), (1, inner + 0.028)], 32
    )
    pieces.append(Piece(SEAT_SUPPORT, plate))
    profile = [(0, r), (0.12, r * 1.05), (0.5, r * 1.12), (0.85, r * 0.85), (0.97, r * 0.72), (1, r * 0.6)]
    for angle in angles:
        leg = turned((0, under - 0.012, inner), (0, 0.0, spread), profile, 18)
        pieces.append(Piece(LEG, _grounded(turned_about(leg, "y", angle))))
    pieces += _footrest(angles, height, under, inner, spread, rng)
    if rng.random() < 0.45:
        pieces += _low_back(height, seat_d, rng)
    return pieces


def _grounded(mesh: Mesh) -> Mesh:
    return moved(mesh, (0, -float(mesh.bounds[0, 1]), 0))


def _radius_at(y: float, under: float, inner: float, spread: float) -> float:
    return spread + (inner - spread) * y / (under - 0.012)


def _footrest(
    angles: list[float], height: float, under: float, inner: float, spread: float, rng: np.random.Generator
) -> list[Piece]:
    y = height - 0.45 if height > 0.63 else 0.2
    if rng.random() < 0.5:
        ring = circle(48) * _radius_at(y, under, inner, spread)
        path = np.column_stack([ring[:, 0], np.full(48, y), ring[:, 1]])
        return [Piece(FOOTREST, tube(path, 0.009, 12, closed=True))]
    pieces = []
    for k, angle in enumerate(angles):
        level = y + (0.035 if k % 2 else 0.0)
        radius = _radius_at(level, under, inner, spread)
        a, b = np.radians(angle), np.radians(angles[(k + 1) % len(angles)])
        ends = [(radius * np.sin(t), level, radius * np.cos(t)) for t in (a, b)]
        pieces.append(Piece(FOOTREST if k == len(angles) - 1 else STRETCHER, rod(ends[0], ends[1], 0.011, 14, 1.2)))
    return pieces


def _low_back(height: float, seat_d: float, rng: np.random.Generator) -> list[Piece]:
    top, r = height + rng.uniform(0.2, 0.28), seat_d / 2
    angle = np.radians(np.linspace(125, 235, 21))
    arc = np.column_stack([(r + 0.015) * np.sin(angle), np.full(21, top), (r + 0.015) * np.cos(angle)])
    pieces = [Piece(BACK, curved_bar(arc, 0.024, 0.085, (0, 1, 0), 1.0, 0.009))]
    for t in (np.radians(148), np.radians(212)):
        path = spline(
            [
                ((r - 0.035) * np.sin(t), height - 0.012, (r - 0.035) * np.cos(t)),
                ((r - 0.012) * np.sin(t), height + 0.09, (r - 0.012) * np.cos(t)),
                ((r + 0.012) * np.sin(t), top, (r + 0.012) * np.cos(t)),
            ],
            6,
        )
        pieces.append(Piece(BACK_SUPPORT, tube(path, 0.010, 12)))
    return pieces
