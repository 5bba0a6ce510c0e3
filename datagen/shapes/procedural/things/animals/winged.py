"""Animals with wings: butterfly, chicken, penguin. Facing +x, z up."""

import numpy as np
from manifold3d import Manifold

from datagen.shapes.procedural.things.animals.body import off, pair
from datagen.shapes.procedural.things.solids import Solid, ball, chain, hull, joined, prism, rod, smooth

Rng = np.random.Generator


def butterfly(rng: Rng) -> list[Solid]:
    """A butterfly, wings raised a little, with spots and feelers."""
    u = rng.uniform
    z, tilt, span = 0.16, u(12, 28), u(0.8, 1.0)
    body = chain([(-0.55, 0, z), (-0.1, 0, z), (0.2, 0, z + 0.02)], [0.05, 0.11, 0.13], 24)
    feelers = [
        chain([(0.42, 0.05 * s, z + 0.1), (0.62, 0.14 * s, z + 0.3), (0.72, 0.26 * s, z + 0.42)], [0.02, 0.02, 0.045])
        for s in (-1, 1)
    ]
    pieces = [
        Solid("body", body, "trim"),
        Solid("head", ball(0.14, (0.38, 0, z + 0.05)), "trim"),
        *(Solid(f"feeler_{k}", f, "wheel") for k, f in enumerate(feelers)),
    ]
    front = smooth([(0.25, 0.02), (0.62, 0.55), (0.66, 0.95), (0.35, 1.02), (0.02, 0.6), (-0.02, 0.02)], 6)
    back = smooth([(0.05, 0.02), (0.0, 0.55), (-0.3, 0.78), (-0.62, 0.6), (-0.5, 0.2), (-0.2, 0.02)], 6)
    lobes = u(0.9, 1.15)
    marks = [(0.42, 0.8, 0.13), (0.25, 0.48, 0.09), (-0.3, 0.52, 0.12)]
    for side, s in (("r", -1), ("l", 1)):

        def hung(solid: Manifold, lift: float, s: int = s) -> Manifold:
            return solid.scale((1, s * span, 1)).rotate((s * (tilt + lift), 0, 0)).translate((0, 0.03 * s, z + 0.02))

        pieces.append(Solid(f"fore_wing_{side}", hung(prism(front, 0.045), 4), "body"))
        pieces.append(Solid(f"hind_wing_{side}", hung(prism(back * lobes, 0.045), 0), "cab"))
        for k, (x, y, r) in enumerate(marks):
            spot = rod(0.075, r, r * 0.9, (x, y, -0.015), 28)
            pieces.append(Solid(f"spot_{k}_{side}", hung(spot, 4 if k < 2 else 0), "light"))
    return pieces


def chicken(rng: Rng) -> list[Solid]:
    """A hen: comb, wattle, beak, wings, tail feathers, two feet."""
    u = rng.uniform
    r, leg = u(0.42, 0.48), u(0.26, 0.36)
    z = leg + 0.85 * r
    face = np.array([r * 0.98, 0, z + u(0.52, 0.62)])
    torso = ball(r, (0, 0, z), (1.25, 0.9, 0.95)) + chain([(0.25, 0, z + 0.1), tuple(face)], [0.3, 0.17], 28)
    comb = joined(
        *(ball(0.085, off(face, 0.12 - 0.12 * k, 0, 0.2 + 0.03 * (k == 1)), (1, 0.5, 1.3), 20) for k in range(3))
    )
    beak = rod(0.2, 0.085, 0.01, sides=20).rotate((0, 90, 0)).translate(off(face, 0.15, 0, 0))
    fan = [ball(0.36, scale=(0.34, 0.13, 1)).translate((0, 0, 0.3)).rotate((0, -34 - 16 * k, 0)) for k in range(3)]
    tail = joined(*(f.translate((-r * 0.95, 0, z + 0.12)) for f in fan))
    pieces = [
        Solid("torso", torso, "body"),
        Solid("head", ball(0.2, tuple(face)), "body"),
        Solid("comb", comb, "trim"),
        Solid("beak", beak, "cab"),
        Solid("wattle", ball(0.08, off(face, 0.17, 0, -0.14), (0.7, 0.7, 1.2), 20), "trim"),
        Solid("tail", tail, "light"),
        *pair(
            "wing",
            "light",
            lambda s: hull(
                ball(0.17, (0.2, s * r * 0.82, z + 0.08), (1, 0.5, 1), 24),
                ball(0.09, (-0.42, s * r * 0.84, z - 0.02), (1, 0.5, 1), 20),
            ),
        ),
        *pair("eye", "wheel", lambda s: ball(0.045, off(face, 0.13, 0.13 * s, 0.06), sides=18)),
    ]
    for side, s in (("r", -1), ("l", 1)):
        y = 0.18 * s
        toes = [
            chain([(0.02, y, 0.05), (dx, y + dy, 0.04)], [0.045, 0.035])
            for dx, dy in ((0.24, 0), (0.19, 0.13), (0.19, -0.13), (-0.14, 0))
        ]
        shank = chain([(0, y, z - 0.6 * r), (0.02, y, 0.05)], [0.07, 0.045])
        pieces.append(Solid(f"foot_{side}", joined(shank, *toes), "cab"))
    return pieces


def penguin(rng: Rng) -> list[Solid]:
    """A penguin with wings, beak and feet."""
    r, h = rng.uniform(0.4, 0.48), rng.uniform(0.55, 0.68)
    body = ball(r, (0, 0, h + 0.05), (0.92, 1, h / r))
    belly = ball(r * 0.86, (r * 0.2, 0, h), (0.9, 0.86, h / r * 0.94)) - body
    head = ball(r * 0.66, (0.02, 0, 2 * h + 0.12))
    beak = rod(0.24, 0.09, 0.01, sides=20).rotate((0, 90, 0)).translate((r * 0.58, 0, 2 * h + 0.1))
    wings = [
        hull(
            ball(0.08, (0, s * r * 0.95, h * 1.5), sides=16),
            ball(0.06, (0.02, s * (r + 0.16), h * 0.62), sides=16),
            ball(0.07, (-0.12, s * r * 1.02, h), sides=16),
        )
        for s in (-1, 1)
    ]
    feet = [ball(0.17, (r * 0.35, s * r * 0.45, 0.06), (1.35, 0.9, 0.36), 24) for s in (-1, 1)]
    eyes = [ball(0.05, (r * 0.5, s * r * 0.3, 2 * h + 0.26), sides=20) for s in (-1, 1)]
    return [
        Solid("body", body, "body"),
        Solid("belly", belly, "light"),
        Solid("head", head, "body"),
        Solid("beak", beak, "trim"),
        *(Solid(f"wing_{k}", w, "body") for k, w in enumerate(wings)),
        *(Solid(f"foot_{k}", w, "trim") for k, w in enumerate(feet)),
        *(Solid(f"eye_{k}", w, "wheel") for k, w in enumerate(eyes)),
    ]
