"""Other animals: butterfly, chicken, dinosaur, frog, lizard, monkey, mouse, octopus, panda, shark; and an orange."""

import numpy as np
from manifold3d import Manifold, OpType

from datagen.shapes.procedural.things.beasts import Build, animal, off, pair, patches
from datagen.shapes.procedural.things.solids import (
    Piece,
    around,
    ball,
    box,
    chain,
    hull,
    prism,
    ring,
    rod,
    smooth,
    turned,
)

Rng = np.random.Generator


def _joined(*solids: Manifold) -> Manifold:
    return Manifold.batch_boolean(list(solids), OpType.Add)


def butterfly(rng: Rng) -> list[Piece]:
    """A butterfly, wings raised a little, with spots and feelers."""
    u = rng.uniform
    z, tilt, span = 0.16, u(12, 28), u(0.8, 1.0)
    body = chain([(-0.55, 0, z), (-0.1, 0, z), (0.2, 0, z + 0.02)], [0.05, 0.11, 0.13], 24)
    feelers = [chain([(0.42, 0.05 * s, z + 0.1), (0.62, 0.14 * s, z + 0.3), (0.72, 0.26 * s, z + 0.42)],
                     [0.02, 0.02, 0.045]) for s in (-1, 1)]  # fmt: skip
    pieces = [
        Piece("body", body, "trim"),
        Piece("head", ball(0.14, (0.38, 0, z + 0.05)), "trim"),
        *(Piece(f"feeler_{k}", f, "wheel") for k, f in enumerate(feelers)),
    ]
    front = smooth([(0.25, 0.02), (0.62, 0.55), (0.66, 0.95), (0.35, 1.02), (0.02, 0.6), (-0.02, 0.02)], 6)
    back = smooth([(0.05, 0.02), (0.0, 0.55), (-0.3, 0.78), (-0.62, 0.6), (-0.5, 0.2), (-0.2, 0.02)], 6)
    lobes = u(0.9, 1.15)
    marks = [(0.42, 0.8, 0.13), (0.25, 0.48, 0.09), (-0.3, 0.52, 0.12)]
    for side, s in (("r", -1), ("l", 1)):

        def hung(solid: Manifold, lift: float, s: int = s) -> Manifold:
            return solid.scale((1, s * span, 1)).rotate((s * (tilt + lift), 0, 0)).translate((0, 0.03 * s, z + 0.02))

        pieces.append(Piece(f"fore_wing_{side}", hung(prism(front, 0.045), 4), "body"))
        pieces.append(Piece(f"hind_wing_{side}", hung(prism(back * lobes, 0.045), 0), "cab"))
        for k, (x, y, r) in enumerate(marks):
            spot = rod(0.075, r, r * 0.9, (x, y, -0.015), 28)
            pieces.append(Piece(f"spot_{k}_{side}", hung(spot, 4 if k < 2 else 0), "light"))
    return pieces


