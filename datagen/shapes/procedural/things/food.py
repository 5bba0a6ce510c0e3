"""Food and creatures of simple solids: cake, cupcake, donut, ice cream, hamburger, apple, banana, cookie, bread,
fish, penguin, sheep, robot, bunny. z up."""

import numpy as np
from manifold3d import Manifold, OpType

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
    turned,
    wheel,
)

Rng = np.random.Generator


def cake(rng: Rng) -> list[Piece]:
    """A layered cake with candles or cherries."""
    pieces, z, r = [], 0.0, rng.uniform(0.6, 0.75)
    for k in range(int(rng.integers(1, 4))):
        h = rng.uniform(0.24, 0.36)
        pieces.append(Piece(f"layer_{k}", rod(h, r, None, (0, 0, z), 56), "body"))
        pieces.append(Piece(f"icing_{k}", ring(r * 0.98, 0.05).translate((0, 0, z + h)), "light"))
        z, r = z + h, r * rng.uniform(0.66, 0.8)
    for k in range(count := int(rng.integers(3, 7))):
        angle = 2 * np.pi * k / count
        x, y = r * 0.85 * np.cos(angle), r * 0.85 * np.sin(angle)
        top = rod(0.26, 0.04, None, (x, y, z - 0.01), 16) if count < 5 else ball(0.075, (x, y, z + 0.05), sides=24)
        pieces.append(Piece(f"top_{k}", top, "trim"))
    return pieces


def cupcake(rng: Rng) -> list[Piece]:
    """A fluted case with a swirl and a cherry."""
    r, h = rng.uniform(0.4, 0.48), rng.uniform(0.4, 0.5)
    flutes = around(rod(h, 0.07, 0.09, (r * 0.95, 0, 0), 12), 18) + rod(h, r * 0.95, r * 1.1)
    pieces = [Piece("case", flutes, "trim")]
    z, size = h, r * 1.15
    for k in range(3):
        pieces.append(Piece(f"swirl_{k}", ball(size, (0.02 * k, 0, z + 0.06), (1, 1, 0.36)), "body"))
        z, size = z + size * 0.36, size * 0.7
    pieces.append(Piece("cherry", ball(0.11, (0, 0, z + 0.12), sides=28), "light"))
    return pieces


def donut(rng: Rng) -> list[Piece]:
    """A ring with icing and sprinkles."""
    r, t = rng.uniform(0.44, 0.54), rng.uniform(0.2, 0.26)
    dough = ring(r, t, 64).translate((0, 0, t))
    icing = (ring(r, t * 1.05, 64) ^ box((4, 4, 1), (0, 0, 0.5 + t * rng.uniform(-0.05, 0.3)))).translate((0, 0, t))
    pieces = [Piece("dough", dough, "body"), Piece("icing", icing, "light")]
    for k in range(int(rng.integers(5, 10))):
        angle, spin = rng.uniform(0, 2 * np.pi, 2)
        a, b = (
            np.array([r * np.cos(angle), r * np.sin(angle), 2.07 * t]),
            0.05 * np.array([np.cos(spin), np.sin(spin), 0]),
        )
        pieces.append(Piece(f"sprinkle_{k}", chain([a - b, a + b], 0.03, 12), "trim"))
    return pieces


def ice_cream(rng: Rng) -> list[Piece]:
    """A sundae: a footed glass with scoops, a wafer and a cherry."""
    r = rng.uniform(0.36, 0.44)
    foot = turned([(r * 0.9, 0), (r * 0.85, 0.05), (0.09, 0.14), (0.09, 0.3), (r * 0.7, 0.42), (r, 0.75)])
    pieces = [Piece("glass", foot, "glass")]
    for k in range(int(rng.integers(2, 4))):
        angle = 2.4 * k
        at = (0.17 * np.cos(angle), 0.17 * np.sin(angle), 0.86 + 0.14 * k)
        pieces.append(Piece(f"scoop_{k}", ball(r * 0.68, at), ("body", "light", "cab")[k]))
    wafer = rod(0.75, 0.075, 0.075).rotate((0, 22, 0)).translate((0.14, 0.1, 0.8))
    pieces += [Piece("wafer", wafer, "trim"), Piece("cherry", ball(0.1, (0, -0.05, 1.4), sides=28), "wheel")]
    return pieces


