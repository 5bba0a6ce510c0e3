"""Animals that graze: cow, horse, deer or moose, giraffe, elephant, pig, sheep. Facing +x, z up."""

import numpy as np
from manifold3d import Manifold, OpType

from datagen.shapes.procedural.things.animals.body import Proportions, animal, bent, ear_to, off, pair, patches, tail
from datagen.shapes.procedural.things.solids import Solid, ball, chain, hull, ring, rod

Rng = np.random.Generator


def cow(rng: Rng) -> list[Solid]:
    """A cow with horns, patches, udder and, at times, a bell."""
    u = rng.uniform
    b = Proportions(
        length=u(0.95, 1.15),
        leg=u(0.42, 0.55),
        chest=u(0.36, 0.42),
        rump=u(0.36, 0.42),
        neck=(u(0.3, 0.4), u(0.2, 0.34)),
        neck_r=0.2,
        head=u(0.24, 0.28),
        muzzle=(u(0.1, 0.16), u(0.17, 0.2)),
        leg_r=u(0.1, 0.12),
    )
    pieces = animal(b, muzzle="light")
    spots = [((u(-0.6, 0.5), s * b.rump, b.back + u(-0.1, 0.25)), u(0.2, 0.32)) for s in (-1, 1, -1, 1)]
    pieces += patches(pieces[0].solid, spots, "cab")
    horn = [(0, 0.45, 0.75), (-0.05, 0.95, 1.05), (0.05, 1.1, u(1.4, 1.7))]
    pieces += pair("horn", "trim", lambda s: bent(b, horn, s, [0.075, 0.06, 0.025]))
    pieces += pair("ear", "cab", ear_to(b, (-0.2, u(1.5, 1.8), 0.5), 0.3))
    pieces.append(Solid("udder", ball(0.18, (-0.22 * b.length, 0, b.leg + 0.02), (1.1, 1, 0.75)), "light"))
    pieces.append(tail(b, [(-0.12, 0.1), (-0.2, -0.25), (-0.16, -0.5)], [0.05, 0.035, 0.035], "body"))
    tuft = ball(0.08, (-b.length / 2 - b.rump - 0.12, 0, b.back - 0.55), (0.8, 0.8, 1.5), 20)
    pieces.append(Solid("tuft", tuft, "cab"))
    if rng.random() < 0.5:
        at = off(b.face, -0.1, 0, -b.head - 0.2)
        pieces.append(Solid("bell", rod(0.17, 0.11, 0.06, at), "trim"))
    return pieces


def horse(rng: Rng) -> list[Solid]:
    """A horse with mane and long tail, at times saddled."""
    u = rng.uniform
    b = Proportions(
        length=u(0.85, 1.0),
        leg=u(0.62, 0.75),
        chest=u(0.29, 0.33),
        rump=u(0.3, 0.34),
        neck=(u(0.3, 0.42), u(0.58, 0.72)),
        neck_r=u(0.15, 0.18),
        head=u(0.19, 0.22),
        muzzle=(u(0.22, 0.3), u(0.1, 0.13)),
        leg_r=u(0.075, 0.09),
        hoof=1.25,
    )
    pieces = animal(b)
    shoulder = np.array([b.length / 2 - 0.05, 0, b.back + 0.35 * b.chest])
    top = off(b.face, -0.06, 0, b.head * 0.9)
    ridge = np.array([-1.25 * b.neck_r, 0, 0.35 * b.neck_r])
    crest = [tuple(shoulder + ridge + f * (top - shoulder - 0.6 * ridge)) for f in np.linspace(0, 1, 6)]
    locks = chain(crest, [0.05, 0.075, 0.08, 0.08, 0.08, 0.07], 16).scale((1, 0.7, 1))
    forelock = ball(0.07, off(top, 0.12, 0, -0.01), (1.3, 0.8, 0.7), 20)
    pieces += [Solid("mane", locks, "cab"), Solid("forelock", forelock, "cab")]
    pieces += pair("ear", "body", ear_to(b, (-0.1, 0.6, u(1.6, 1.9)), 0.24))
    bow = u(0.05, 0.16)
    pieces.append(tail(b, [(-0.14, 0.06), (-0.2 - bow, -0.3), (-0.18, -0.72)], [0.05, 0.09, 0.045], "cab"))
    if rng.random() < 0.5:
        seat = hull(
            *(
                ball(0.11, (x, s * 0.14, b.back + b.rump + dz), (1, 1, 0.5), 20)
                for x, dz in ((-0.2, 0.05), (0.16, 0.03))
                for s in (-1, 1)
            )
        )
        girth = ring(b.rump * 1.0, 0.035).rotate((0, 90, 0)).translate((0, 0, b.back - 0.01))
        pieces += [Solid("saddle", seat, "trim"), Solid("girth", girth, "trim")]
    return pieces


