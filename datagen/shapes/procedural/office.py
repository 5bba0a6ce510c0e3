"""Office swivel chair: five-star base, twin-wheel casters, gas column, T arms, cushions."""

import numpy as np

from datagen.core.shape import Mesh
from datagen.shapes.procedural.body import (
    ARM_BAR,
    ARM_POST,
    BACK,
    BACK_SUPPORT,
    CASTER,
    COLUMN,
    CONTROL,
    HEAD_CONNECTOR,
    HEADREST,
    SEAT,
    SEAT_SUPPORT,
    STAR_LEG,
    Body,
    Piece,
    both_sides,
)
from datagen.shapes.procedural.curves import fillet, refine, spline, superellipse
from datagen.shapes.procedural.plates import slab
from datagen.shapes.procedural.primitives import rounded_box, turned, warp
from datagen.shapes.procedural.shaping import bar, bowed, curved_bar, moved, puffed, turned_about, waterfall

WHEEL_R = 0.028


def build(rng: np.random.Generator) -> list[Piece]:
    """One swivel chair; half have a headrest, most have arms."""
    body = Body(rng.uniform(0.46, 0.5), rng.uniform(0.46, 0.5), 0.46, rng.uniform(0.95, 1.05), rng.uniform(0.08, 0.12))
    pieces = _star(rng.uniform(0.27, 0.31), rng.uniform(0, 72))
    hub, plate = 0.10, body.seat_y - 0.10
    profile = [
        (0, 0.03),
        (0.03, 0.036),
        (0.34, 0.034),
        (0.36, 0.026),
        (0.62, 0.026),
        (0.64, 0.015),
        (1, 0.015),
    ]
    pieces.append(Piece(COLUMN, turned((0, hub - 0.05, 0), (0, plate + 0.01, 0), profile, 20)))
    pieces.append(Piece(SEAT_SUPPORT, rounded_box((0.2, 0.045, 0.26), (0, plate + 0.016, -0.01), 0.012)))
    pieces += _control(plate)
    pieces.append(Piece(SEAT, _seat(body, rng)))
    pieces += _back(body, plate, rng)
    if rng.random() < 0.8:
        pieces += _arms(body, plate)
    return pieces


def _star(reach: float, start_deg: float) -> list[Piece]:
    pieces = []
    for k in range(5):
        angle = start_deg + 72 * k
        path = spline(
            [(0, 0.108, 0.012), (0, 0.106, reach * 0.35), (0, 0.09, reach * 0.75), (0, 0.074, reach + 0.012)],
            4,
        )
        leg = curved_bar(path, 0.046, 0.034, (0, 1, 0), np.linspace(1.0, 0.72, len(path)), 0.01)
        stem = turned((0, 0.036, reach), (0, 0.082, reach), [(0, 0.014), (0.35, 0.014), (0.4, 0.007), (1, 0.007)], 12)
        pieces.append(Piece(STAR_LEG, turned_about(leg, "y", angle)))
        pieces.append(Piece(f"{CASTER}#{k}/caster_stem", turned_about(stem, "y", angle)))
        pieces.append(Piece(f"{CASTER}#{k}/wheel", turned_about(_wheel(reach), "y", angle)))
    return pieces


def _wheel(reach: float) -> Mesh:
    """Twin wheel as one solid: two tyres and the groove between them, its axle across the leg."""
    r = WHEEL_R
    half = [(0, r * 0.55), (0.03, r * 0.88), (0.12, r), (0.37, r), (0.42, r * 0.92), (0.43, r * 0.55)]
    profile = half + [(1 - t, radius) for t, radius in reversed(half)]
    return turned((-0.026, r, reach + 0.006), (0.026, r, reach + 0.006), profile, 18)


