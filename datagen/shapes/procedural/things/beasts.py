"""Animals on four legs: cow, deer, dog, elephant, fox, giraffe, horse, lion, pig. Facing +x, z up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from manifold3d import Manifold, OpType

from datagen.shapes.procedural.things.solids import Piece, Vec, around, ball, box, chain, hull, ring, rod

Rng = np.random.Generator


@dataclass(frozen=True)
class Build:
    """Proportions of an animal on four legs, in units of about half its height."""

    length: float
    """Between shoulders and hips."""
    leg: float
    """Height of the belly."""
    chest: float
    rump: float
    neck: tuple[float, float]
    """From the shoulders to the head, ahead and up."""
    neck_r: float
    head: float
    muzzle: tuple[float, float]
    """Length beyond the head's ball, and radius at its end."""
    leg_r: float
    hoof: float = 1.15
    """Width of a foot over that of its leg."""

    @property
    def back(self) -> float:
        """Height of the torso's axis."""
        return self.leg + 0.8 * max(self.chest, self.rump)

    @property
    def face(self) -> np.ndarray:
        """Centre of the head (3,)."""
        return np.array([self.length / 2 + self.neck[0], 0.0, self.back + self.neck[1]])

    def at(self, x: float, y: float, z: float) -> np.ndarray:
        """A point given in heads from the head's centre."""
        return self.face + self.head * np.array([x, y, z])

    @property
    def nose(self) -> np.ndarray:
        """End of the muzzle (3,)."""
        return off(self.face, self.head + self.muzzle[0], 0, -0.35 * self.head)


def off(point: Vec | np.ndarray, x: float, y: float, z: float) -> np.ndarray:
    """A point (3,) moved."""
    return np.asarray(point) + np.array([x, y, z])


def pair(name: str, group: str, make: Callable[[int], Manifold]) -> list[Piece]:
    """A left and a right piece; `make` gets -1 and 1."""
    return [Piece(f"{name}_{side}", make(s), group) for side, s in (("r", -1), ("l", 1))]


def patches(solid: Manifold, spots: Sequence[tuple[Vec, float]], group: str, thick: float = 0.025) -> list[Piece]:
    """Thin coloured patches: where balls (centre, radius) meet the skin of a solid."""
    low, high = np.array(solid.bounding_box()).reshape(2, 3)
    centre, grow = (low + high) / 2, 1 + 2 * thick / (high - low)
    skin = solid.translate(tuple(-centre)).scale(tuple(grow)).translate(tuple(centre))
    cut = [(skin ^ ball(radius, at, sides=32)) - solid for at, radius in spots]
    return [Piece(f"patch_{k}", patch, group) for k, patch in enumerate(cut) if patch.volume() > 1e-5]


def animal(b: Build, hooves: str = "wheel", muzzle: str = "body") -> list[Piece]:
    """Torso with neck, head, muzzle, nose, eyes, legs, feet."""
    x = b.length / 2
    torso = chain([(-x, 0, b.back), (0, 0, b.back - 0.03), (x, 0, b.back)], [b.rump, 0.94 * b.rump, b.chest], 36)
    neck = chain([(x, 0, b.back + 0.2 * b.chest), tuple(b.face)], [b.neck_r * 1.35, b.neck_r], 28)
    pieces = [
        Piece("torso", torso + neck, "body"),
        Piece("head", ball(b.head, tuple(b.face), (1.1, 0.92, 1)), "body"),
        Piece(
            "muzzle",
            chain(
                [off(b.face, 0, 0, -0.15 * b.head), off(b.nose, -0.3 * b.muzzle[1], 0, 0)],
                [0.7 * b.head, b.muzzle[1]],
                28,
            ),
            muzzle,
        ),
        Piece("nose", ball(0.42 * b.muzzle[1], off(b.nose, 0.55 * b.muzzle[1], 0, 0.35 * b.muzzle[1])), "wheel"),
        *pair("eye", "wheel", lambda s: ball(0.17 * b.head, b.at(0.72, 0.6 * s, 0.4))),
    ]
    for name, at, r in (("fore", x, b.chest), ("hind", -x, b.rump)):
        for side, y in (("r", -0.62 * r), ("l", 0.62 * r)):
            pieces.append(Piece(f"{name}_{side}", _leg(b, at, y), "body"))
            foot = rod(0.22 * b.leg, b.hoof * b.leg_r, b.leg_r * 0.98, (at, y, 0), 24)
            pieces.append(Piece(f"{name}_foot_{side}", foot, hooves))
    return pieces