def chicken(rng: Rng) -> list[Piece]:
    """A hen: comb, wattle, beak, wings, tail feathers, two feet."""
    u = rng.uniform
    r, leg = u(0.42, 0.48), u(0.26, 0.36)
    z = leg + 0.85 * r
    face = np.array([r * 0.98, 0, z + u(0.52, 0.62)])
    torso = ball(r, (0, 0, z), (1.25, 0.9, 0.95)) + chain([(0.25, 0, z + 0.1), tuple(face)], [0.3, 0.17], 28)
    comb = _joined(*(ball(0.085, off(face, 0.12 - 0.12 * k, 0, 0.2 + 0.03 * (k == 1)), (1, 0.5, 1.3), 20)
                     for k in range(3)))  # fmt: skip
    beak = rod(0.2, 0.085, 0.01, sides=20).rotate((0, 90, 0)).translate(off(face, 0.15, 0, 0))
    fan = [ball(0.36, scale=(0.34, 0.13, 1)).translate((0, 0, 0.3)).rotate((0, -34 - 16 * k, 0)) for k in range(3)]
    tail = _joined(*(f.translate((-r * 0.95, 0, z + 0.12)) for f in fan))
    pieces = [
        Piece("torso", torso, "body"),
        Piece("head", ball(0.2, tuple(face)), "body"),
        Piece("comb", comb, "trim"),
        Piece("beak", beak, "cab"),
        Piece("wattle", ball(0.08, off(face, 0.17, 0, -0.14), (0.7, 0.7, 1.2), 20), "trim"),
        Piece("tail", tail, "light"),
        *pair("wing", "light", lambda s: hull(ball(0.17, (0.2, s * r * 0.82, z + 0.08), (1, 0.5, 1), 24),
                                              ball(0.09, (-0.42, s * r * 0.84, z - 0.02), (1, 0.5, 1), 20))),
        *pair("eye", "wheel", lambda s: ball(0.045, off(face, 0.13, 0.13 * s, 0.06), sides=18)),
    ]  # fmt: skip
    for side, s in (("r", -1), ("l", 1)):
        y = 0.18 * s
        toes = [chain([(0.02, y, 0.05), (dx, y + dy, 0.04)], [0.045, 0.035])
                for dx, dy in ((0.24, 0), (0.19, 0.13), (0.19, -0.13), (-0.14, 0))]  # fmt: skip
        shank = chain([(0, y, z - 0.6 * r), (0.02, y, 0.05)], [0.07, 0.045])
        pieces.append(Piece(f"foot_{side}", _joined(shank, *toes), "cab"))
    return pieces


def dinosaur(rng: Rng) -> list[Piece]:
    """A long-necked one, a plated one, or one on two legs."""
    kind = rng.integers(3)
    return (_sauropod, _stegosaur, _tyrannosaur)[kind](rng)


def _sauropod(rng: Rng) -> list[Piece]:
    u = rng.uniform
    b = Build(u(0.6, 0.75), u(0.34, 0.42), u(0.32, 0.37), u(0.36, 0.42), (u(0.55, 0.7), u(0.75, 1.0)), 0.13, 0.16,
              (0.1, 0.09), u(0.12, 0.14), 1.1)  # fmt: skip
    pieces = [p for p in animal(b, hooves="trim") if p.name != "nose"]
    back = -b.length / 2 - 0.6 * b.rump
    path = smooth([(back, 0, b.back), (back - 0.5, 0, b.back - 0.25), (back - 0.95, 0, 0.2), (back - 1.35, 0, 0.12)], 5)
    pieces.append(Piece("tail", chain(path, np.linspace(0.27, 0.04, len(path)), 24), "body"))
    spots = [((x, 0.15 * s, b.back + b.rump * 0.85), 0.11) for x, s in ((-0.3, 1), (-0.05, -1), (0.2, 1), (-0.45, -1))]
    return [*pieces, *patches(pieces[0].solid, spots, "light")]


def _stegosaur(rng: Rng) -> list[Piece]:
    u = rng.uniform
    b = Build(u(0.7, 0.85), u(0.3, 0.38), u(0.3, 0.34), u(0.4, 0.46), (u(0.42, 0.5), u(-0.12, 0.05)), 0.16, 0.17,
              (0.14, 0.08), u(0.1, 0.12), 1.15)  # fmt: skip
    pieces = [p for p in animal(b, hooves="trim") if p.name != "nose"]
    back = -b.length / 2 - 0.6 * b.rump
    pieces.append(Piece("tail", chain([(back, 0, b.back), (back - 0.5, 0, b.back - 0.12), (back - 0.95, 0, 0.3)],
                                      [0.28, 0.16, 0.05], 24), "body"))  # fmt: skip
    diamond = np.array([(-0.16, 0), (-0.12, 0.2), (0, 0.42), (0.12, 0.2), (0.16, 0)])
    for k, (x, size) in enumerate(((0.5, 0.6), (0.26, 0.85), (-0.02, 1.0), (-0.32, 0.95), (-0.62, 0.72), (-0.88, 0.5))):
        plate = prism(diamond * size, 0.06).rotate((90, 0, 0)).translate((x, 0.03, 0))
        drop = b.back + b.rump * (0.82 - 0.35 * max(0.0, abs(x + 0.1) - 0.45) / 0.4)
        pieces.append(Piece(f"plate_{k}", plate.translate((0, 0.05 * (-1) ** k, drop - 0.02)), "cab"))
    for k, x in enumerate((0.72, 0.86)):
        at = (back - x, 0, 0.66 - 0.4 * x)
        spike = [rod(0.26, 0.05, 0.008, sides=16).rotate((-62 * s, -20, 0)).translate(at) for s in (-1, 1)]
        pieces.append(Piece(f"spike_{k}", _joined(*spike), "light"))
    return pieces