def hamburger(rng: Rng) -> list[Piece]:
    """Buns with what is between them."""
    r = rng.uniform(0.58, 0.68)
    layers = [("bottom", rod(0.18, r * 0.95, r, (0, 0, 0), 56), "body")]
    z = 0.18
    for name, group in (("patty", "wheel"), ("cheese", "light"), ("lettuce", "cab"), ("tomato", "trim")):
        if name != "patty" and rng.random() < 0.3:
            continue
        if name == "cheese":
            slab = box((r * 1.75, r * 1.75, 0.05), (0, 0, z + 0.02), 0.02)
            h = 0.045
        elif name == "lettuce":
            slab = around(ball(r * 0.36, (r * 0.76, 0, z + 0.03), (1, 1, 0.16), 24), 9) + rod(
                0.05, r * 0.8, None, (0, 0, z), 40
            )
            h = 0.06
        else:
            h = 0.16 if name == "patty" else 0.07
            slab = turned([(r * 0.96, z), (r * 1.03, z + h / 2), (r * 0.96, z + h)])
        layers.append((name, slab, group))
        z += h
    bun = ball(r * 1.02, (0, 0, z), (1, 1, 0.62)) ^ box((4, 4, 2), (0, 0, z + 1))
    layers.append(("top", bun, "body"))
    pieces = [Piece(name, solid, group) for name, solid, group in layers]
    for k in range(5):
        angle, out = 2.4 * k, 0.12 + 0.07 * k
        height = z + 0.62 * 1.02 * r * np.sqrt(1 - (out / (1.02 * r)) ** 2)
        seed = ball(0.05, (out * np.cos(angle), out * np.sin(angle), height), (1, 0.6, 0.5), 16)
        pieces.append(Piece(f"seed_{k}", seed, "light"))
    return pieces


def apple(rng: Rng) -> list[Piece]:
    """An apple with stalk and leaf."""
    r = rng.uniform(0.48, 0.56)
    body = turned(
        [(0.05, 0.06), (r * 0.55, 0), (r, r * 0.8), (r * 0.85, r * 1.55), (r * 0.35, r * 1.72), (0.02, r * 1.5)]
    )
    stalk = chain([(0, 0, r * 1.45), (0.02, 0, r * 1.75), (0.1, 0, r * 2.0)], 0.035)
    leaf = hull(ball(0.03, (0.08, 0, r * 1.9), sides=12), ball(0.16, (0.3, 0.02, r * 1.98), (1.1, 0.6, 0.12), 24))
    return [Piece("body", body, "body"), Piece("stalk", stalk, "trim"), Piece("leaf", leaf, "cab")]


def banana(rng: Rng) -> list[Piece]:
    """A banana lying, with tips."""
    bow, length, r = rng.uniform(0.3, 0.5), rng.uniform(1.4, 1.8), rng.uniform(0.15, 0.2)
    x = np.linspace(-1, 1, 12)
    path = np.stack([x * length / 2, bow * (1 - x**2), np.full(12, r)], axis=1)
    body = chain(path, r * (1 - 0.55 * np.abs(x) ** 3), 20)
    tip = chain([path[-1], path[-1] + [0.14, -0.12, 0.02]], [r * 0.42, r * 0.34])
    end = chain([path[0], path[0] + [-0.06, -0.05, 0]], [r * 0.36, r * 0.22])
    return [Piece("body", body, "body"), Piece("stalk", tip - body, "trim"), Piece("end", end - body, "wheel")]


def cookie(rng: Rng) -> list[Piece]:
    """A biscuit with chips."""
    r, h = rng.uniform(0.6, 0.7), rng.uniform(0.14, 0.22)
    pieces = [
        Piece(
            "biscuit",
            turned([(r * 0.9, 0), (r, h * 0.5), (r * 0.85, h), (r * 0.3, h * 1.12), (0.02, h * 1.14)]),
            "body",
        )
    ]
    for k in range(int(rng.integers(5, 10))):
        angle, out = 2.4 * k, r * 0.24 * np.sqrt(k + 0.4)
        pieces.append(
            Piece(
                f"chip_{k}", ball(0.085, (out * np.cos(angle), out * np.sin(angle), h * 1.05), (1, 1, 0.7), 20), "wheel"
            )
        )
    return pieces


def bread(rng: Rng) -> list[Piece]:
    """A loaf with cuts on top."""
    length, r = rng.uniform(1.2, 1.6), rng.uniform(0.32, 0.4)
    loaf = hull(
        *(ball(r * s, (x * length / 2, 0, r * 0.75), (1, 1, 0.8)) for x, s in ((-0.75, 0.8), (0, 1), (0.75, 0.8)))
    )
    loaf = loaf ^ box((5, 5, 5), (0, 0, 2.5 + 0.12))
    pieces = [Piece("loaf", loaf, "body")]
    for k in range(count := int(rng.integers(2, 5))):
        x = length * (k - (count - 1) / 2) * 0.22
        ridge = chain([(x - 0.1, -r * 0.5, r * 1.36), (x + 0.1, r * 0.5, r * 1.36)], [0.06, 0.06])
        pieces.append(Piece(f"ridge_{k}", ridge, "light"))
    return pieces


def fish(rng: Rng) -> list[Piece]:
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
        Piece("body", body, "body"),
        Piece("tail", tail, "cab"),
        Piece("fin", fin, "cab"),
        Piece("stand", stand, "trim"),
        *(Piece(f"eye_{k}", e, "wheel") for k, e in enumerate(eyes)),
        *(Piece(f"side_fin_{k}", e, "cab") for k, e in enumerate(sides)),
    ]