def _leg(b: Build, x: float, y: float) -> Manifold:
    knee = b.leg_r * (0.25 if x > 0 else -0.4)
    path = [(x, y * 0.9, b.back - 0.1), (x + knee, y, 0.55 * b.leg), (x, y, 0.12 * b.leg)]
    return chain(path, [1.55 * b.leg_r, 1.08 * b.leg_r, 0.92 * b.leg_r], 24) - box((9, 9, 1), (0, 0, -0.5))


def _ear(b: Build, tip: Vec, width: float, flat: float = 0.4) -> Callable[[int], Manifold]:
    """A pointed ear from the head's side to `tip`, given in heads from the head's centre."""

    def make(s: int) -> Manifold:
        root = b.at(-0.1, 0.55 * s, 0.72)
        end = b.at(tip[0], tip[1] * s, tip[2])
        wide = ball(width * b.head, tuple(root + 0.35 * (end - root)), (flat, 1, 1), 20)
        return hull(ball(0.6 * width * b.head, tuple(root), sides=16), wide, ball(0.06, tuple(end), sides=12))

    return make


def cow(rng: Rng) -> list[Piece]:
    """A cow with horns, patches, udder and, at times, a bell."""
    u = rng.uniform
    b = Build(u(0.95, 1.15), u(0.42, 0.55), u(0.36, 0.42), u(0.36, 0.42), (u(0.3, 0.4), u(0.2, 0.34)), 0.2,
              u(0.24, 0.28), (u(0.1, 0.16), u(0.17, 0.2)), u(0.1, 0.12))  # fmt: skip
    pieces = animal(b, muzzle="light")
    spots = [((u(-0.6, 0.5), s * b.rump, b.back + u(-0.1, 0.25)), u(0.2, 0.32)) for s in (-1, 1, -1, 1)]
    pieces += patches(pieces[0].solid, spots, "cab")
    horn = [(0, 0.45, 0.75), (-0.05, 0.95, 1.05), (0.05, 1.1, u(1.4, 1.7))]
    pieces += pair("horn", "trim", lambda s: _bent(b, horn, s, [0.075, 0.06, 0.025]))
    pieces += pair("ear", "cab", _ear(b, (-0.2, u(1.5, 1.8), 0.5), 0.3))
    pieces.append(Piece("udder", ball(0.18, (-0.22 * b.length, 0, b.leg + 0.02), (1.1, 1, 0.75)), "light"))
    pieces.append(_tail(b, [(-0.12, 0.1), (-0.2, -0.25), (-0.16, -0.5)], [0.05, 0.035, 0.035], "body"))
    tuft = ball(0.08, (-b.length / 2 - b.rump - 0.12, 0, b.back - 0.55), (0.8, 0.8, 1.5), 20)
    pieces.append(Piece("tuft", tuft, "cab"))
    if rng.random() < 0.5:
        at = off(b.face, -0.1, 0, -b.head - 0.2)
        pieces.append(Piece("bell", rod(0.17, 0.11, 0.06, at), "trim"))
    return pieces


def _bent(b: Build, path: Sequence[Vec], s: int, radii: Sequence[float]) -> Manifold:
    """A bar along points given in heads from the head's centre, mirrored by `s`."""
    return chain([b.at(x, y * s, z) for x, y, z in path], radii)


def _tail(b: Build, path: Sequence[tuple[float, float]], radii: Sequence[float], group: str) -> Piece:
    """A tail from the rump through (x, z) points about its root."""
    root = np.array([-b.length / 2 - 0.85 * b.rump, 0.0, b.back + 0.25 * b.rump])
    points = [off(root, 0.1, 0, 0), *(off(root, x, 0, z) for x, z in path)]
    widths = np.interp(np.linspace(0, 1, len(points)), np.linspace(0, 1, len(radii)), radii)
    return Piece("tail", chain(points, widths, 20), group)


