"""Reptiles: dinosaurs of three kinds, lizard. Facing +x, z up."""

import numpy as np

from datagen.shapes.procedural.things.animals.body import Proportions, animal, off, pair, patches
from datagen.shapes.procedural.things.solids import Solid, ball, box, chain, hull, joined, prism, rod, smooth

Rng = np.random.Generator


def dinosaur(rng: Rng) -> list[Solid]:
    """A long-necked one, a plated one, or one on two legs."""
    kind = rng.integers(3)
    return (_sauropod, _stegosaur, _tyrannosaur)[kind](rng)


def _sauropod(rng: Rng) -> list[Solid]:
    u = rng.uniform
    b = Proportions(
        length=u(0.6, 0.75),
        leg=u(0.34, 0.42),
        chest=u(0.32, 0.37),
        rump=u(0.36, 0.42),
        neck=(u(0.55, 0.7), u(0.75, 1.0)),
        neck_r=0.13,
        head=0.16,
        muzzle=(0.1, 0.09),
        leg_r=u(0.12, 0.14),
        hoof=1.1,
    )
    pieces = [p for p in animal(b, hooves="trim") if p.name != "nose"]
    back = -b.length / 2 - 0.6 * b.rump
    path = smooth([(back, 0, b.back), (back - 0.5, 0, b.back - 0.25), (back - 0.95, 0, 0.2), (back - 1.35, 0, 0.12)], 5)
    pieces.append(Solid("tail", chain(path, np.linspace(0.27, 0.04, len(path)), 24), "body"))
    spots = [((x, 0.15 * s, b.back + b.rump * 0.85), 0.11) for x, s in ((-0.3, 1), (-0.05, -1), (0.2, 1), (-0.45, -1))]
    return [*pieces, *patches(pieces[0].solid, spots, "light")]


def _stegosaur(rng: Rng) -> list[Solid]:
    u = rng.uniform
    b = Proportions(
        length=u(0.7, 0.85),
        leg=u(0.3, 0.38),
        chest=u(0.3, 0.34),
        rump=u(0.4, 0.46),
        neck=(u(0.42, 0.5), u(-0.12, 0.05)),
        neck_r=0.16,
        head=0.17,
        muzzle=(0.14, 0.08),
        leg_r=u(0.1, 0.12),
        hoof=1.15,
    )
    pieces = [p for p in animal(b, hooves="trim") if p.name != "nose"]
    back = -b.length / 2 - 0.6 * b.rump
    pieces.append(
        Solid(
            "tail",
            chain([(back, 0, b.back), (back - 0.5, 0, b.back - 0.12), (back - 0.95, 0, 0.3)], [0.28, 0.16, 0.05], 24),
            "body",
        )
    )
    diamond = np.array([(-0.16, 0), (-0.12, 0.2), (0, 0.42), (0.12, 0.2), (0.16, 0)])
    for k, (x, size) in enumerate(((0.5, 0.6), (0.26, 0.85), (-0.02, 1.0), (-0.32, 0.95), (-0.62, 0.72), (-0.88, 0.5))):
        plate = prism(diamond * size, 0.06).rotate((90, 0, 0)).translate((x, 0.03, 0))
        drop = b.back + b.rump * (0.82 - 0.35 * max(0.0, abs(x + 0.1) - 0.45) / 0.4)
        pieces.append(Solid(f"plate_{k}", plate.translate((0, 0.05 * (-1) ** k, drop - 0.02)), "cab"))
    for k, x in enumerate((0.72, 0.86)):
        at = (back - x, 0, 0.66 - 0.4 * x)
        spike = [rod(0.26, 0.05, 0.008, sides=16).rotate((-62 * s, -20, 0)).translate(at) for s in (-1, 1)]
        pieces.append(Solid(f"spike_{k}", joined(*spike), "light"))
    return pieces


