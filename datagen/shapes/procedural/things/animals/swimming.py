"""Animals of the sea: fish, octopus, shark. Facing +x, z up."""

import numpy as np
from manifold3d import Manifold

from datagen.shapes.procedural.things.animals.body import pair, patches
from datagen.shapes.procedural.things.solids import Solid, ball, box, chain, hull, prism, ring, rod, smooth, turned

Rng = np.random.Generator


def fish(rng: Rng) -> list[Solid]:
    """A fish on a stand."""
    length, r = rng.uniform(1.2, 1.5), rng.uniform(0.34, 0.44)
    z = 0.3 + r
    body = ball(r, (0, 0, z), (length / 2 / r, 0.55, 1))
    tail = (
        prism([(0, 0), (-0.42, 0.36), (-0.3, 0), (-0.42, -0.36)], 0.08)
        .rotate((90, 0, 0))
        .translate((-length * 0.44, 0.04, z))
    )
    fin = prism([(-0.3, 0), (0.28, 0), (-0.22, 0.3)], 0.07).rotate((90, 0, 0)).translate((0.02, 0.035, z + r * 0.88))
    stand = rod(0.06, 0.34) + rod(0.36, 0.05, None, (0, 0, 0.02), 20)
    eyes = [ball(0.075, (length * 0.33, s * r * 0.4, z + r * 0.22), sides=24) for s in (-1, 1)]
    sides = [
        prism([(0, 0), (-0.3, 0.1), (-0.26, -0.12)], 0.05)
        .rotate((90, 0, 12 * s))
        .translate((0.12, s * r * 0.56 + 0.025, z - 0.06))
        for s in (-1, 1)
    ]
    return [
        Solid("body", body, "body"),
        Solid("tail", tail, "cab"),
        Solid("fin", fin, "cab"),
        Solid("stand", stand, "trim"),
        *(Solid(f"eye_{k}", e, "wheel") for k, e in enumerate(eyes)),
        *(Solid(f"side_fin_{k}", e, "cab") for k, e in enumerate(sides)),
    ]


def octopus(rng: Rng) -> list[Solid]:
    """An octopus: a domed head on eight curling arms."""
    u = rng.uniform
    r, reach, curl = u(0.4, 0.46), u(0.75, 0.95), u(0.12, 0.3)
    z = 0.34 + 0.5 * r
    pieces = [
        Solid("head", ball(r, (0, 0, z + 0.3 * r), (1, 1, u(1.05, 1.3))), "body"),
        Solid("skirt", turned([(r * 0.95, z), (r * 1.05, z - 0.16), (r * 0.85, z - 0.34), (r * 0.3, z - 0.4)]), "body"),
        Solid("mouth", ring(0.075, 0.03, 28).rotate((0, 90, 0)).translate((r * 0.98, 0, z + 0.02)), "trim"),
        *pair("eye", "light", lambda s: ball(0.13, (r * 0.8, 0.19 * s, z + 0.42 * r), sides=28)),
        *pair("pupil", "wheel", lambda s: ball(0.07, (r * 0.8 + 0.1, 0.2 * s, z + 0.44 * r), sides=20)),
    ]
    for k in range(8):
        lift = u(0.0, 0.22)
        path = smooth(
            [
                (r * 0.5, 0, 0.3),
                (r * 0.95, 0, 0.12),
                (reach, 0.3 * curl, 0.08),
                (reach + 0.2, curl, 0.08 + 0.5 * lift),
                (reach + 0.1, 1.5 * curl, 0.1 + lift),
            ],
            4,
        )
        arm = chain(path, np.linspace(0.14, 0.045, len(path)), 18)
        pieces.append(Solid(f"arm_{k}", arm.rotate((0, 0, 22.5 + 45 * k)), "body" if k % 2 else "cab"))
    spots = [((-0.1, y * r, z + 1.15 * r), 0.1) for y in (-0.45, 0.4)] + [((-r * 0.8, 0, z + 0.5 * r), 0.15)]
    return pieces + patches(pieces[0].solid, spots, "cab")


def shark(rng: Rng) -> list[Solid]:
    """A shark on its belly and side fins: back fin, tail fin, gills, teeth."""
    u = rng.uniform
    length, r = u(1.6, 1.9), u(0.3, 0.36)
    z, x = r * 1.0, length / 2
    axis = [(x, 0, z + 0.02), (x * 0.62, 0, z), (0.1, 0, z), (-x * 0.55, 0, z + 0.06), (-x, 0, z + 0.12)]
    path = smooth(axis, 4)
    width = np.interp(np.linspace(0, 1, len(path)), [0, 0.22, 0.45, 0.75, 1], [0.08, r * 0.82, r, r * 0.5, 0.07])
    body = chain(path, width, 36)
    lower = body ^ box((6, 6, 2), (0, 0, z - 0.3 * r - 1))

    def fin(outline: list[tuple[float, float]], at: tuple[float, float, float], thick: float = 0.07) -> Manifold:
        return prism(outline, thick).rotate((90, 0, 0)).translate((at[0], at[1] + thick / 2, at[2]))

    back = fin([(-0.26, 0), (0.22, 0), (-0.02, 0.26), (-0.24, u(0.42, 0.52))], (0.1, 0, z + r * 0.9))
    tall = u(0.5, 0.62)
    tail = fin(
        [(0.12, 0), (-0.06, -0.06), (-0.34, -0.34), (-0.2, 0), (-0.46, tall), (-0.3, tall)], (-x + 0.06, 0, z + 0.12)
    )
    gape = hull(
        box((0.06, 0.9 * r, 0.05), (x * 0.84, 0, z - 0.4 * r)), box((0.02, 0.4 * r, 0.02), (x * 1.0, 0, z - 0.3 * r))
    )
    pieces = [
        Solid("body", body - lower, "body"),
        Solid("belly", lower, "light"),
        Solid("mouth", gape.scale((1, 1.05, 1)), "trim"),
        Solid("back_fin", back, "body"),
        Solid("tail_fin", tail, "body"),
        *pair(
            "side_fin",
            "body",
            lambda s: (
                prism([(0.14, 0), (-0.12, 0), (-0.36, 0.5), (-0.2, 0.52)], 0.06)
                .scale((1, s, 1))
                .rotate((-24 * s, 0, 0))
                .translate((0.22, s * r * 0.72, z - 0.24 * r))
            ),
        ),
        *pair("eye", "wheel", lambda s: ball(0.055, (x * 0.74, s * r * 0.62, z + 0.22 * r), sides=20)),
    ]
    for k in range(3):
        at = (x * 0.46 - 0.09 * k, 0, z)
        slit = ring(r * (0.935 + 0.025 * k), 0.03).rotate((0, 90, 0)).translate(at) ^ box((1, 4, 0.9 * r), at)
        pieces.append(Solid(f"gill_{k}", slit, "wheel"))
    return pieces