def deer_moose(rng: Rng) -> list[Solid]:
    """A deer with branching antlers, or a moose with shovels."""
    u, moose = rng.uniform, rng.random() < 0.4
    b = Proportions(
        length=u(0.7, 0.85),
        leg=u(0.66, 0.8),
        chest=0.27 + 0.06 * moose,
        rump=0.25,
        neck=(u(0.24, 0.34), u(0.42, 0.56)),
        neck_r=0.13 + 0.04 * moose,
        head=0.18,
        muzzle=(0.16 + 0.1 * moose, 0.09 + 0.05 * moose),
        leg_r=u(0.06, 0.072),
        hoof=1.2,
    )
    pieces = animal(b)
    if moose:
        stem = [(-0.1, 0.4, 0.85), (-0.2, 1.2, 1.2)]
        pieces += pair("stem", "trim", lambda s: bent(b, stem, s, [0.05, 0.05]))
        pieces += pair("antler", "trim", lambda s: _shovel(b, s))
    else:
        wide, high = u(1.2, 1.7), u(2.4, 3.1)
        beam = [(-0.05, 0.35, 0.8), (-0.5, 0.9 * wide, 1.6), (-0.1, wide, high)]
        tines = [[(-0.3, 0.65 * wide, 1.25), (0.5, 0.75 * wide, 1.9)], [(-0.4, 0.93 * wide, 1.8), (-0.9, wide, 2.5)]]

        def antler(s: int) -> Manifold:
            solids = [bent(b, beam, s, [0.05, 0.04, 0.022]), *(bent(b, t, s, [0.034, 0.02]) for t in tines)]
            return Manifold.batch_boolean(solids, OpType.Add)

        pieces += pair("antler", "trim", antler)
        spots = [((x, s * 0.24, b.back + 0.16), 0.075) for x in (-0.3, -0.1, 0.12, 0.3) for s in (-1, 1)]
        pieces += patches(pieces[0].solid, spots, "light")
    pieces += pair("ear", "body", ear_to(b, (-0.3, u(1.4, 1.7), 1.1), 0.28))
    pieces.append(tail(b, [(-0.08, 0.08), (-0.12, -0.02)], [0.06, 0.075, 0.05], "light"))
    return pieces


def _shovel(b: Proportions, s: int) -> Manifold:
    root = b.at(-0.2, 1.2 * s, 1.2)
    blade = hull(ball(0.06, tuple(root), sides=14), ball(0.16, off(root, -0.1, 0.22 * s, 0.3), (1, 0.3, 1), 20))
    points = [off(root, dx, 0.3 * s, dz) for dx, dz in ((0.12, 0.42), (-0.06, 0.55), (-0.24, 0.5))]
    middle = off(root, -0.1, 0.22 * s, 0.3)
    return Manifold.batch_boolean([blade, *(chain([middle, tuple(p)], [0.05, 0.02]) for p in points)], OpType.Add)


def giraffe(rng: Rng) -> list[Solid]:
    """A giraffe: long neck, patches, two short horns."""
    u = rng.uniform
    b = Proportions(
        length=u(0.6, 0.72),
        leg=u(0.75, 0.9),
        chest=u(0.27, 0.31),
        rump=u(0.24, 0.27),
        neck=(u(0.34, 0.48), u(1.15, 1.45)),
        neck_r=u(0.1, 0.12),
        head=0.17,
        muzzle=(u(0.16, 0.2), 0.09),
        leg_r=u(0.07, 0.08),
        hoof=1.2,
    )
    pieces = animal(b, muzzle="light")
    shoulder = np.array([b.length / 2, 0, b.back])
    along = [off(shoulder + f * (b.face - shoulder), 0, s * 0.14, 0) for f in (0.3, 0.52, 0.74) for s in (-1, 1)]
    flank = [(x, s * 0.26, b.back + dz) for x, dz in ((-0.34, 0.06), (-0.06, 0.1), (0.2, 0.02)) for s in (-1, 1)]
    spots = [(at, u(0.09, 0.12)) for at in along] + [(at, u(0.12, 0.15)) for at in flank]
    pieces += patches(pieces[0].solid, spots, "cab", 0.018)
    horn = [(-0.2, 0.4, 0.8), (-0.3, 0.45, 1.6)]
    pieces += pair("horn", "cab", lambda s: bent(b, horn, s, [0.035, 0.055]))
    pieces += pair("ear", "body", ear_to(b, (-0.4, 1.6, 0.9), 0.24))
    pieces.append(tail(b, [(-0.1, -0.05), (-0.14, -0.5)], [0.035, 0.03, 0.06], "cab"))
    return pieces


