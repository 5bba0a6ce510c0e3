"""Vessels, tools and small things: mug, cup, glass, bottle, bowl, plate, hammer, key, hat, light bulb, shoe, chess
piece, robot. z up."""

import numpy as np
from manifold3d import Manifold

from datagen.shapes.procedural.things.solids import (
    Solid,
    around,
    ball,
    box,
    chain,
    hull,
    lathe,
    prism,
    ring,
    rod,
    smooth,
    turned,
    wheel,
)

Rng = np.random.Generator


def _vessel(profile: list[tuple[float, float]], wall: float, floor: float) -> Manifold:
    """A hollow turned vessel: outer curve through (radius, z), walls of one thickness."""
    outer = smooth(profile)
    outer[:, 0] = np.maximum(outer[:, 0], wall * 1.5)
    inner = outer.copy()
    inner[:, 0] -= wall
    inner = inner[inner[:, 1] >= outer[0, 1] + floor]
    ring_ = [(0, outer[0, 1]), *outer.tolist(), *inner[::-1].tolist(), (0, inner[0, 1])]
    return lathe(ring_, 56)


def mug(rng: Rng) -> list[Solid]:
    """A mug with a handle and, at times, a band."""
    r, h = rng.uniform(0.38, 0.5), rng.uniform(0.8, 1.1)
    waist = rng.uniform(0.9, 1.12)
    body = _vessel([(r * 0.94, 0), (r * waist, h * 0.4), (r, h * 0.75), (r * rng.uniform(0.98, 1.08), h)], 0.05, 0.07)
    t, reach = rng.uniform(0.045, 0.07), rng.uniform(0.26, 0.38)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 14)
    path = np.stack([r * 0.93 + reach * np.cos(angle) ** 0.8, 0 * angle, h * 0.5 + h * 0.3 * np.sin(angle)], axis=1)
    cavity = rod(h * 2, r * 0.86, r * 0.86, (0, 0, 0.07))
    pieces = [Solid("body", body, "body"), Solid("handle", chain(path, t) - cavity, rng.choice(["body", "trim"]))]
    if rng.random() < 0.6:
        band = rod(h * rng.uniform(0.08, 0.25), r * waist * 1.02, None, (0, 0, h * rng.uniform(0.3, 0.55)), 56)
        pieces.append(Solid("band", band - rod(3, r * waist * 0.99, None, (0, 0, -1), 56), "light"))
    return pieces


def cup(rng: Rng) -> list[Solid]:
    """A tea cup on its saucer."""
    r, h = rng.uniform(0.4, 0.5), rng.uniform(0.45, 0.6)
    dish = _vessel([(r * 0.7, 0), (r * 1.2, 0.06), (r * 1.75, 0.16)], 0.05, 0.05)
    bowl_ = _vessel([(r * 0.5, 0.05), (r * 0.82, 0.05 + h * 0.3), (r, 0.05 + h)], 0.045, 0.07)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 12)
    path = np.stack([r * 0.85 + 0.22 * np.cos(angle), 0 * angle, 0.05 + h * 0.55 + h * 0.26 * np.sin(angle)], axis=1)
    cavity = turned([(r * 0.3, 0.1), (r * 0.74, 0.05 + h * 0.3), (r * 0.93, 0.1 + h)])
    return [
        Solid("saucer", dish, "light"),
        Solid("cup", bowl_, "body"),
        Solid("handle", chain(path, 0.045) - cavity, "body"),
    ]


def glass(rng: Rng) -> list[Solid]:
    """A stemmed glass or a tumbler with a straw."""
    r, h = rng.uniform(0.26, 0.34), rng.uniform(0.5, 0.65)
    if rng.random() < 0.6:
        stem = rng.uniform(0.35, 0.5)
        foot = turned([(r * 0.95, 0), (r * 0.9, 0.03), (r * 0.2, 0.08), (0.045, 0.14), (0.045, stem)])
        bowl_ = _vessel(
            [(0.05, stem - 0.03), (r * 0.9, stem + h * 0.35), (r, stem + h * 0.6), (r * 0.8, stem + h)], 0.035, 0.05
        )
        return [Solid("foot", foot, "trim"), Solid("bowl", bowl_, "body")]
    tall = h * 1.6
    body = _vessel([(r * 0.8, 0), (r * 0.9, tall * 0.5), (r, tall)], 0.04, 0.07)
    straw = chain([(r * 0.4, 0, 0.1), (-r * 0.55, 0, tall + 0.05), (-r * 1.1, 0, tall + 0.25)], 0.035)
    return [Solid("tumbler", body, "body"), Solid("straw", straw, "light")]