def _tyrannosaur(rng: Rng) -> list[Piece]:
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
        Piece("torso", torso, "body"),
        Piece("tail", chain(tail, np.linspace(0.28, 0.04, len(tail)), 24), "body"),
        Piece("head", upper, "body"),
        Piece("jaw", lower, "light"),
        Piece("teeth", _joined(*teeth), "trim"),
        Piece("belly", ball(0.25, (0.24, 0, hip + 0.08), (1.1, 0.85, 1.1)), "light"),
        *pair("eye", "wheel", lambda s: ball(0.05, off(face, 0.1, 0.16 * s, 0.13), sides=20)),
        *pair("arm", "body", lambda s: chain([off(chest, 0.1, 0.2 * s, -0.1), off(chest, 0.26, 0.24 * s, -0.2),
                                              off(chest, 0.36, 0.22 * s, -0.12)], [0.07, 0.05, 0.05])),
        *pair("leg", "body", lambda s: chain([(-0.08, 0.24 * s, hip), (0.14, 0.28 * s, 0.42), (-0.06, 0.28 * s, 0.16),
                                              (0.0, 0.28 * s, 0.08)], [0.24, 0.14, 0.085, 0.08], 24)),
        *pair("foot", "cab", lambda s: _joined(*(chain([(0, 0.28 * s, 0.07), (0.27, 0.28 * s + d, 0.055)], [0.08, 0.05])
                                                 for d in (-0.12, 0, 0.12)))),
    ]  # fmt: skip
    ridge = [
        (0.2, hip + lean + 0.12),
        (-0.02, hip + 0.38),
        (-0.26, hip + 0.31),
        (-0.5, hip + 0.16),
        (-0.74, hip + 0.08),
    ]
    for k, (x, z) in enumerate(ridge):
        pieces.append(Piece(f"ridge_{k}", ball(0.09, (x, 0, z - 0.03), (1, 0.5, 1.2), 18), "cab"))
    return pieces


def frog(rng: Rng) -> list[Piece]:
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
        Piece("body", torso - mouth, "body"),
        Piece("belly", ball(r * 0.8, (r * 0.42, 0, r * 0.62), (1, 0.92, 0.76)), "light"),
        *pair("eye", "light", lambda s: ball(eye, (front + 0.08, s * r * 0.5, r * 1.55), sides=28)),
        *pair("pupil", "wheel", lambda s: ball(eye * 0.62, (front + 0.08 + eye / 2, s * (r / 2 + 0.02), r * 1.58),
                                               sides=20)),
        *pair("thigh", "body", lambda s: chain([(-0.28, s * r * 0.72, r * 0.5), (0.14, s * r * 1.22, r * 0.52),
                                                (-0.3, s * r * 1.2, 0.1)], [0.2, 0.15, 0.1], 24)),
        *pair("hind_foot", "cab", lambda s: _joined(chain([(-0.3, s * r * 1.2, 0.08), (-0.1, s * r * 1.3, 0.05)], 0.07),
                                                    *foot(-0.1, s * r * 1.34, 1.5))),
        *pair("arm", "body", lambda s: chain([(front, s * r * 0.62, r * 0.62), (front + 0.16, s * r * 0.86, 0.24),
                                              (front + 0.12, s * r * 0.8, 0.06)], [0.12, 0.085, 0.07])),
        *pair("hand", "cab", lambda s: _joined(*foot(front + 0.12, s * r * 0.82, 1.0))),
        *patches(torso, [((x, y * r, r * 1.5), 0.12) for x, y in warts], "cab"),
    ]  # fmt: skip