def horse(rng: Rng) -> list[Piece]:
    """A horse with mane and long tail, at times saddled."""
    u = rng.uniform
    b = Build(u(0.85, 1.0), u(0.62, 0.75), u(0.29, 0.33), u(0.3, 0.34), (u(0.3, 0.42), u(0.58, 0.72)), u(0.15, 0.18),
              u(0.19, 0.22), (u(0.22, 0.3), u(0.1, 0.13)), u(0.075, 0.09), 1.25)  # fmt: skip
    pieces = animal(b)
    shoulder = np.array([b.length / 2 - 0.05, 0, b.back + 0.35 * b.chest])
    top = off(b.face, -0.06, 0, b.head * 0.9)
    ridge = np.array([-1.25 * b.neck_r, 0, 0.35 * b.neck_r])
    crest = [tuple(shoulder + ridge + f * (top - shoulder - 0.6 * ridge)) for f in np.linspace(0, 1, 6)]
    locks = chain(crest, [0.05, 0.075, 0.08, 0.08, 0.08, 0.07], 16).scale((1, 0.7, 1))
    forelock = ball(0.07, off(top, 0.12, 0, -0.01), (1.3, 0.8, 0.7), 20)
    pieces += [Piece("mane", locks, "cab"), Piece("forelock", forelock, "cab")]
    pieces += pair("ear", "body", _ear(b, (-0.1, 0.6, u(1.6, 1.9)), 0.24))
    bow = u(0.05, 0.16)
    pieces.append(_tail(b, [(-0.14, 0.06), (-0.2 - bow, -0.3), (-0.18, -0.72)], [0.05, 0.09, 0.045], "cab"))
    if rng.random() < 0.5:
        seat = hull(*(ball(0.11, (x, s * 0.14, b.back + b.rump + dz), (1, 1, 0.5), 20)
                      for x, dz in ((-0.2, 0.05), (0.16, 0.03)) for s in (-1, 1)))  # fmt: skip
        girth = ring(b.rump * 1.0, 0.035).rotate((0, 90, 0)).translate((0, 0, b.back - 0.01))
        pieces += [Piece("saddle", seat, "trim"), Piece("girth", girth, "trim")]
    return pieces


def deer_moose(rng: Rng) -> list[Piece]:
    """A deer with branching antlers, or a moose with shovels."""
    u, moose = rng.uniform, rng.random() < 0.4
    b = Build(u(0.7, 0.85), u(0.66, 0.8), 0.27 + 0.06 * moose, 0.25, (u(0.24, 0.34), u(0.42, 0.56)),
              0.13 + 0.04 * moose, 0.18, (0.16 + 0.1 * moose, 0.09 + 0.05 * moose), u(0.06, 0.072), 1.2)  # fmt: skip
    pieces = animal(b)
    if moose:
        stem = [(-0.1, 0.4, 0.85), (-0.2, 1.2, 1.2)]
        pieces += pair("stem", "trim", lambda s: _bent(b, stem, s, [0.05, 0.05]))
        pieces += pair("antler", "trim", lambda s: _shovel(b, s))
    else:
        wide, high = u(1.2, 1.7), u(2.4, 3.1)
        beam = [(-0.05, 0.35, 0.8), (-0.5, 0.9 * wide, 1.6), (-0.1, wide, high)]
        tines = [[(-0.3, 0.65 * wide, 1.25), (0.5, 0.75 * wide, 1.9)], [(-0.4, 0.93 * wide, 1.8), (-0.9, wide, 2.5)]]

        def antler(s: int) -> Manifold:
            solids = [_bent(b, beam, s, [0.05, 0.04, 0.022]), *(_bent(b, t, s, [0.034, 0.02]) for t in tines)]
            return Manifold.batch_boolean(solids, OpType.Add)

        pieces += pair("antler", "trim", antler)
        spots = [((x, s * 0.24, b.back + 0.16), 0.075) for x in (-0.3, -0.1, 0.12, 0.3) for s in (-1, 1)]
        pieces += patches(pieces[0].solid, spots, "light")
    pieces += pair("ear", "body", _ear(b, (-0.3, u(1.4, 1.7), 1.1), 0.28))
    pieces.append(_tail(b, [(-0.08, 0.08), (-0.12, -0.02)], [0.06, 0.075, 0.05], "light"))
    return pieces