def bottle(rng: Rng) -> list[Solid]:
    """A bottle with cap and label."""
    r, h = rng.uniform(0.26, 0.36), rng.uniform(0.8, 1.1)
    neck, top = r * rng.uniform(0.28, 0.4), h * rng.uniform(1.35, 1.6)
    body = turned(
        [(r * 0.9, 0), (r, 0.06), (r * rng.uniform(0.9, 1.0), h * 0.5), (r, h), (neck * 1.1, h * 1.22), (neck, top)]
    )
    label = rod(h * 0.45, r * 1.02, None, (0, 0, h * 0.3), 56) - rod(3, r * 0.97, None, (0, 0, -1), 56)
    cap = around(rod(0.14, neck * 1.18, None, (0, 0, top - 0.05), 12), 2, 0)
    return [Solid("body", body, "body"), Solid("label", label, "light"), Solid("cap", cap, "trim")]


def bowl(rng: Rng) -> list[Solid]:
    """A bowl on a foot, with a rim."""
    r, h = rng.uniform(0.55, 0.75), rng.uniform(0.32, 0.5)
    body = _vessel([(r * 0.45, 0.06), (r * 0.8, h * 0.35), (r, h)], 0.055, 0.06)
    foot = rod(0.09, r * 0.46, r * 0.42, (0, 0, 0)) - rod(0.2, r * 0.36, None, (0, 0, -0.12))
    rim = ring(r * 0.985, 0.035).translate((0, 0, h))
    pieces = [Solid("body", body, "body"), Solid("foot", foot, "trim"), Solid("rim", rim, "trim")]
    for side in (-1, 1) if rng.random() < 0.5 else ():
        ear = ring(0.13, 0.035, 32).rotate((90, 0, 0)).translate((side * (r + 0.08), 0, h * 0.8))
        pieces.append(Solid(f"ear_{side}", ear, "trim"))
    return pieces


def plate(rng: Rng) -> list[Solid]:
    """A plate with something on it."""
    r = rng.uniform(0.7, 0.85)
    dish = _vessel([(r * 0.55, 0), (r * 0.7, 0.03), (r, rng.uniform(0.12, 0.2))], 0.05, 0.045)
    egg = ball(0.22, (0.1, 0.05, 0.09), (1.3, 1.1, 0.3))
    yolk = ball(0.11, (0.12, 0.07, 0.14), (1, 1, 0.7))
    pieces = [Solid("dish", dish, "body"), Solid("egg", egg, "light"), Solid("yolk", yolk, "trim")]
    for k in range(int(rng.integers(1, 4))):
        angle = 2.2 + 0.8 * k
        pea = chain(
            [
                (0.34 * np.cos(angle), 0.34 * np.sin(angle), 0.1),
                (0.48 * np.cos(angle + 0.5), 0.48 * np.sin(angle + 0.5), 0.11),
            ],
            0.065,
        )
        pieces.append(Solid(f"sausage_{k}", pea, "wheel"))
    return pieces


def hammer(rng: Rng) -> list[Solid]:
    """A claw or mallet hammer, lying."""
    length, r = rng.uniform(1.5, 1.9), rng.uniform(0.07, 0.1)
    shaft = chain([(0, 0, 0.16), (length * 0.5, 0, 0.16), (length, 0, 0.16)], [r * 1.15, r * 0.85, r])
    grip = chain([(0, 0, 0.16), (length * 0.33, 0, 0.16)], r * 1.35)
    head = wheel_block(0.16, 0.6, (length, 0, 0.16))
    face = rod(0.1, 0.19, None).rotate((90, 0, 0)).translate((length, -0.26, 0.16))
    claw = hull(
        box((0.2, 0.1, 0.2), (length, 0.26, 0.16), 0.03), box((0.26, 0.05, 0.06), (length + 0.05, 0.55, 0.1), 0.02)
    )
    claw = claw - prism([(-0.03, 0.35), (0.03, 0.35), (0.08, 0.8), (-0.08, 0.8)], 1.0, (length, 0, -0.3))
    return [
        Solid("shaft", shaft - grip, "body"),
        Solid("grip", grip, "light"),
        Solid("head", head, "trim"),
        Solid("face", face, "trim"),
        Solid("claw", claw, "trim"),
    ]


def wheel_block(radius: float, length: float, at: tuple[float, float, float]) -> Manifold:
    """A bar along y of octagonal section."""
    return rod(length, radius, None, (0, 0, -length / 2), 8).rotate((90, 22.5, 0)).translate(at)


