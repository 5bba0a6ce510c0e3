"""Animals that sit upright: frog, monkey, panda. Facing +x, z up."""

import numpy as np
from manifold3d import Manifold

from datagen.shapes.procedural.things.animals.body import off, pair, patches
from datagen.shapes.procedural.things.solids import Solid, ball, box, chain, hull, joined, ring, rod, smooth

Rng = np.random.Generator


def frog(rng: Rng) -> list[Solid]:
    """A sitting frog with bulging eyes and folded legs."""
    u = rng.uniform
    r, eye = u(0.44, 0.5), u(0.13, 0.17)
    torso = hull(
        ball(r, (-0.1, 0, r * 0.82), (1.05, 1, 0.78)), ball(r * 0.78, (r * 0.72, 0, r * 1.05), (1, 1.08, 0.72))
    )
    front = r * 0.72
    mouth = box((r * 1.1, 3, 0.035), (r * 1.5, 0, r * 0.96), 0.01)
    toes, warts = [(0.2, 0), (0.15, 0.13), (0.15, -0.13)], [(-0.3, 0.3), (-0.15, -0.35), (0.1, 0.1), (-0.45, -0.15)]

    def foot(x: float, y: float, size: float) -> list[Manifold]:
        return [chain([(x, y, 0.05), (x + size * dx, y + size * dy, 0.04)], [0.05, 0.05]) for dx, dy in toes]

    return [
        Solid("body", torso - mouth, "body"),
        Solid("belly", ball(r * 0.8, (r * 0.42, 0, r * 0.62), (1, 0.92, 0.76)), "light"),
        *pair("eye", "light", lambda s: ball(eye, (front + 0.08, s * r * 0.5, r * 1.55), sides=28)),
        *pair(
            "pupil",
            "wheel",
            lambda s: ball(eye * 0.62, (front + 0.08 + eye / 2, s * (r / 2 + 0.02), r * 1.58), sides=20),
        ),
        *pair(
            "thigh",
            "body",
            lambda s: chain(
                [(-0.28, s * r * 0.72, r * 0.5), (0.14, s * r * 1.22, r * 0.52), (-0.3, s * r * 1.2, 0.1)],
                [0.2, 0.15, 0.1],
                24,
            ),
        ),
        *pair(
            "hind_foot",
            "cab",
            lambda s: joined(
                chain([(-0.3, s * r * 1.2, 0.08), (-0.1, s * r * 1.3, 0.05)], 0.07), *foot(-0.1, s * r * 1.34, 1.5)
            ),
        ),
        *pair(
            "arm",
            "body",
            lambda s: chain(
                [
                    (front, s * r * 0.62, r * 0.62),
                    (front + 0.16, s * r * 0.86, 0.24),
                    (front + 0.12, s * r * 0.8, 0.06),
                ],
                [0.12, 0.085, 0.07],
            ),
        ),
        *pair("hand", "cab", lambda s: joined(*foot(front + 0.12, s * r * 0.82, 1.0))),
        *patches(torso, [((x, y * r, r * 1.5), 0.12) for x, y in warts], "cab"),
    ]