def _control(plate: float) -> list[Piece]:
    lever = fillet([(0.09, plate + 0.012, 0.04), (0.2, plate + 0.006, 0.05), (0.26, plate - 0.012, 0.055)], 0.03, 4)
    grip = rounded_box((0.06, 0.012, 0.024), (0.272, plate - 0.016, 0.056), 0.005)
    knob = turned(
        (0, plate + 0.012, 0.115),
        (0, plate + 0.012, 0.165),
        [(0, 0.01), (0.35, 0.01), (0.4, 0.02), (0.95, 0.022), (1, 0.018)],
        16,
    )
    return [
        Piece(f"{CONTROL}/lever", _joined_bar(lever)),
        Piece(f"{CONTROL}/knob", turned_about(grip, "z", -12, (0.272, plate - 0.016, 0.056))),
        Piece(f"{CONTROL}/knob", knob),
    ]


def _joined_bar(path: np.ndarray) -> Mesh:
    return curved_bar(path, 0.009, 0.009, (0, 0, 1), 1.0, 0.004)


def _seat(body: Body, rng: np.random.Generator) -> Mesh:
    thick = rng.uniform(0.06, 0.075)
    outline = refine(superellipse(body.width + 0.02, body.depth + 0.02, rng.uniform(3.0, 4.5), 40), 0.06)
    seat = puffed(slab(outline, thick, 0.026, rings=5), 1, 0.014)
    return waterfall(moved(seat, (0, body.seat_y, 0.0)), 0.03, 0.6)


def _back(body: Body, plate: float, rng: np.random.Generator) -> list[Piece]:
    low, top, half = (
        body.seat_y + rng.uniform(0.07, 0.12),
        body.top_y,
        body.width / 2 - rng.uniform(0.0, 0.03),
    )
    flat = slab(refine(superellipse(2 * half, top - low, rng.uniform(3.2, 5.0), 44), 0.05), 0.05, 0.02, rings=5)
    pad = puffed(turned_about(flat, "x", 90), 2, 0.012)
    pad = moved(bowed(pad, 0, 2, -0.035), (0, (low + top) / 2, 0.02))
    pad = warp(pad, lambda v: v + np.stack([0 * v[:, 0], 0 * v[:, 0], body.back_z(v[:, 1])], axis=1))
    z = float(body.back_z(low + 0.16)) - 0.052
    spine = fillet(
        [
            (0, plate + 0.008, -0.08),
            (0, plate + 0.004, -body.depth / 2 - 0.075),
            (0, low + 0.02, z - 0.012),
            (0, low + 0.22, float(body.back_z(low + 0.22)) - 0.052),
        ],
        0.07,
        6,
    )
    pieces = [Piece(BACK, pad), Piece(BACK_SUPPORT, _flat_spine(spine))]
    if rng.random() < 0.5:
        y, back = top + 0.11, float(body.back_z(top)) - 0.02
        neck = bar((0, top - 0.05, back + 0.012), (0, y, back - 0.012), 0.04, 0.012, (0, 0, 1))
        rest = puffed(rounded_box((0.26, 0.11, 0.045), (0, y, back + 0.012), 0.02, 2, (6, 2, 1)), 2, 0.01)
        pieces += [Piece(HEAD_CONNECTOR, neck), Piece(HEADREST, bowed(rest, 0, 2, -0.02))]
    return pieces


def _flat_spine(path: np.ndarray) -> Mesh:
    # The flat strip lies across x: `up` along x would swap its axes, so width and height trade places.
    return curved_bar(path, 0.018, 0.06, (1, 0, 0), 1.0, 0.006)


def _arms(body: Body, plate: float) -> list[Piece]:
    x, y = body.width / 2 + 0.045, body.seat_y + 0.2
    path = fillet([(0.06, plate + 0.012, 0.0), (x, plate + 0.012, 0.0), (x + 0.008, y, 0.01)], 0.05, 6)
    post = curved_bar(path, 0.018, 0.05, (0, 0, 1), 1.0, 0.006)
    pad = puffed(rounded_box((0.08, 0.028, 0.25), (x + 0.008, y + 0.006, 0.02), 0.012, 2, (2, 1, 3)), 1, 0.004)
    return [*both_sides(ARM_POST, post), *both_sides(ARM_BAR, pad)]