def _shovel(b: Build, s: int) -> Manifold:
    root = b.at(-0.2, 1.2 * s, 1.2)
    blade = hull(ball(0.06, tuple(root), sides=14), ball(0.16, off(root, -0.1, 0.22 * s, 0.3), (1, 0.3, 1), 20))
    points = [off(root, dx, 0.3 * s, dz) for dx, dz in ((0.12, 0.42), (-0.06, 0.55), (-0.24, 0.5))]
    middle = off(root, -0.1, 0.22 * s, 0.3)
    return Manifold.batch_boolean([blade, *(chain([middle, tuple(p)], [0.05, 0.02]) for p in points)], OpType.Add)


def giraffe(rng: Rng) -> list[Piece]:
    """A giraffe: long neck, patches, two short horns."""
    u = rng.uniform
    b = Build(u(0.6, 0.72), u(0.75, 0.9), u(0.27, 0.31), u(0.24, 0.27), (u(0.34, 0.48), u(1.15, 1.45)), u(0.1, 0.12),
              0.17, (u(0.16, 0.2), 0.09), u(0.07, 0.08), 1.2)  # fmt: skip
    pieces = animal(b, muzzle="light")
    shoulder = np.array([b.length / 2, 0, b.back])
    along = [off(shoulder + f * (b.face - shoulder), 0, s * 0.14, 0) for f in (0.3, 0.52, 0.74) for s in (-1, 1)]
    flank = [(x, s * 0.26, b.back + dz) for x, dz in ((-0.34, 0.06), (-0.06, 0.1), (0.2, 0.02)) for s in (-1, 1)]
    spots = [(at, u(0.09, 0.12)) for at in along] + [(at, u(0.12, 0.15)) for at in flank]
    pieces += patches(pieces[0].solid, spots, "cab", 0.018)
    horn = [(-0.2, 0.4, 0.8), (-0.3, 0.45, 1.6)]
    pieces += pair("horn", "cab", lambda s: _bent(b, horn, s, [0.035, 0.055]))
    pieces += pair("ear", "body", _ear(b, (-0.4, 1.6, 0.9), 0.24))
    pieces.append(_tail(b, [(-0.1, -0.05), (-0.14, -0.5)], [0.035, 0.03, 0.06], "cab"))
    return pieces


def elephant(rng: Rng) -> list[Piece]:
    """An elephant: trunk, tusks, large ears."""
    u = rng.uniform
    b = Build(u(0.75, 0.95), u(0.42, 0.52), u(0.46, 0.52), u(0.46, 0.52), (u(0.28, 0.36), u(0.12, 0.24)), 0.32,
              u(0.36, 0.41), (0.02, 0.14), u(0.17, 0.2), 1.08)  # fmt: skip
    pieces = [p for p in animal(b, hooves="trim") if p.name not in ("nose", "muzzle")]
    f, up = b.face, rng.random() < 0.4
    rise = [(0.55, 0.75), (0.78, 0.42), (0.95, 0.75), (0.86, 1.1)] if up else [(0.55, 0.75), (0.74, 0.2), (0.76, -0.3)]
    low = 0.12 if not up else 0.0
    path = [(f[0] + 0.15, 0, f[2] - 0.05)]
    path += [(f[0] + dx * 1.05 * b.head / 0.4, 0, max(f[2] + (z - 1.0) * 0.8, low)) for dx, z in rise]
    pieces.append(Piece("trunk", chain(path, np.linspace(0.17, 0.075, len(path)), 28), "body"))
    tusk = [(0.75, 0.42, -0.35), (1.25, 0.5, -0.75), (1.6, 0.46, -0.6)]
    pieces += pair("tusk", "light", lambda s: _bent(b, tusk, s, [0.07, 0.055, 0.025]))
    wide = u(0.38, 0.48)

    def ear(s: int) -> Manifold:
        flap = ball(wide, scale=(0.2, 1, 1.15)).rotate((0, 0, -24.0 * s))
        return flap.translate((f[0] - 0.1, s * (0.8 * b.head + 0.6 * wide), f[2] + 0.02))

    pieces += pair("ear", "cab", ear)
    pieces.append(_tail(b, [(-0.1, -0.1), (-0.14, -0.45)], [0.045, 0.035, 0.05], "trim"))
    return pieces


