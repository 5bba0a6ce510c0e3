"""Animals with paws: dog, fox, lion, mouse, bunny. Facing +x, z up."""

import numpy as np
from manifold3d import Manifold

from datagen.shapes.procedural.things.animals.body import Proportions, animal, ear_to, off, pair, patches, tail
from datagen.shapes.procedural.things.solids import Solid, around, ball, chain, hull, joined, ring, smooth

Rng = np.random.Generator


def dog(rng: Rng) -> list[Solid]:
    """A dog with collar and hanging ears, long or short of leg."""
    u = rng.uniform
    b = Proportions(
        length=u(0.6, 0.95),
        leg=u(0.26, 0.5),
        chest=u(0.25, 0.29),
        rump=u(0.23, 0.26),
        neck=(u(0.16, 0.24), u(0.3, 0.42)),
        neck_r=0.15,
        head=u(0.22, 0.26),
        muzzle=(u(0.1, 0.2), u(0.09, 0.12)),
        leg_r=u(0.075, 0.09),
        hoof=1.25,
    )
    pieces = animal(b, hooves="light", muzzle="light")
    low = u(-0.7, -0.2)

    def ear(s: int) -> Manifold:
        root, end = b.at(-0.1, 0.72 * s, 0.6), b.at(-0.1, 1.12 * s, low)
        return hull(ball(0.07, tuple(root), sides=18), ball(0.11, tuple(end), (0.9, 0.45, 1.2), 20))

    pieces += pair("ear", "cab", ear)
    neck = off(b.face, -0.5 * b.neck[0] - 0.02, 0, -0.62 * b.neck[1])
    slope = np.degrees(np.arctan2(b.neck[0], b.neck[1]))
    pieces.append(Solid("collar", ring(1.2 * b.neck_r, 0.045).rotate((0, slope, 0)).translate(tuple(neck)), "trim"))
    tag = off(neck, 1.35 * b.neck_r * np.cos(np.radians(slope)), 0, -0.16)
    pieces.append(Solid("tag", ball(0.06, tuple(tag), (0.5, 1, 1), 20), "wheel"))
    pieces.append(tail(b, [(-0.1, 0.12), (-0.22, u(0.3, 0.5))], [0.07, 0.06, 0.04], "body"))
    pieces += patches(pieces[0].solid, [((u(-0.3, 0.1), u(-0.1, 0.1), b.back + b.rump), u(0.18, 0.26))], "cab")
    return pieces


def fox(rng: Rng) -> list[Solid]:
    """A fox: pointed ears and muzzle, bushy tail with a light tip, dark stockings."""
    u = rng.uniform
    b = Proportions(
        length=u(0.6, 0.75),
        leg=u(0.34, 0.44),
        chest=u(0.23, 0.26),
        rump=u(0.22, 0.25),
        neck=(u(0.18, 0.26), u(0.26, 0.36)),
        neck_r=0.15,
        head=u(0.22, 0.25),
        muzzle=(u(0.22, 0.28), 0.045),
        leg_r=u(0.065, 0.08),
        hoof=1.15,
    )
    pieces = [p for p in animal(b) if p.name != "muzzle"]
    snout = hull(
        ball(0.78 * b.head, off(b.face, 0, 0, -0.12 * b.head), (1, 1.1, 0.8)), ball(0.05, off(b.nose, 0, 0, 0.02))
    )
    cheeks = hull(
        *(ball(0.3 * b.head, b.at(0.3, 0.85 * s, -0.4), sides=24) for s in (-1, 1)),
        ball(0.045, off(b.nose, -0.04, 0, -0.03)),
    )
    pieces += [Solid("muzzle", snout, "body"), Solid("cheeks", cheeks, "light")]
    pieces += pair("ear", "body", ear_to(b, (0.0, u(0.75, 0.9), u(1.8, 2.1)), 0.42, 0.4))
    pieces += pair("ear_tip", "wheel", lambda s: ball(0.06, b.at(0, 0.8 * s, 1.72), (0.8, 0.9, 1.3), 16))
    rise = u(-0.1, 0.3)
    pieces.append(tail(b, [(-0.16, 0.02), (-0.42, 0.2 * rise), (-0.68, rise)], [0.07, 0.15, 0.13], "body"))
    tip = np.array([-b.length / 2 - 0.85 * b.rump - 0.68, 0, b.back + 0.25 * b.rump + rise])
    end = hull(ball(0.125, off(tip, -0.02, 0, 0)), ball(0.03, off(tip, -0.22, 0, 0.5 * rise + 0.06)))
    pieces.append(Solid("tail_tip", end, "light"))
    pieces.append(Solid("bib", ball(0.2, (b.length / 2 + 0.12, 0, b.back - 0.02), (0.8, 0.8, 1.1)), "light"))
    return pieces