def _tyrannosaur(rng: Rng) -> list[Solid]:
    u = rng.uniform
    hip, lean = u(0.62, 0.75), u(0.25, 0.4)
    chest = np.array([0.42, 0, hip + lean])
    face = off(chest, 0.3, 0, u(0.34, 0.44))
    torso = chain([(-0.1, 0, hip), tuple(chest), tuple(face)], [0.34, 0.27, 0.17], 36)
    tail = smooth([(-0.2, 0, hip), (-0.65, 0, hip - 0.1), (-1.05, 0, hip - 0.05), (-1.4, 0, hip + u(-0.05, 0.2))], 5)
    jaw = u(0.1, 0.2)
    upper = hull(ball(0.21, tuple(face)), box((0.2, 0.24, 0.13), off(face, 0.42, 0, 0.02), 0.05))
    lower = hull(ball(0.13, off(face, -0.04, 0, -0.1)), box((0.16, 0.18, 0.07), off(face, 0.36, 0, -0.12 - jaw), 0.03))
    teeth = [rod(0.08, 0.005, 0.022, off(face, 0.3 + 0.07 * k, s * 0.09, -0.11), 10) for k in range(3) for s in (-1, 1)]
    pieces = [
        Solid("torso", torso, "body"),
        Solid("tail", chain(tail, np.linspace(0.28, 0.04, len(tail)), 24), "body"),
        Solid("head", upper, "body"),
        Solid("jaw", lower, "light"),
        Solid("teeth", joined(*teeth), "trim"),
        Solid("belly", ball(0.25, (0.24, 0, hip + 0.08), (1.1, 0.85, 1.1)), "light"),
        *pair("eye", "wheel", lambda s: ball(0.05, off(face, 0.1, 0.16 * s, 0.13), sides=20)),
        *pair(
            "arm",
            "body",
            lambda s: chain(
                [off(chest, 0.1, 0.2 * s, -0.1), off(chest, 0.26, 0.24 * s, -0.2), off(chest, 0.36, 0.22 * s, -0.12)],
                [0.07, 0.05, 0.05],
            ),
        ),
        *pair(
            "leg",
            "body",
            lambda s: chain(
                [(-0.08, 0.24 * s, hip), (0.14, 0.28 * s, 0.42), (-0.06, 0.28 * s, 0.16), (0.0, 0.28 * s, 0.08)],
                [0.24, 0.14, 0.085, 0.08],
                24,
            ),
        ),
        *pair(
            "foot",
            "cab",
            lambda s: joined(
                *(chain([(0, 0.28 * s, 0.07), (0.27, 0.28 * s + d, 0.055)], [0.08, 0.05]) for d in (-0.12, 0, 0.12))
            ),
        ),
    ]
    ridge = [
        (0.2, hip + lean + 0.12),
        (-0.02, hip + 0.38),
        (-0.26, hip + 0.31),
        (-0.5, hip + 0.16),
        (-0.74, hip + 0.08),
    ]
    for k, (x, z) in enumerate(ridge):
        pieces.append(Solid(f"ridge_{k}", ball(0.09, (x, 0, z - 0.03), (1, 0.5, 1.2), 18), "cab"))
    return pieces


def lizard(rng: Rng) -> list[Solid]:
    """A lizard: low body, splayed legs, curved tail, crest."""
    u = rng.uniform
    z, bend = u(0.2, 0.26), u(0.25, 0.6) * rng.choice([-1, 1])
    spine = smooth(
        [
            (0.55, 0, z + 0.03),
            (0.1, 0, z),
            (-0.4, 0, z),
            (-0.85, 0.25 * bend, z - 0.05),
            (-1.25, 0.95 * bend, 0.08),
            (-1.5, 1.6 * bend, 0.05),
        ],
        5,
    )
    widths = np.interp(np.linspace(0, 1, len(spine)), [0, 0.15, 0.4, 0.6, 1], [0.15, 0.2, 0.17, 0.1, 0.03])
    cut = int(0.42 * len(spine))
    snout = hull(ball(0.18, (0.72, 0, z + 0.06), (1, 1, 0.75)), ball(0.08, (1.0, 0, z + 0.02), (1.2, 1.1, 0.7)))
    pieces = [
        Solid("body", chain(spine[: cut + 1], widths[: cut + 1], 26), "body"),
        Solid("tail", chain(spine[cut:], widths[cut:], 22), "body"),
        Solid("head", snout, "body"),
        Solid("throat", ball(0.13, (0.74, 0, z - 0.05), (1.3, 0.8, 0.6)), "light"),
        *pair("eye", "wheel", lambda s: ball(0.055, (0.82, 0.13 * s, z + 0.14), sides=20)),
    ]
    for x in (0.42, -0.42):
        for side, s in (("r", -1), ("l", 1)):
            sole = (x + 0.16, 0.46 * s, 0.05)
            leg = chain([(x, 0.12 * s, z), (x + 0.12, 0.38 * s, z + 0.06), sole], [0.09, 0.065, 0.055])
            toes = [
                chain([sole, off(sole, dx, dy * s, -0.02)], [0.045, 0.028])
                for dx, dy in ((0.17, -0.02), (0.14, 0.12), (0.02, 0.17))
            ]
            pieces.append(Solid(f"{'fore' if x > 0 else 'hind'}_leg_{side}", joined(leg, *toes), "cab"))
    step = 2 if rng.random() < 0.5 else 3
    for k, at in enumerate(range(1, cut + 6, step)):
        crest = rod(0.16, 0.055, 0.008, (spine[at][0], spine[at][1], spine[at][2] + widths[at] - 0.04), 12)
        pieces.append(Solid(f"crest_{k}", crest, "trim"))
    return pieces
