"""Rocking chair: curved rockers, slatted back, arms on turned posts."""

import numpy as np

from datagen.core.shape import Mesh
from datagen.shapes.procedural.body import (
    ARM_BAR,
    ARM_POST,
    BACK_VBAR,
    LEG,
    RAIL,
    ROCKER,
    SEAT,
    STRETCHER,
    Body,
    Piece,
    aprons,
    both_sides,
    rod,
    square_posts,
)
from datagen.shapes.procedural.curves import refine, rounded_trapezoid, spline
from datagen.shapes.procedural.plates import slab
from datagen.shapes.procedural.primitives import turned, warp
from datagen.shapes.procedural.shaping import curved_bar, dished, moved, straight, upright


def build(rng: np.random.Generator) -> list[Piece]:
    """One rocking chair."""
    body = Body(
        rng.uniform(0.41, 0.44),
        rng.uniform(0.48, 0.53),
        rng.uniform(0.46, 0.5),
        rng.uniform(1.02, 1.12),
        rng.uniform(0.16, 0.22),
        splay=0.05,
        bow=0.03,
    )
    size = rng.uniform(0.034, 0.04)
    x, front_z, under = body.width / 2 - size / 2, body.depth / 2 - size / 2, body.seat_y - 0.024
    arm_y = body.seat_y + rng.uniform(0.2, 0.24)
    lift = 0.065
    pieces = [_cut(piece, lift) for piece in square_posts(body, x, under, size)]
    leg = upright(straight((x, lift - 0.03, front_z), (x, under + 0.004, front_z)), size * 0.85, size * 0.85)
    profile = [(0, 0.016), (0.1, 0.011), (0.2, 0.016), (0.5, 0.02), (0.8, 0.014), (0.9, 0.011), (1, 0.016)]
    post = turned((x, body.seat_y - 0.012, front_z - 0.01), (x, arm_y, front_z - 0.02), profile)
    pieces += [*both_sides(LEG, leg), *both_sides(ARM_POST, post)]
    pieces += aprons(x, -body.depth / 2, front_z, under + 0.003, 0.05, 0.02)
    outline = refine(rounded_trapezoid(body.width - 0.01, body.width + 0.03, body.depth + 0.03, 0.04), 0.035)
    pieces.append(
        Piece(SEAT, moved(dished(slab(outline, 0.026, 0.008, rings=5), 0.014, -0.03), (0, body.seat_y, 0.015)))
    )
    pieces += both_sides(ROCKER, _rocker(x, front_z, body))
    for y, z in ((0.17, front_z), (0.2, float(body.back_z(0.2)))):
        pieces.append(Piece(STRETCHER, rod((-x, y, z), (x, y, z), 0.010, 12, 1.4)))
    start = float(body.back_z(arm_y))
    arm = spline(
        [
            (x, arm_y + 0.008, start - 0.01),
            (x + 0.025, arm_y + 0.012, -0.02),
            (x + 0.01, arm_y + 0.006, front_z + 0.03),
        ],
        9,
    )
    pieces += both_sides(ARM_BAR, curved_bar(arm, 0.058, 0.022, (0, 1, 0), np.linspace(0.65, 1.2, len(arm)), 0.008))
    return pieces + _back(body, x, rng)


def _cut(piece: Piece, lift: float) -> Piece:
    """Rear legs end in the rockers, not on the ground."""
    if piece.path != LEG:
        return piece
    lo, hi = piece.mesh.bounds[:, 1]

    def squeeze(v: np.ndarray) -> np.ndarray:
        v[:, 1] = hi - (hi - v[:, 1]) * (hi - lift + 0.014) / (hi - lo)
        return v

    return Piece(LEG, warp(piece.mesh, squeeze))


def _rocker(x: float, front_z: float, body: Body) -> Mesh:
    z = np.linspace(-body.depth / 2 - 0.3, front_z + 0.17, 25)
    mid, radius = -0.05, 1.25
    y = radius - np.sqrt(radius**2 - (z - mid) ** 2)
    path = np.stack([np.full(25, x), y + 0.022, z], axis=1)
    mesh = curved_bar(path, 0.03, 0.044, (0, 1, 0), 1.0, 0.008)
    return moved(mesh, (0, -float(mesh.bounds[0, 1]), 0))


def _back(body: Body, x: float, rng: np.random.Generator) -> list[Piece]:
    top, low, arch = body.top_y, body.seat_y + 0.09, rng.uniform(0.01, 0.04)
    crest = body.on_back((-x - 0.012, x + 0.012), (top - 0.1, top + 0.004), 0.026, 0.009, arch=arch)
    rail = body.on_back((-x, x), (low, low + 0.04), 0.024, 0.006)
    pieces = [Piece(RAIL, crest), Piece(RAIL, rail)]
    for centre in np.linspace(-x, x, int(rng.integers(6, 9)))[1:-1]:
        slat = body.on_back(
            (centre - 0.017, centre + 0.017), (low + 0.03, top - 0.09), 0.011, 0.004, arch=arch, hang=True
        )
        pieces.append(Piece(BACK_VBAR, slat))
    return pieces