def key(rng: Rng) -> list[Solid]:
    """A door key, lying flat."""
    length, t = rng.uniform(1.2, 1.5), rng.uniform(0.1, 0.13)
    r = rng.uniform(0.26, 0.34)
    lobes = int(rng.integers(1, 4))
    bow = rod(t, r) if lobes == 1 else around(rod(t, r * 0.62, None, (r * 0.5, 0, 0)), lobes + 1)
    bow = bow - rod(1, r * 0.42, None, (0, 0, -0.3))
    blade = box((length, 0.14, t), (r * 0.9 + length / 2, 0, t / 2), 0.03)
    collar = rod(0.09, 0.13).rotate((0, 90, 0)).translate((r * 1.05, 0, t / 2))
    pieces = [Solid("bow", bow, "body"), Solid("blade", blade, "trim"), Solid("collar", collar, "light")]
    for k in range(int(rng.integers(2, 5))):
        tooth = box((0.09, rng.uniform(0.12, 0.28), t), (r * 0.9 + length - 0.1 - 0.14 * k, 0.12, t / 2), 0.012)
        pieces.append(Solid(f"tooth_{k}", tooth, "trim"))
    return pieces


def hat(rng: Rng) -> list[Solid]:
    """A top hat, bowler or cone with brim and band."""
    r, h = rng.uniform(0.4, 0.5), rng.uniform(0.45, 0.75)
    brim = turned([(r * 1.7, 0.05), (r * 1.74, 0.02), (r * 1.2, 0.0), (r * 0.9, 0.06)])
    kind = rng.integers(3)
    crown = [
        turned([(r, 0.03), (r * 0.95, h * 0.6), (r * 1.08, h)]),
        ball(r, (0, 0, 0.05), (1, 1, h / r)) ^ rod(3, 2.0, None, (0, 0, 0.02)),
        rod(h * 1.4, r, 0.06, (0, 0, 0.03), 56),
    ][kind]
    band = (rod(0.13, r * 1.05, None, (0, 0, 0.05), 56)) - rod(1, r * 0.9, None, (0, 0, -0.3), 56)
    bow = [ball(0.1, (s * 0.11, -r * 1.05, 0.12), (1.2, 0.4, 0.8), 24) for s in (-1, 1)]
    return [
        Solid("brim", brim, "body"),
        Solid("crown", crown, "body"),
        Solid("band", band, "light"),
        *(Solid(f"bow_{k}", b, "trim") for k, b in enumerate(bow)),
    ]


def light_bulb(rng: Rng) -> list[Solid]:
    """A bulb on its thread."""
    r = rng.uniform(0.38, 0.48)
    neck = r * rng.uniform(0.45, 0.55)
    bulb = turned(
        [(neck, 0.42), (neck * 1.1, 0.55), (r, 0.55 + r * 1.1), (r * 0.75, 0.55 + r * 1.85), (0.02, 0.55 + r * 2.12)]
    )
    base = rod(0.4, neck * 0.98, None, (0, 0, 0.06))
    threads = [ring(neck, 0.035).translate((0, 0, 0.12 + 0.1 * k)) for k in range(4)]
    tip = rod(0.08, neck * 0.3, neck * 0.6, (0, 0, 0.0))
    return [
        Solid("bulb", bulb, "light"),
        Solid("base", base, "trim"),
        Solid("tip", tip, "wheel"),
        *(Solid(f"thread_{k}", t, "trim") for k, t in enumerate(threads)),
    ]


def shoe(rng: Rng) -> list[Solid]:
    """A shoe: sole, upper, laces, heel."""
    length, width = rng.uniform(1.4, 1.7), rng.uniform(0.5, 0.58)
    outline = [
        (-length / 2, -width * 0.33),
        (0, -width * 0.36),
        (length * 0.28, -width / 2),
        (length / 2, -width * 0.15),
        (length / 2, width * 0.2),
        (length * 0.28, width / 2),
        (0, width * 0.4),
        (-length / 2, width * 0.33),
    ]
    outline = smooth([*outline, outline[0]], 4).tolist()[:-1]
    heel_h = rng.uniform(0.06, 0.2)
    sole = prism(outline, 0.1, (0, 0, heel_h * 0.4))
    heel = prism([(x, y) for x, y in outline if x < -length * 0.16], heel_h + 0.02)
    toe = ball(width * 0.47, (length * 0.24, 0, 0.16 + heel_h * 0.4), (1.15, 1, 0.75))
    ankle = hull(
        ball(width * 0.42, (-length * 0.25, 0, 0.2 + heel_h * 0.4), (1, 1, 0.9)),
        rod(0.05, width * 0.36, None, (-length * 0.24, 0, 0.62)),
    )
    vamp = hull(toe, ball(width * 0.4, (-length * 0.15, 0, 0.34 + heel_h * 0.4)))
    upper = (vamp + ankle) ^ box((3, 3, 3), (0, 0, 1.5 + 0.08 + heel_h * 0.4))
    upper = upper - rod(0.5, width * 0.27, None, (-length * 0.24, 0, 0.42))
    pieces = [Solid("sole", sole, "wheel"), Solid("heel", heel, "wheel"), Solid("upper", upper, "body")]
    for k in range(3):
        x = length * (0.16 - 0.09 * k)
        z = 0.47 + heel_h * 0.4 + 0.035 * k
        pieces.append(
            Solid(
                f"lace_{k}",
                chain([(x, -width * 0.24, z - 0.08), (x, 0, z), (x, width * 0.24, z - 0.08)], 0.032),
                "light",
            )
        )
    return pieces