def pig(rng: Rng) -> list[Piece]:
    """A pig: disc snout, triangle ears, curly tail."""
    u = rng.uniform
    b = Build(u(0.55, 0.7), u(0.24, 0.32), u(0.42, 0.48), u(0.44, 0.5), (u(0.3, 0.36), u(0.06, 0.16)), 0.3,
              u(0.31, 0.35), (0.04, 0.16), u(0.12, 0.14))  # fmt: skip
    pieces = [p for p in animal(b) if p.name not in ("nose", "muzzle")]
    snout = off(b.face, b.head * 0.85, 0, -0.06)
    disc = rod(0.2, 0.17, 0.155, sides=32).rotate((0, 90, 0)).translate(tuple(snout))
    holes = [rod(0.1, 0.035, sides=16).rotate((0, 90, 0)).translate(off(snout, 0.13, s * 0.06, 0.01))
             for s in (-1, 1)]  # fmt: skip
    pieces.append(Piece("snout", disc - holes[0] - holes[1], "light"))
    pieces += pair("ear", "light", _ear(b, (0.35, u(0.8, 1.1), u(1.15, 1.4)), 0.4, 0.35))
    turn = np.linspace(0, 3.4 * np.pi, 18)
    root = np.array([-b.length / 2 - b.rump + 0.03, 0, b.back + 0.15])
    curl = root + np.stack([-0.016 * turn, 0.07 * np.sin(turn), 0.07 * (1 - np.cos(turn))], axis=1)
    pieces.append(Piece("tail", chain(curl, 0.032, 12), "light"))
    return pieces


def dog(rng: Rng) -> list[Piece]:
    """A dog with collar and hanging ears, long or short of leg."""
    u = rng.uniform
    b = Build(u(0.6, 0.95), u(0.26, 0.5), u(0.25, 0.29), u(0.23, 0.26), (u(0.16, 0.24), u(0.3, 0.42)), 0.15,
              u(0.22, 0.26), (u(0.1, 0.2), u(0.09, 0.12)), u(0.075, 0.09), 1.25)  # fmt: skip
    pieces = animal(b, hooves="light", muzzle="light")
    low = u(-0.7, -0.2)

    def ear(s: int) -> Manifold:
        root, end = b.at(-0.1, 0.72 * s, 0.6), b.at(-0.1, 1.12 * s, low)
        return hull(ball(0.07, tuple(root), sides=18), ball(0.11, tuple(end), (0.9, 0.45, 1.2), 20))

    pieces += pair("ear", "cab", ear)
    neck = off(b.face, -0.5 * b.neck[0] - 0.02, 0, -0.62 * b.neck[1])
    slope = np.degrees(np.arctan2(b.neck[0], b.neck[1]))
    pieces.append(Piece("collar", ring(1.2 * b.neck_r, 0.045).rotate((0, slope, 0)).translate(tuple(neck)), "trim"))
    tag = off(neck, 1.35 * b.neck_r * np.cos(np.radians(slope)), 0, -0.16)
    pieces.append(Piece("tag", ball(0.06, tuple(tag), (0.5, 1, 1), 20), "wheel"))
    pieces.append(_tail(b, [(-0.1, 0.12), (-0.22, u(0.3, 0.5))], [0.07, 0.06, 0.04], "body"))
    pieces += patches(pieces[0].solid, [((u(-0.3, 0.1), u(-0.1, 0.1), b.back + b.rump), u(0.18, 0.26))], "cab")
    return pieces