def lizard(rng: Rng) -> list[Piece]:
    """A lizard: low body, splayed legs, curved tail, crest."""
    u = rng.uniform
    z, bend = u(0.2, 0.26), u(0.25, 0.6) * rng.choice([-1, 1])
    spine = smooth([(0.55, 0, z + 0.03), (0.1, 0, z), (-0.4, 0, z), (-0.85, 0.25 * bend, z - 0.05),
                    (-1.25, 0.95 * bend, 0.08), (-1.5, 1.6 * bend, 0.05)], 5)  # fmt: skip
    widths = np.interp(np.linspace(0, 1, len(spine)), [0, 0.15, 0.4, 0.6, 1], [0.15, 0.2, 0.17, 0.1, 0.03])
    cut = int(0.42 * len(spine))
    snout = hull(ball(0.18, (0.72, 0, z + 0.06), (1, 1, 0.75)), ball(0.08, (1.0, 0, z + 0.02), (1.2, 1.1, 0.7)))
    pieces = [
        Piece("body", chain(spine[: cut + 1], widths[: cut + 1], 26), "body"),
        Piece("tail", chain(spine[cut:], widths[cut:], 22), "body"),
        Piece("head", snout, "body"),
        Piece("throat", ball(0.13, (0.74, 0, z - 0.05), (1.3, 0.8, 0.6)), "light"),
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
            pieces.append(Piece(f"{'fore' if x > 0 else 'hind'}_leg_{side}", _joined(leg, *toes), "cab"))
    step = 2 if rng.random() < 0.5 else 3
    for k, at in enumerate(range(1, cut + 6, step)):
        crest = rod(0.16, 0.055, 0.008, (spine[at][0], spine[at][1], spine[at][2] + widths[at] - 0.04), 12)
        pieces.append(Piece(f"crest_{k}", crest, "trim"))
    return pieces


def monkey(rng: Rng) -> list[Piece]:
    """A sitting monkey: round ears, light face and belly, curled tail."""
    u = rng.uniform
    r, head = u(0.34, 0.4), u(0.3, 0.34)
    top = np.array([0.06, 0, 1.75 * r + 0.62 * head])

    def at(x: float, y: float, z: float) -> np.ndarray:
        return off(top, head * x, head * y, head * z)

    hook = smooth([(-0.6 * r, 0, 0.14), (-r - 0.15, 0, 0.1), (-r - 0.36, 0, 0.34), (-r - 0.3, 0, 0.7),
                   (-r - 0.1, 0, 0.74), (-r - 0.08, 0, 0.6)], 4)  # fmt: skip
    raised = u(-0.2, 0.5)
    return [
        Piece("body", ball(r, (0, 0, r), (0.92, 0.95, 1.1)), "body"),
        Piece("belly", ball(r * 0.78, (r * 0.3, 0, r * 0.98), (0.9, 0.85, 1.05)), "light"),
        Piece("head", ball(head, tuple(top), (0.95, 1.05, 1)), "body"),
        Piece("face", _joined(*(ball(head * 0.5, at(0.62, 0.3 * s, 0.18), (0.7, 0.8, 1))
                                for s in (-1, 1)), ball(head * 0.55, at(0.72, 0, -0.36),
                                                        (0.9, 1.15, 0.8))), "light"),
        Piece("nose", ball(0.045, at(1.22, 0, -0.1), (0.7, 1.4, 0.8), 18), "wheel"),
        *pair("ear", "light", lambda s: ball(head * 0.42, at(0, 1.15 * s, 0.05), (0.4, 1, 1), 28)),
        *pair("eye", "wheel", lambda s: ball(0.055, at(0.98, 0.3 * s, 0.28), sides=20)),
        *pair("arm", "body", lambda s: chain([(0.02, s * r * 0.8, 1.6 * r), (0.2, s * r * 1.45, 1.15 * r),
                                              (0.42, s * r * 1.25, (0.8 + raised) * r)], [0.1, 0.08, 0.075])),
        *pair("hand", "light", lambda s: ball(0.11, (0.46, s * r * 1.22, (0.8 + raised) * r), sides=24)),
        *pair("leg", "body", lambda s: chain([(0.05, s * r * 0.7, 0.2), (0.42, s * r * 1.15, 0.34),
                                              (0.56, s * r * 0.95, 0.1)], [0.16, 0.11, 0.08], 22)),
        *pair("foot", "light", lambda s: ball(0.13, (0.64, s * r * 0.95, 0.075), (1.5, 0.85, 0.58), 24)),
        Piece("tail", chain(hook, np.linspace(0.07, 0.05, len(hook)), 16), "body"),
    ]  # fmt: skip


def mouse(rng: Rng) -> list[Piece]:
    """A crouching mouse: round ears, pointed nose, long tail."""
    u = rng.uniform
    r, ear, bend = u(0.36, 0.42), u(0.2, 0.27), u(0.3, 0.7) * rng.choice([-1, 1])
    body = hull(ball(r, (-0.15, 0, r * 0.9), (1.2, 0.95, 0.9)), ball(r * 0.62, (0.38, 0, r * 0.9)))
    nose = np.array([0.98, 0, r * 0.72])
    face = hull(ball(r * 0.62, (0.42, 0, r * 0.92)), ball(0.06, tuple(nose)))
    tail = smooth([(-0.5, 0, 0.16), (-0.85, 0.2 * bend, 0.07), (-1.2, 0.1 * bend, 0.05), (-1.5, 0.6 * bend, 0.05)], 5)
    hairs = [chain([off(nose, -0.12, 0.06 * s, 0.0), off(nose, -0.08, 0.34 * s, dz)], 0.013, 8)
             for s in (-1, 1) for dz in (0.06, -0.04)]  # fmt: skip
    return [
        Piece("body", body, "body"),
        Piece("head", face, "body"),
        Piece("nose", ball(0.075, off(nose, 0.04, 0, 0), sides=20), "trim"),
        Piece("tail", chain(tail, np.linspace(0.055, 0.025, len(tail)), 14), "trim"),
        Piece("whiskers", _joined(*hairs), "wheel"),
        *pair("ear", "body", lambda s: ball(ear, (0.3, s * (r * 0.66 + 0.02), r * 1.5), (0.28, 1, 1), 32)),
        *pair("inner_ear", "light", lambda s: ball(ear * 0.72, (0.335, s * (r * 0.66 + 0.02), r * 1.5),
                                                   (0.25, 1, 1), 28)),
        *pair("eye", "wheel", lambda s: ball(0.06, (0.68, s * r * 0.42, r * 1.08), sides=20)),
        *pair("paw", "light", lambda s: chain([(0.32, s * r * 0.4, r * 0.55), (0.4, s * r * 0.48, 0.07),
                                               (0.52, s * r * 0.46, 0.065)], [0.09, 0.065, 0.065])),
        *pair("haunch", "body", lambda s: ball(r * 0.55, (-0.3, s * r * 0.72, r * 0.55), (1.1, 0.6, 1), 28)),
        *pair("hind_paw", "light", lambda s: ball(0.12, (-0.08, s * r * 0.85, 0.065), (1.7, 0.8, 0.54), 22)),
    ]  # fmt: skip


def octopus(rng: Rng) -> list[Piece]:
    """An octopus: a domed head on eight curling arms."""
    u = rng.uniform
    r, reach, curl = u(0.4, 0.46), u(0.75, 0.95), u(0.12, 0.3)
    z = 0.34 + 0.5 * r
    pieces = [
        Piece("head", ball(r, (0, 0, z + 0.3 * r), (1, 1, u(1.05, 1.3))), "body"),
        Piece("skirt", turned([(r * 0.95, z), (r * 1.05, z - 0.16), (r * 0.85, z - 0.34), (r * 0.3, z - 0.4)]), "body"),
        Piece("mouth", ring(0.075, 0.03, 28).rotate((0, 90, 0)).translate((r * 0.98, 0, z + 0.02)), "trim"),
        *pair("eye", "light", lambda s: ball(0.13, (r * 0.8, 0.19 * s, z + 0.42 * r), sides=28)),
        *pair("pupil", "wheel", lambda s: ball(0.07, (r * 0.8 + 0.1, 0.2 * s, z + 0.44 * r), sides=20)),
    ]
    for k in range(8):
        lift = u(0.0, 0.22)
        path = smooth([(r * 0.5, 0, 0.3), (r * 0.95, 0, 0.12), (reach, 0.3 * curl, 0.08),
                       (reach + 0.2, curl, 0.08 + 0.5 * lift), (reach + 0.1, 1.5 * curl, 0.1 + lift)], 4)  # fmt: skip
        arm = chain(path, np.linspace(0.14, 0.045, len(path)), 18)
        pieces.append(Piece(f"arm_{k}", arm.rotate((0, 0, 22.5 + 45 * k)), "body" if k % 2 else "cab"))
    spots = [((-0.1, y * r, z + 1.15 * r), 0.1) for y in (-0.45, 0.4)] + [((-r * 0.8, 0, z + 0.5 * r), 0.15)]
    return pieces + patches(pieces[0].solid, spots, "cab")


def panda(rng: Rng) -> list[Piece]:
    """A sitting panda, dark limbs, ears and eye patches on a light body; at times with bamboo."""
    u = rng.uniform
    r, head = u(0.44, 0.5), u(0.36, 0.41)
    top = np.array([0.08, 0, 1.72 * r + 0.62 * head])

    def at(x: float, y: float, z: float) -> np.ndarray:
        return off(top, head * x, head * y, head * z)

    pieces = [
        Piece("body", ball(r, (0, 0, r * 0.98), (0.95, 1.02, 1.05)), "light"),
        Piece("shoulders", ring(r * 0.62, r * 0.26).scale((1, 1.1, 1)).translate((0.02, 0, 1.6 * r)), "wheel"),
        Piece("head", ball(head, tuple(top), (0.95, 1.12, 0.98)), "light"),
        Piece("muzzle", ball(head * 0.42, at(0.78, 0, -0.28), (0.9, 1.1, 0.8)), "light"),
        Piece("nose", ball(0.065, at(1.14, 0, -0.12), (0.8, 1.3, 0.8), 20), "wheel"),
        *pair("ear", "wheel", lambda s: ball(head * 0.34, at(-0.1, 0.82 * s, 0.82), (0.6, 1, 1), 28)),
        *pair("eye_patch", "wheel", lambda s: ball(head * 0.26, scale=(0.55, 0.8, 1.15), sides=24)
              .rotate((-25 * s, 0, 0)).translate(at(0.76, 0.42 * s, 0.12))),
        *pair("eye", "trim", lambda s: ball(0.045, at(0.93, 0.4 * s, 0.17), sides=18)),
        *pair("arm", "wheel", lambda s: chain([(0.05, s * r * 0.85, 1.5 * r), (0.3, s * r * 1.1, 1.0 * r),
                                               (0.5, s * r * 0.75, 0.82 * r)], [0.15, 0.13, 0.12], 24)),
        *pair("leg", "wheel", lambda s: chain([(0.1, s * r * 0.7, 0.2), (0.55, s * r * 0.85, 0.17)],
                                              [0.19, 0.165], 26)),
        *pair("sole", "light", lambda s: ball(0.11, (0.69, s * r * 0.85, 0.18), (0.5, 1, 1), 22)),
    ]  # fmt: skip
    if rng.random() < 0.5:
        cane = rod(0.9, 0.045, None, (0.56, -r * 0.7, 0.42), 18)
        knots = [ring(0.045, 0.02, 18).translate((0.56, -r * 0.7, z)) for z in (0.6, 0.85, 1.1)]
        pieces.append(Piece("bamboo", _joined(cane, *knots), "cab"))
    return pieces


def shark(rng: Rng) -> list[Piece]:
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
        Piece("body", body - lower, "body"),
        Piece("belly", lower, "light"),
        Piece("mouth", gape.scale((1, 1.05, 1)), "trim"),
        Piece("back_fin", back, "body"),
        Piece("tail_fin", tail, "body"),
        *pair("side_fin", "body", lambda s: prism([(0.14, 0), (-0.12, 0), (-0.36, 0.5), (-0.2, 0.52)], 0.06)
              .scale((1, s, 1)).rotate((-24 * s, 0, 0)).translate((0.22, s * r * 0.72, z - 0.24 * r))),
        *pair("eye", "wheel", lambda s: ball(0.055, (x * 0.74, s * r * 0.62, z + 0.22 * r), sides=20)),
    ]  # fmt: skip
    for k in range(3):
        at = (x * 0.46 - 0.09 * k, 0, z)
        slit = ring(r * (0.935 + 0.025 * k), 0.03).rotate((0, 90, 0)).translate(at) ^ box((1, 4, 0.9 * r), at)
        pieces.append(Piece(f"gill_{k}", slit, "wheel"))
    return pieces