def penguin(rng: Rng) -> list[Piece]:
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
        Piece("body", body, "body"),
        Piece("belly", belly, "light"),
        Piece("head", head, "body"),
        Piece("beak", beak, "trim"),
        *(Piece(f"wing_{k}", w, "body") for k, w in enumerate(wings)),
        *(Piece(f"foot_{k}", w, "trim") for k, w in enumerate(feet)),
        *(Piece(f"eye_{k}", w, "wheel") for k, w in enumerate(eyes)),
    ]


def sheep(rng: Rng) -> list[Piece]:
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
    pieces = [Piece("wool", Manifold.batch_boolean(wool, OpType.Add), "light"), Piece("head", head, "wheel")]
    for k, (x, y) in enumerate(((0.3, 0.18), (0.3, -0.18), (-0.3, 0.18), (-0.3, -0.18))):
        pieces.append(Piece(f"leg_{k}", rod(legs_h + 0.2, 0.075, 0.09, (x * length, y, 0), 20), "wheel"))
    for k, s in enumerate((-1, 1)):
        pieces.append(
            Piece(f"ear_{k}", ball(0.1, (length * 0.58, s * 0.2, z + r * 0.72), (0.6, 1.2, 0.5), 20), "wheel")
        )
    return pieces


def robot(rng: Rng) -> list[Piece]:
    """A box robot with arms, legs and antenna."""
    w, d, h = rng.uniform(0.55, 0.75), rng.uniform(0.36, 0.46), rng.uniform(0.6, 0.8)
    leg = rng.uniform(0.3, 0.45)
    z = leg + h / 2
    head_w = rng.uniform(0.36, 0.48)
    top = leg + h
    pieces = [
        Piece("torso", box((d, w, h), (0, 0, z), 0.05), "body"),
        Piece("panel", box((0.06, w * 0.6, h * 0.4), (d / 2, 0, z + 0.05), 0.02), "light"),
        Piece("neck", rod(0.14, 0.09, None, (0, 0, top - 0.02), 24), "trim"),
        Piece("head", box((head_w * 0.9, head_w, head_w * 0.85), (0, 0, top + 0.08 + head_w * 0.42), 0.06), "body"),
        Piece(
            "antenna",
            rod(0.24, 0.025, None, (0, 0, top + head_w * 0.9), 16)
            + ball(0.06, (0, 0, top + head_w * 0.9 + 0.27), sides=20),
            "trim",
        ),
    ]
    for k, s in enumerate((-1, 1)):
        eye = (
            wheel(0.075, 0.08, (0, 0, 0))
            .rotate((0, 0, 90))
            .translate((head_w * 0.44, s * head_w * 0.23, top + head_w * 0.6))
        )
        pieces.append(Piece(f"eye_{k}", eye, "light"))
        pieces.append(Piece(f"leg_{k}", box((0.2, 0.18, leg + 0.06), (0, s * w * 0.27, leg / 2 + 0.03), 0.03), "trim"))
        pieces.append(Piece(f"foot_{k}", box((0.36, 0.22, 0.12), (0.05, s * w * 0.27, 0.06), 0.03), "wheel"))
        swing = rng.uniform(-0.25, 0.4)
        arm = chain(
            [
                (0, s * (w / 2 + 0.04), top - 0.14),
                (swing * 0.5, s * (w / 2 + 0.14), top - 0.4),
                (swing, s * (w / 2 + 0.1), top - 0.62),
            ],
            [0.1, 0.075, 0.085],
        )
        pieces.append(Piece(f"arm_{k}", arm, "cab"))
    return pieces


def bunny(rng: Rng) -> list[Piece]:
    """A sitting bunny with long ears."""
    r = rng.uniform(0.4, 0.48)
    ear = rng.uniform(0.4, 0.6)
    pieces = [
        Piece("body", ball(r, (0, 0, r * 0.95), (1.05, 0.95, 1)), "body"),
        Piece("head", ball(r * 0.66, (r * 0.5, 0, r * 2.05)), "body"),
        Piece("tail", ball(r * 0.3, (-r * 1.05, 0, r * 0.6), sides=24), "light"),
        Piece("nose", ball(0.06, (r * 1.14, 0, r * 2.02), sides=20), "trim"),
    ]
    for k, s in enumerate((-1, 1)):
        pieces.append(
            Piece(
                f"ear_{k}",
                hull(
                    ball(0.1, (r * 0.4, s * 0.14, r * 2.5), sides=20),
                    ball(0.09, (r * 0.2, s * rng.uniform(0.16, 0.32), r * 2.5 + ear), (0.7, 1, 1), 20),
                ),
                "cab",
            )
        )
        pieces.append(Piece(f"foot_{k}", ball(0.2, (r * 0.75, s * r * 0.55, 0.11), (1.5, 0.8, 0.55), 24), "light"))
        pieces.append(Piece(f"eye_{k}", ball(0.05, (r * 1.02, s * r * 0.28, r * 2.25), sides=20), "wheel"))
    return pieces