def lion(rng: Rng) -> list[Solid]:
    """A lion with a mane of locks and a tufted tail."""
    u = rng.uniform
    b = Proportions(
        length=u(0.75, 0.9),
        leg=u(0.38, 0.46),
        chest=u(0.3, 0.34),
        rump=u(0.26, 0.29),
        neck=(u(0.24, 0.3), u(0.24, 0.34)),
        neck_r=0.2,
        head=u(0.26, 0.29),
        muzzle=(u(0.06, 0.1), u(0.13, 0.15)),
        leg_r=u(0.1, 0.115),
        hoof=1.2,
    )
    pieces = animal(b, hooves="light", muzzle="light")
    count = int(rng.integers(9, 14))
    lock = ball(0.16, (1.02 * b.head, 0, 0), (1.25, 0.95, 0.9), 24)
    wreath = around(lock, count) + around(lock.scale((1.12, 1, 1)), count, 180 / count).translate((0, 0, -0.16))
    mane = wreath + ball(1.12 * b.head, (0, 0, -0.16), (1, 1, 0.7))
    pieces.append(Solid("mane", mane.rotate((0, 84, 0)).translate(off(b.face, -0.07, 0, 0)), "cab"))
    pieces += pair("ear", "body", lambda s: ball(0.1, b.at(0.3, 0.75 * s, 0.95), (0.6, 1, 1), 24))
    high = u(-0.1, 0.4)
    pieces.append(tail(b, [(-0.18, 0.02), (-0.36, 0.3 * high), (-0.5, high)], [0.05, 0.042, 0.04], "body"))
    end = (-b.length / 2 - 0.85 * b.rump - 0.53, 0, b.back + 0.25 * b.rump + high + 0.03)
    return [*pieces, Solid("tuft", ball(0.1, end, (1.3, 0.9, 1), 24), "cab")]


def mouse(rng: Rng) -> list[Solid]:
    """A crouching mouse: round ears, pointed nose, long tail."""
    u = rng.uniform
    r, ear, bend = u(0.36, 0.42), u(0.2, 0.27), u(0.3, 0.7) * rng.choice([-1, 1])
    body = hull(ball(r, (-0.15, 0, r * 0.9), (1.2, 0.95, 0.9)), ball(r * 0.62, (0.38, 0, r * 0.9)))
    nose = np.array([0.98, 0, r * 0.72])
    face = hull(ball(r * 0.62, (0.42, 0, r * 0.92)), ball(0.06, tuple(nose)))
    tail = smooth([(-0.5, 0, 0.16), (-0.85, 0.2 * bend, 0.07), (-1.2, 0.1 * bend, 0.05), (-1.5, 0.6 * bend, 0.05)], 5)
    hairs = [
        chain([off(nose, -0.12, 0.06 * s, 0.0), off(nose, -0.08, 0.34 * s, dz)], 0.013, 8)
        for s in (-1, 1)
        for dz in (0.06, -0.04)
    ]
    return [
        Solid("body", body, "body"),
        Solid("head", face, "body"),
        Solid("nose", ball(0.075, off(nose, 0.04, 0, 0), sides=20), "trim"),
        Solid("tail", chain(tail, np.linspace(0.055, 0.025, len(tail)), 14), "trim"),
        Solid("whiskers", joined(*hairs), "wheel"),
        *pair("ear", "body", lambda s: ball(ear, (0.3, s * (r * 0.66 + 0.02), r * 1.5), (0.28, 1, 1), 32)),
        *pair(
            "inner_ear", "light", lambda s: ball(ear * 0.72, (0.335, s * (r * 0.66 + 0.02), r * 1.5), (0.25, 1, 1), 28)
        ),
        *pair("eye", "wheel", lambda s: ball(0.06, (0.68, s * r * 0.42, r * 1.08), sides=20)),
        *pair(
            "paw",
            "light",
            lambda s: chain(
                [(0.32, s * r * 0.4, r * 0.55), (0.4, s * r * 0.48, 0.07), (0.52, s * r * 0.46, 0.065)],
                [0.09, 0.065, 0.065],
            ),
        ),
        *pair("haunch", "body", lambda s: ball(r * 0.55, (-0.3, s * r * 0.72, r * 0.55), (1.1, 0.6, 1), 28)),
        *pair("hind_paw", "light", lambda s: ball(0.12, (-0.08, s * r * 0.85, 0.065), (1.7, 0.8, 0.54), 22)),
    ]


def bunny(rng: Rng) -> list[Solid]:
    """A sitting bunny with long ears."""
    r = rng.uniform(0.4, 0.48)
    ear = rng.uniform(0.4, 0.6)
    pieces = [
        Solid("body", ball(r, (0, 0, r * 0.95), (1.05, 0.95, 1)), "body"),
        Solid("head", ball(r * 0.66, (r * 0.5, 0, r * 2.05)), "body"),
        Solid("tail", ball(r * 0.3, (-r * 1.05, 0, r * 0.6), sides=24), "light"),
        Solid("nose", ball(0.06, (r * 1.14, 0, r * 2.02), sides=20), "trim"),
    ]
    for k, s in enumerate((-1, 1)):
        pieces.append(
            Solid(
                f"ear_{k}",
                hull(
                    ball(0.1, (r * 0.4, s * 0.14, r * 2.5), sides=20),
                    ball(0.09, (r * 0.2, s * rng.uniform(0.16, 0.32), r * 2.5 + ear), (0.7, 1, 1), 20),
                ),
                "cab",
            )
        )
        pieces.append(Solid(f"foot_{k}", ball(0.2, (r * 0.75, s * r * 0.55, 0.11), (1.5, 0.8, 0.55), 24), "light"))
        pieces.append(Solid(f"eye_{k}", ball(0.05, (r * 1.02, s * r * 0.28, r * 2.25), sides=20), "wheel"))
    return pieces