def elephant(rng: Rng) -> list[Solid]:
    """An elephant: trunk, tusks, large ears."""
    u = rng.uniform
    b = Proportions(
        length=u(0.75, 0.95),
        leg=u(0.42, 0.52),
        chest=u(0.46, 0.52),
        rump=u(0.46, 0.52),
        neck=(u(0.28, 0.36), u(0.12, 0.24)),
        neck_r=0.32,
        head=u(0.36, 0.41),
        muzzle=(0.02, 0.14),
        leg_r=u(0.17, 0.2),
        hoof=1.08,
    )
    pieces = [p for p in animal(b, hooves="trim") if p.name not in ("nose", "muzzle")]
    f, up = b.face, rng.random() < 0.4
    rise = [(0.55, 0.75), (0.78, 0.42), (0.95, 0.75), (0.86, 1.1)] if up else [(0.55, 0.75), (0.74, 0.2), (0.76, -0.3)]
    low = 0.12 if not up else 0.0
    path = [(f[0] + 0.15, 0, f[2] - 0.05)]
    path += [(f[0] + dx * 1.05 * b.head / 0.4, 0, max(f[2] + (z - 1.0) * 0.8, low)) for dx, z in rise]
    pieces.append(Solid("trunk", chain(path, np.linspace(0.17, 0.075, len(path)), 28), "body"))
    tusk = [(0.75, 0.42, -0.35), (1.25, 0.5, -0.75), (1.6, 0.46, -0.6)]
    pieces += pair("tusk", "light", lambda s: bent(b, tusk, s, [0.07, 0.055, 0.025]))
    wide = u(0.38, 0.48)

    def ear(s: int) -> Manifold:
        flap = ball(wide, scale=(0.2, 1, 1.15)).rotate((0, 0, -24.0 * s))
        return flap.translate((f[0] - 0.1, s * (0.8 * b.head + 0.6 * wide), f[2] + 0.02))

    pieces += pair("ear", "cab", ear)
    pieces.append(tail(b, [(-0.1, -0.1), (-0.14, -0.45)], [0.045, 0.035, 0.05], "trim"))
    return pieces


def pig(rng: Rng) -> list[Solid]:
    """A pig: disc snout, triangle ears, curly tail."""
    u = rng.uniform
    b = Proportions(
        length=u(0.55, 0.7),
        leg=u(0.24, 0.32),
        chest=u(0.42, 0.48),
        rump=u(0.44, 0.5),
        neck=(u(0.3, 0.36), u(0.06, 0.16)),
        neck_r=0.3,
        head=u(0.31, 0.35),
        muzzle=(0.04, 0.16),
        leg_r=u(0.12, 0.14),
    )
    pieces = [p for p in animal(b) if p.name not in ("nose", "muzzle")]
    snout = off(b.face, b.head * 0.85, 0, -0.06)
    disc = rod(0.2, 0.17, 0.155, sides=32).rotate((0, 90, 0)).translate(tuple(snout))
    holes = [rod(0.1, 0.035, sides=16).rotate((0, 90, 0)).translate(off(snout, 0.13, s * 0.06, 0.01)) for s in (-1, 1)]
    pieces.append(Solid("snout", disc - holes[0] - holes[1], "light"))
    pieces += pair("ear", "light", ear_to(b, (0.35, u(0.8, 1.1), u(1.15, 1.4)), 0.4, 0.35))
    turn = np.linspace(0, 3.4 * np.pi, 18)
    root = np.array([-b.length / 2 - b.rump + 0.03, 0, b.back + 0.15])
    curl = root + np.stack([-0.016 * turn, 0.07 * np.sin(turn), 0.07 * (1 - np.cos(turn))], axis=1)
    pieces.append(Solid("tail", chain(curl, 0.032, 12), "light"))
    return pieces


def sheep(rng: Rng) -> list[Solid]:
    """A woolly body on four legs."""
    length, r = rng.uniform(0.8, 1.0), rng.uniform(0.34, 0.4)
    legs_h = rng.uniform(0.28, 0.4)
    z = legs_h + r * 0.8
    wool = [ball(r, (0, 0, z), (length / 2 / r * 1.15, 1, 0.95))]
    for k in range(14):
        u, v = 2.4 * k, -0.5 + 1.4 * k / 13
        wool.append(
            ball(
                r * 0.42,
                (length * 0.5 * np.cos(u) * np.cos(v), r * 0.8 * np.sin(u) * np.cos(v), z + r * 0.7 * np.sin(v)),
                sides=24,
            )
        )
    head = ball(0.2, (length * 0.66, 0, z + r * 0.5), (1.25, 0.9, 1))
    pieces = [Solid("wool", Manifold.batch_boolean(wool, OpType.Add), "light"), Solid("head", head, "wheel")]
    for k, (x, y) in enumerate(((0.3, 0.18), (0.3, -0.18), (-0.3, 0.18), (-0.3, -0.18))):
        pieces.append(Solid(f"leg_{k}", rod(legs_h + 0.2, 0.075, 0.09, (x * length, y, 0), 20), "wheel"))
    for k, s in enumerate((-1, 1)):
        pieces.append(
            Solid(f"ear_{k}", ball(0.1, (length * 0.58, s * 0.2, z + r * 0.72), (0.6, 1.2, 0.5), 20), "wheel")
        )
    return pieces