def fox(rng: Rng) -> list[Piece]:
    """A fox: pointed ears and muzzle, bushy tail with a light tip, dark stockings."""
    u = rng.uniform
    b = Build(u(0.6, 0.75), u(0.34, 0.44), u(0.23, 0.26), u(0.22, 0.25), (u(0.18, 0.26), u(0.26, 0.36)), 0.15,
              u(0.22, 0.25), (u(0.22, 0.28), 0.045), u(0.065, 0.08), 1.15)  # fmt: skip
    pieces = [p for p in animal(b) if p.name != "muzzle"]
    snout = hull(ball(0.78 * b.head, off(b.face, 0, 0, -0.12 * b.head), (1, 1.1, 0.8)),
                 ball(0.05, off(b.nose, 0, 0, 0.02)))  # fmt: skip
    cheeks = hull(*(ball(0.3 * b.head, b.at(0.3, 0.85 * s, -0.4), sides=24)
                    for s in (-1, 1)), ball(0.045, off(b.nose, -0.04, 0, -0.03)))  # fmt: skip
    pieces += [Piece("muzzle", snout, "body"), Piece("cheeks", cheeks, "light")]
    pieces += pair("ear", "body", _ear(b, (0.0, u(0.75, 0.9), u(1.8, 2.1)), 0.42, 0.4))
    pieces += pair("ear_tip", "wheel", lambda s: ball(0.06, b.at(0, 0.8 * s, 1.72),
                                                      (0.8, 0.9, 1.3), 16))  # fmt: skip
    rise = u(-0.1, 0.3)
    pieces.append(_tail(b, [(-0.16, 0.02), (-0.42, 0.2 * rise), (-0.68, rise)], [0.07, 0.15, 0.13], "body"))
    tip = np.array([-b.length / 2 - 0.85 * b.rump - 0.68, 0, b.back + 0.25 * b.rump + rise])
    end = hull(ball(0.125, off(tip, -0.02, 0, 0)), ball(0.03, off(tip, -0.22, 0, 0.5 * rise + 0.06)))
    pieces.append(Piece("tail_tip", end, "light"))
    pieces.append(Piece("bib", ball(0.2, (b.length / 2 + 0.12, 0, b.back - 0.02), (0.8, 0.8, 1.1)), "light"))
    return pieces


def lion(rng: Rng) -> list[Piece]:
    """A lion with a mane of locks and a tufted tail."""
    u = rng.uniform
    b = Build(u(0.75, 0.9), u(0.38, 0.46), u(0.3, 0.34), u(0.26, 0.29), (u(0.24, 0.3), u(0.24, 0.34)), 0.2,
              u(0.26, 0.29), (u(0.06, 0.1), u(0.13, 0.15)), u(0.1, 0.115), 1.2)  # fmt: skip
    pieces = animal(b, hooves="light", muzzle="light")
    count = int(rng.integers(9, 14))
    lock = ball(0.16, (1.02 * b.head, 0, 0), (1.25, 0.95, 0.9), 24)
    wreath = around(lock, count) + around(lock.scale((1.12, 1, 1)), count, 180 / count).translate((0, 0, -0.16))
    mane = wreath + ball(1.12 * b.head, (0, 0, -0.16), (1, 1, 0.7))
    pieces.append(Piece("mane", mane.rotate((0, 84, 0)).translate(off(b.face, -0.07, 0, 0)), "cab"))
    pieces += pair("ear", "body", lambda s: ball(0.1, b.at(0.3, 0.75 * s, 0.95),
                                                 (0.6, 1, 1), 24))  # fmt: skip
    high = u(-0.1, 0.4)
    pieces.append(_tail(b, [(-0.18, 0.02), (-0.36, 0.3 * high), (-0.5, high)], [0.05, 0.042, 0.04], "body"))
    end = (-b.length / 2 - 0.85 * b.rump - 0.53, 0, b.back + 0.25 * b.rump + high + 0.03)
    return [*pieces, Piece("tuft", ball(0.1, end, (1.3, 0.9, 1), 24), "cab")]