def orange(rng: Rng) -> list[Piece]:
    """An orange with leaves, or a half with its segments."""
    u = rng.uniform
    r = u(0.5, 0.58)
    if rng.random() < 0.6:
        rind = ball(r, (0, 0, 0.93 * r), (1, 1, 0.94), 64) - ball(0.12, (0, 0, 1.95 * r), sides=24)
        star = around(
            hull(ball(0.04, (0, 0, r * 1.83), sides=12), ball(0.035, (0.12, 0, r * 1.86), (1, 1, 0.5), 12)), 5
        )
        pieces = [Piece("rind", rind, "body"), Piece("calyx", star, "trim"),
                  Piece("stalk", chain([(0, 0, r * 1.78), (0.02, 0, r * 2.02)], [0.05, 0.04]), "trim")]  # fmt: skip
        for k in range(int(rng.integers(1, 3))):
            leaf = hull(ball(0.03, (0.02, 0, 0), sides=12), ball(0.16, (0.26, 0, 0.04), (1.1, 0.62, 0.12), 24),
                        ball(0.02, (0.5, 0, 0.0), sides=10))  # fmt: skip
            pieces.append(
                Piece(f"leaf_{k}", leaf.rotate((0, 0, u(0, 100) + 180 * k)).translate((0, 0, r * 1.95)), "cab")
            )
        return pieces
    floor = 0.88 * r
    half = ball(r, (0, 0, floor), sides=64) ^ box((4, 4, 2), (0, 0, floor - 1))
    half = half ^ box((4, 4, 4), (0, 0, 2.0 + 0.06))
    flesh = rod(0.3, r * 0.92, None, (0, 0, floor - 0.12), 64) ^ box((4, 4, 2), (0, 0, floor - 1 + 1e-3))
    pith = flesh - rod(1, r * 0.84, None, (0, 0, 0), 64) + rod(0.1, r * 0.84, None, (0, 0, floor - 0.12), 64)
    count = int(rng.integers(8, 12))
    wide = np.pi / count * 0.86
    side = np.array([(0.5, 0.5 * np.tan(wide)), (0.8, 0.74 * np.sin(wide))]) * r
    outline = [(0.1 * r, 0), *side, (0.84 * r, 0), *(side[::-1] * [1, -1]), (0.1 * r, 0)]
    wedge = smooth(np.array(outline), 4)
    piece = prism(wedge[:-1], 0.07, (0, 0, floor - 0.04))
    segments = [Piece(f"segment_{k}", piece.rotate((0, 0, 360 * k / count)), "light") for k in range(count)]
    return [Piece("rind", half - flesh, "body"), Piece("pith", pith, "trim"), *segments]
