"""Food: cake, cupcake, donut, ice cream, hamburger, apple, orange, banana, cookie, bread. z up."""

import numpy as np

from datagen.shapes.procedural.things.solids import (
    Solid,
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


def cake(rng: Rng) -> list[Solid]:
    """A layered cake with candles or cherries."""
    pieces, z, r = [], 0.0, rng.uniform(0.6, 0.75)
    for k in range(int(rng.integers(1, 4))):
        h = rng.uniform(0.24, 0.36)
        pieces.append(Solid(f"layer_{k}", rod(h, r, None, (0, 0, z), 56), "body"))
        pieces.append(Solid(f"icing_{k}", ring(r * 0.98, 0.05).translate((0, 0, z + h)), "light"))
        z, r = z + h, r * rng.uniform(0.66, 0.8)
    for k in range(count := int(rng.integers(3, 7))):
        angle = 2 * np.pi * k / count
        x, y = r * 0.85 * np.cos(angle), r * 0.85 * np.sin(angle)
        top = rod(0.26, 0.04, None, (x, y, z - 0.01), 16) if count < 5 else ball(0.075, (x, y, z + 0.05), sides=24)
        pieces.append(Solid(f"top_{k}", top, "trim"))
    return pieces


def cupcake(rng: Rng) -> list[Solid]:
    """A fluted case with a swirl and a cherry."""
    r, h = rng.uniform(0.4, 0.48), rng.uniform(0.4, 0.5)
    flutes = around(rod(h, 0.07, 0.09, (r * 0.95, 0, 0), 12), 18) + rod(h, r * 0.95, r * 1.1)
    pieces = [Solid("case", flutes, "trim")]
    z, size = h, r * 1.15
    for k in range(3):
        pieces.append(Solid(f"swirl_{k}", ball(size, (0.02 * k, 0, z + 0.06), (1, 1, 0.36)), "body"))
        z, size = z + size * 0.36, size * 0.7
    pieces.append(Solid("cherry", ball(0.11, (0, 0, z + 0.12), sides=28), "light"))
    return pieces


def donut(rng: Rng) -> list[Solid]:
    """A ring with icing and sprinkles."""
    r, t = rng.uniform(0.44, 0.54), rng.uniform(0.2, 0.26)
    dough = ring(r, t, 64).translate((0, 0, t))
    icing = (ring(r, t * 1.05, 64) ^ box((4, 4, 1), (0, 0, 0.5 + t * rng.uniform(-0.05, 0.3)))).translate((0, 0, t))
    pieces = [Solid("dough", dough, "body"), Solid("icing", icing, "light")]
    for k in range(int(rng.integers(5, 10))):
        angle, spin = rng.uniform(0, 2 * np.pi, 2)
        a, b = (
            np.array([r * np.cos(angle), r * np.sin(angle), 2.07 * t]),
            0.05 * np.array([np.cos(spin), np.sin(spin), 0]),
        )
        pieces.append(Solid(f"sprinkle_{k}", chain([a - b, a + b], 0.03, 12), "trim"))
    return pieces


def ice_cream(rng: Rng) -> list[Solid]:
    """A sundae: a footed glass with scoops, a wafer and a cherry."""
    r = rng.uniform(0.36, 0.44)
    foot = turned([(r * 0.9, 0), (r * 0.85, 0.05), (0.09, 0.14), (0.09, 0.3), (r * 0.7, 0.42), (r, 0.75)])
    pieces = [Solid("glass", foot, "glass")]
    for k in range(int(rng.integers(2, 4))):
        angle = 2.4 * k
        at = (0.17 * np.cos(angle), 0.17 * np.sin(angle), 0.86 + 0.14 * k)
        pieces.append(Solid(f"scoop_{k}", ball(r * 0.68, at), ("body", "light", "cab")[k]))
    wafer = rod(0.75, 0.075, 0.075).rotate((0, 22, 0)).translate((0.14, 0.1, 0.8))
    pieces += [Solid("wafer", wafer, "trim"), Solid("cherry", ball(0.1, (0, -0.05, 1.4), sides=28), "wheel")]
    return pieces


def hamburger(rng: Rng) -> list[Solid]:
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
    pieces = [Solid(name, solid, group) for name, solid, group in layers]
    for k in range(5):
        angle, out = 2.4 * k, 0.12 + 0.07 * k
        height = z + 0.62 * 1.02 * r * np.sqrt(1 - (out / (1.02 * r)) ** 2)
        seed = ball(0.05, (out * np.cos(angle), out * np.sin(angle), height), (1, 0.6, 0.5), 16)
        pieces.append(Solid(f"seed_{k}", seed, "light"))
    return pieces


def apple(rng: Rng) -> list[Solid]:
    """An apple with stalk and leaf."""
    r = rng.uniform(0.48, 0.56)
    body = turned(
        [(0.05, 0.06), (r * 0.55, 0), (r, r * 0.8), (r * 0.85, r * 1.55), (r * 0.35, r * 1.72), (0.02, r * 1.5)]
    )
    stalk = chain([(0, 0, r * 1.45), (0.02, 0, r * 1.75), (0.1, 0, r * 2.0)], 0.035)
    leaf = hull(ball(0.03, (0.08, 0, r * 1.9), sides=12), ball(0.16, (0.3, 0.02, r * 1.98), (1.1, 0.6, 0.12), 24))
    return [Solid("body", body, "body"), Solid("stalk", stalk, "trim"), Solid("leaf", leaf, "cab")]


def orange(rng: Rng) -> list[Solid]:
    """An orange with leaves, or a half with its segments."""
    u = rng.uniform
    r = u(0.5, 0.58)
    if rng.random() < 0.6:
        rind = ball(r, (0, 0, 0.93 * r), (1, 1, 0.94), 64) - ball(0.12, (0, 0, 1.95 * r), sides=24)
        star = around(
            hull(ball(0.04, (0, 0, r * 1.83), sides=12), ball(0.035, (0.12, 0, r * 1.86), (1, 1, 0.5), 12)), 5
        )
        pieces = [
            Solid("rind", rind, "body"),
            Solid("calyx", star, "trim"),
            Solid("stalk", chain([(0, 0, r * 1.78), (0.02, 0, r * 2.02)], [0.05, 0.04]), "trim"),
        ]
        for k in range(int(rng.integers(1, 3))):
            leaf = hull(
                ball(0.03, (0.02, 0, 0), sides=12),
                ball(0.16, (0.26, 0, 0.04), (1.1, 0.62, 0.12), 24),
                ball(0.02, (0.5, 0, 0.0), sides=10),
            )
            pieces.append(
                Solid(f"leaf_{k}", leaf.rotate((0, 0, u(0, 100) + 180 * k)).translate((0, 0, r * 1.95)), "cab")
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
    segments = [Solid(f"segment_{k}", piece.rotate((0, 0, 360 * k / count)), "light") for k in range(count)]
    return [Solid("rind", half - flesh, "body"), Solid("pith", pith, "trim"), *segments]


def banana(rng: Rng) -> list[Solid]:
    """A banana lying, with tips."""
    bow, length, r = rng.uniform(0.3, 0.5), rng.uniform(1.4, 1.8), rng.uniform(0.15, 0.2)
    x = np.linspace(-1, 1, 12)
    path = np.stack([x * length / 2, bow * (1 - x**2), np.full(12, r)], axis=1)
    body = chain(path, r * (1 - 0.55 * np.abs(x) ** 3), 20)
    tip = chain([path[-1], path[-1] + [0.14, -0.12, 0.02]], [r * 0.42, r * 0.34])
    end = chain([path[0], path[0] + [-0.06, -0.05, 0]], [r * 0.36, r * 0.22])
    return [Solid("body", body, "body"), Solid("stalk", tip - body, "trim"), Solid("end", end - body, "wheel")]


def cookie(rng: Rng) -> list[Solid]:
    """A biscuit with chips."""
    r, h = rng.uniform(0.6, 0.7), rng.uniform(0.14, 0.22)
    pieces = [
        Solid(
            "biscuit",
            turned([(r * 0.9, 0), (r, h * 0.5), (r * 0.85, h), (r * 0.3, h * 1.12), (0.02, h * 1.14)]),
            "body",
        )
    ]
    for k in range(int(rng.integers(5, 10))):
        angle, out = 2.4 * k, r * 0.24 * np.sqrt(k + 0.4)
        pieces.append(
            Solid(
                f"chip_{k}", ball(0.085, (out * np.cos(angle), out * np.sin(angle), h * 1.05), (1, 1, 0.7), 20), "wheel"
            )
        )
    return pieces


def bread(rng: Rng) -> list[Solid]:
    """A loaf with cuts on top."""
    length, r = rng.uniform(1.2, 1.6), rng.uniform(0.32, 0.4)
    loaf = hull(
        *(ball(r * s, (x * length / 2, 0, r * 0.75), (1, 1, 0.8)) for x, s in ((-0.75, 0.8), (0, 1), (0.75, 0.8)))
    )
    loaf = loaf ^ box((5, 5, 5), (0, 0, 2.5 + 0.12))
    pieces = [Solid("loaf", loaf, "body")]
    for k in range(count := int(rng.integers(2, 5))):
        x = length * (k - (count - 1) / 2) * 0.22
        ridge = chain([(x - 0.1, -r * 0.5, r * 1.36), (x + 0.1, r * 0.5, r * 1.36)], [0.06, 0.06])
        pieces.append(Solid(f"ridge_{k}", ridge, "light"))
    return pieces