def monkey(rng: Rng) -> list[Solid]:
    """A sitting monkey: round ears, light face and belly, curled tail."""
    u = rng.uniform
    r, head = u(0.34, 0.4), u(0.3, 0.34)
    top = np.array([0.06, 0, 1.75 * r + 0.62 * head])

    def at(x: float, y: float, z: float) -> np.ndarray:
        return off(top, head * x, head * y, head * z)

    hook = smooth(
        [
            (-0.6 * r, 0, 0.14),
            (-r - 0.15, 0, 0.1),
            (-r - 0.36, 0, 0.34),
            (-r - 0.3, 0, 0.7),
            (-r - 0.1, 0, 0.74),
            (-r - 0.08, 0, 0.6),
        ],
        4,
    )
    raised = u(-0.2, 0.5)
    return [
        Solid("body", ball(r, (0, 0, r), (0.92, 0.95, 1.1)), "body"),
        Solid("belly", ball(r * 0.78, (r * 0.3, 0, r * 0.98), (0.9, 0.85, 1.05)), "light"),
        Solid("head", ball(head, tuple(top), (0.95, 1.05, 1)), "body"),
        Solid(
            "face",
            joined(
                *(ball(head * 0.5, at(0.62, 0.3 * s, 0.18), (0.7, 0.8, 1)) for s in (-1, 1)),
                ball(head * 0.55, at(0.72, 0, -0.36), (0.9, 1.15, 0.8)),
            ),
            "light",
        ),
        Solid("nose", ball(0.045, at(1.22, 0, -0.1), (0.7, 1.4, 0.8), 18), "wheel"),
        *pair("ear", "light", lambda s: ball(head * 0.42, at(0, 1.15 * s, 0.05), (0.4, 1, 1), 28)),
        *pair("eye", "wheel", lambda s: ball(0.055, at(0.98, 0.3 * s, 0.28), sides=20)),
        *pair(
            "arm",
            "body",
            lambda s: chain(
                [(0.02, s * r * 0.8, 1.6 * r), (0.2, s * r * 1.45, 1.15 * r), (0.42, s * r * 1.25, (0.8 + raised) * r)],
                [0.1, 0.08, 0.075],
            ),
        ),
        *pair("hand", "light", lambda s: ball(0.11, (0.46, s * r * 1.22, (0.8 + raised) * r), sides=24)),
        *pair(
            "leg",
            "body",
            lambda s: chain(
                [(0.05, s * r * 0.7, 0.2), (0.42, s * r * 1.15, 0.34), (0.56, s * r * 0.95, 0.1)],
                [0.16, 0.11, 0.08],
                22,
            ),
        ),
        *pair("foot", "light", lambda s: ball(0.13, (0.64, s * r * 0.95, 0.075), (1.5, 0.85, 0.58), 24)),
        Solid("tail", chain(hook, np.linspace(0.07, 0.05, len(hook)), 16), "body"),
    ]


def panda(rng: Rng) -> list[Solid]:
    """A sitting panda, dark limbs, ears and eye patches on a light body; at times with bamboo."""
    u = rng.uniform
    r, head = u(0.44, 0.5), u(0.36, 0.41)
    top = np.array([0.08, 0, 1.72 * r + 0.62 * head])

    def at(x: float, y: float, z: float) -> np.ndarray:
        return off(top, head * x, head * y, head * z)

    pieces = [
        Solid("body", ball(r, (0, 0, r * 0.98), (0.95, 1.02, 1.05)), "light"),
        Solid("shoulders", ring(r * 0.62, r * 0.26).scale((1, 1.1, 1)).translate((0.02, 0, 1.6 * r)), "wheel"),
        Solid("head", ball(head, tuple(top), (0.95, 1.12, 0.98)), "light"),
        Solid("muzzle", ball(head * 0.42, at(0.78, 0, -0.28), (0.9, 1.1, 0.8)), "light"),
        Solid("nose", ball(0.065, at(1.14, 0, -0.12), (0.8, 1.3, 0.8), 20), "wheel"),
        *pair("ear", "wheel", lambda s: ball(head * 0.34, at(-0.1, 0.82 * s, 0.82), (0.6, 1, 1), 28)),
        *pair(
            "eye_patch",
            "wheel",
            lambda s: (
                ball(head * 0.26, scale=(0.55, 0.8, 1.15), sides=24)
                .rotate((-25 * s, 0, 0))
                .translate(at(0.76, 0.42 * s, 0.12))
            ),
        ),
        *pair("eye", "trim", lambda s: ball(0.045, at(0.93, 0.4 * s, 0.17), sides=18)),
        *pair(
            "arm",
            "wheel",
            lambda s: chain(
                [(0.05, s * r * 0.85, 1.5 * r), (0.3, s * r * 1.1, 1.0 * r), (0.5, s * r * 0.75, 0.82 * r)],
                [0.15, 0.13, 0.12],
                24,
            ),
        ),
        *pair(
            "leg", "wheel", lambda s: chain([(0.1, s * r * 0.7, 0.2), (0.55, s * r * 0.85, 0.17)], [0.19, 0.165], 26)
        ),
        *pair("sole", "light", lambda s: ball(0.11, (0.69, s * r * 0.85, 0.18), (0.5, 1, 1), 22)),
    ]
    if rng.random() < 0.5:
        cane = rod(0.9, 0.045, None, (0.56, -r * 0.7, 0.42), 18)
        knots = [ring(0.045, 0.02, 18).translate((0.56, -r * 0.7, z)) for z in (0.6, 0.85, 1.1)]
        pieces.append(Solid("bamboo", joined(cane, *knots), "cab"))
    return pieces