def chess_piece(rng: Rng) -> list[Solid]:
    """A pawn, bishop, rook or queen."""
    r, h = rng.uniform(0.32, 0.4), rng.uniform(0.7, 1.2)
    foot = turned([(r, 0), (r * 1.02, 0.1), (r * 0.85, 0.17), (r * 0.6, 0.22)])
    body = turned([(r * 0.62, 0.18), (r * 0.4, 0.18 + h * 0.35), (r * 0.34, 0.18 + h * 0.8), (r * 0.5, 0.2 + h)])
    collar = turned([(r * 0.3, 0.15 + h), (r * 0.66, 0.2 + h), (r * 0.3, 0.25 + h)])
    top = 0.22 + h
    kind = rng.integers(3)
    if kind == 0:
        head = [Solid("head", ball(r * 0.58, (0, 0, top + r * 0.45)), "body")]
    elif kind == 1:
        tower = rod(0.32, r * 0.55, r * 0.68, (0, 0, top - 0.02)) - rod(0.3, r * 0.45, None, (0, 0, top + 0.16))
        gaps = around(box((2, 0.1, 0.3), (0, 0, top + 0.32)), 3)
        head = [Solid("head", tower - gaps, "body")]
    else:
        mitre = turned([(r * 0.3, top - 0.02), (r * 0.62, top + 0.2), (r * 0.4, top + 0.42), (0.03, top + 0.58)])
        head = [
            Solid("head", mitre - box((0.06, 1, 0.4), (0.12, 0, top + 0.42)).rotate((0, 0, 0)), "body"),
            Solid("pearl", ball(r * 0.17, (0, 0, top + 0.6)), "trim"),
        ]
    return [Solid("foot", foot, "trim"), Solid("body", body, "body"), Solid("collar", collar, "trim"), *head]


def robot(rng: Rng) -> list[Solid]:
    """A box robot with arms, legs and antenna."""
    w, d, h = rng.uniform(0.55, 0.75), rng.uniform(0.36, 0.46), rng.uniform(0.6, 0.8)
    leg = rng.uniform(0.3, 0.45)
    z = leg + h / 2
    head_w = rng.uniform(0.36, 0.48)
    top = leg + h
    pieces = [
        Solid("torso", box((d, w, h), (0, 0, z), 0.05), "body"),
        Solid("panel", box((0.06, w * 0.6, h * 0.4), (d / 2, 0, z + 0.05), 0.02), "light"),
        Solid("neck", rod(0.14, 0.09, None, (0, 0, top - 0.02), 24), "trim"),
        Solid("head", box((head_w * 0.9, head_w, head_w * 0.85), (0, 0, top + 0.08 + head_w * 0.42), 0.06), "body"),
        Solid(
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
        pieces.append(Solid(f"eye_{k}", eye, "light"))
        pieces.append(Solid(f"leg_{k}", box((0.2, 0.18, leg + 0.06), (0, s * w * 0.27, leg / 2 + 0.03), 0.03), "trim"))
        pieces.append(Solid(f"foot_{k}", box((0.36, 0.22, 0.12), (0.05, s * w * 0.27, 0.06), 0.03), "wheel"))
        swing = rng.uniform(-0.25, 0.4)
        arm = chain(
            [
                (0, s * (w / 2 + 0.04), top - 0.14),
                (swing * 0.5, s * (w / 2 + 0.14), top - 0.4),
                (swing, s * (w / 2 + 0.1), top - 0.62),
            ],
            [0.1, 0.075, 0.085],
        )
        pieces.append(Solid(f"arm_{k}", arm, "cab"))
    return pieces
