"""Taps: basin, two handles, kitchen, wall, bath filler, shower. Metres; y up, the spout towards the front, +z."""

from collections.abc import Callable, Mapping

import numpy as np

from datagen.core.shape import concatenate
from datagen.shapes.procedural.body import Piece, rod
from datagen.shapes.procedural.curves import fillet, spline
from datagen.shapes.procedural.primitives import tube
from datagen.shapes.procedural.shaping import bar, turned_about
from datagen.shapes.standins.solids import INTO, around, box, disc, lathed, pair, placed, under

NORMAL, SHOWER = "normal_faucet", "shower_faucet"
TUBE, SWITCH = "spout/tube", "switch"
BASE, UPRIGHT, LEVEL = "frame/surface_base", "frame/vertical_support", "frame/horizontal_support"


def _spout(path: list[list[float]], radius: float, bend: float) -> Piece:
    """A bent pipe."""
    return Piece(TUBE, tube(fillet(path, bend, 8), radius, 20))


def _cross(y: float, radius: float, spokes: int) -> Piece:
    """A cross handle with a hub that stands on a height, as one piece."""
    hub = disc((y - INTO, y + 0.028), 0.45 * radius, 24, foot=0.36 * radius)
    arms = around("", rod((0, y + 0.015, 0), (radius, y + 0.015, 0), 0.14 * radius, 12), spokes, 45.0)
    return Piece(SWITCH, concatenate([hub, *(arm.mesh for arm in arms)]))


def _lever(y: float, length: float, rise_deg: float, width: float) -> Piece:
    """A cap with a lever to the back and up, as one piece."""
    cap = disc((y - INTO, y + 0.022), 1.1 * width, 28)
    blade = bar((0, y + 0.014, 0), (0, y + 0.014, length), width, 0.4 * width, taper=0.75, round_edge=0.12 * width)
    return Piece(SWITCH, concatenate([cap, turned_about(blade, "x", -rise_deg, (0, y + 0.014, 0))]))


def basin(rng: np.random.Generator) -> list[Piece]:
    """One lever on a short body with a fixed spout."""
    r, height, reach = rng.uniform(0.019, 0.026), rng.uniform(0.08, 0.2), rng.uniform(0.1, 0.15)
    pieces = [Piece(BASE, disc((0, 0.009), 1.5 * r, 40)), Piece(UPRIGHT, disc((0.006, height), r, 36))]
    y = height * rng.uniform(0.55, 0.75)
    if rng.random() < 0.5:
        spout = bar((0, y, 0.5 * r), (0, y + rng.uniform(-0.01, 0.02), reach), 1.4 * r, 0.8 * r, taper=0.85)
        pieces.append(Piece(TUBE, spout))
    else:
        pieces.append(_spout([[0, y, 0.4 * r], [0, y + 0.02, 0.8 * reach], [0, y - 0.015, reach]], 0.55 * r, 0.03))
    pieces.append(_lever(height, rng.uniform(0.07, 0.11), rng.uniform(5, 35), 0.9 * r))
    return under(NORMAL, pieces)


def two_handles(rng: np.random.Generator) -> list[Piece]:
    """Two cross or lever handles beside a spout, on one bridge or each on a plate of its own."""
    half, height, reach = rng.uniform(0.075, 0.11), rng.uniform(0.1, 0.2), rng.uniform(0.1, 0.15)
    r, neck = rng.uniform(0.011, 0.015), rng.uniform(0.035, 0.06)
    bridge = rng.random() < 0.5
    pieces = []
    if bridge:
        plate = box((-half - 0.028, half + 0.028), (0, 0.014), (-0.027, 0.027), 0.006)
        pieces.append(Piece(BASE, plate))
    else:
        foot = disc((0, 0.01), 0.026, 32)
        pieces += [Piece(BASE, foot), *pair(BASE, placed(foot, x=half))]
        pieces.append(Piece(LEVEL, rod((-half, 0.6 * neck, 0), (half, 0.6 * neck, 0), 0.8 * r, 16)))
    pieces += pair(UPRIGHT, placed(disc((0.007, neck), 0.016, 28, 0.02), x=half))
    pieces.append(Piece(UPRIGHT, disc((0.007, neck + 0.01), 0.019, 28)))
    path = [[0, neck, 0], [0, height, 0], [0, height, reach], [0, height - 0.05, reach]]
    pieces.append(_spout(path, r, rng.uniform(0.03, 0.06)))
    cross = rng.random() < 0.6
    handle = _cross(neck, rng.uniform(0.026, 0.034), 4) if cross else _lever(neck, 0.06, 8, 0.016)
    if cross:
        pieces += pair(SWITCH, placed(handle.mesh, x=half))
    else:
        pieces += pair(SWITCH, placed(turned_about(handle.mesh, "y", 70), x=half))
    return under(NORMAL, pieces)


def kitchen(rng: np.random.Generator) -> list[Piece]:
    """A high arc with a lever at the side."""
    r, height, reach = rng.uniform(0.02, 0.026), rng.uniform(0.26, 0.4), rng.uniform(0.16, 0.24)
    body = rng.uniform(0.09, 0.15)
    pieces = [Piece(BASE, disc((0, 0.008), 1.5 * r, 40)), Piece(UPRIGHT, disc((0.005, body), r, 36, 1.12 * r))]
    angle = np.linspace(0, np.pi, 13)
    arc = [[0, height - reach / 2 + reach / 2 * np.sin(a), reach / 2 - reach / 2 * np.cos(a)] for a in angle]
    path = np.array([[0, body - INTO, 0], *arc, [0, height - reach / 2 - rng.uniform(0.02, 0.08), reach]])
    pieces.append(Piece(TUBE, tube(path, 0.55 * r, 18)))
    tip = path[-1]
    head = placed(disc((-0.045, 0.004), 0.75 * r, 24, 0.68 * r), 0, float(tip[1]), float(tip[2]))
    pieces.append(Piece(TUBE, head))
    y = 0.6 * body
    stub = turned_about(disc((0, 0.028), 0.62 * r, 24), "z", -90)
    lever = rod((0.02, 0, 0), (0.028 + 0.02, rng.uniform(0.06, 0.1), 0.0), 0.005, 12)
    switch = concatenate([placed(stub, x=0.8 * r), placed(lever, x=0.8 * r)])
    pieces.append(Piece(SWITCH, placed(switch, y=y)))
    return under(NORMAL, pieces)


def wall(rng: np.random.Generator) -> list[Piece]:
    """Out of the wall: two rosettes, a horizontal body, a spout, handles at its ends."""
    half, reach, r = rng.uniform(0.07, 0.09), rng.uniform(0.16, 0.24), rng.uniform(0.018, 0.024)
    front = 0.05
    rosette = placed(turned_about(disc((0, 0.012), 0.032, 36), "x", 90), x=half)
    stem = placed(turned_about(disc((0.008, front), 0.014, 24), "x", 90), x=half)
    pieces = [*pair(BASE, rosette), *pair(UPRIGHT, stem)]
    body = turned_about(disc((-half - 0.03, half + 0.03), r, 32), "z", 90)
    pieces.append(Piece(LEVEL, placed(body, z=front)))
    path = [[0, 0, front], [0, 0.02, front + 0.06], [0, 0.02, reach], [0, -0.04, reach + 0.02]]
    pieces.append(_spout(path, 0.6 * r, 0.03))
    knob = _cross(0, rng.uniform(0.024, 0.03), int(rng.integers(3, 5))).mesh
    pieces += pair(SWITCH, placed(turned_about(knob, "z", -90), x=half + 0.03, z=front))
    return under(NORMAL, pieces)


def pillar(rng: np.random.Generator) -> list[Piece]:
    """A classic pillar tap: waisted body, down-turned spout, cross head."""
    r, height, reach = rng.uniform(0.02, 0.028), rng.uniform(0.08, 0.12), rng.uniform(0.09, 0.13)
    profile = [(1.2 * r, 0.006), (0.8 * r, 0.3 * height), (1.05 * r, 0.6 * height), (0.55 * r, 0.85 * height)]
    pieces = [Piece(BASE, disc((0, 0.01), 1.55 * r, 40)), Piece(UPRIGHT, lathed([*profile, (0.5 * r, height)], 36))]
    y = 0.6 * height
    path = spline([[0, y, 0.3 * r], [0, y + 0.012, 0.5 * reach], [0, y, 0.9 * reach], [0, y - 0.035, reach]], 8)
    pieces.append(Piece(TUBE, tube(path, 0.55 * r, 18)))
    pieces.append(_cross(height, rng.uniform(0.028, 0.036), 4))
    return under(NORMAL, pieces)


def shower(rng: np.random.Generator) -> list[Piece]:
    """A mixer, a riser with an overhead rose, and a hose to a hand shower."""
    half, rise, reach = rng.uniform(0.07, 0.09), rng.uniform(0.7, 0.95), rng.uniform(0.28, 0.38)
    front = 0.05
    rosette = placed(turned_about(disc((0, 0.012), 0.032, 32), "x", 90), x=half)
    pieces = pair(BASE, rosette) + pair(LEVEL, placed(turned_about(disc((0.006, front), 0.013, 20), "x", 90), x=half))
    body = placed(turned_about(disc((-half - 0.03, half + 0.03), 0.022, 32), "z", 90), z=front)
    pieces.append(Piece(LEVEL, body))
    knob = turned_about(disc((0, 0.04), 0.021, 28, 0.024), "z", -90)
    pieces += pair(SWITCH, placed(knob, x=half + 0.026, z=front))
    riser = fillet([[0, 0.01, front], [0, rise, front], [0, rise, reach], [0, rise - 0.04, reach]], 0.06)
    pieces.append(Piece(UPRIGHT, tube(riser, 0.0105, 16)))
    rose = lathed([(0.11, -0.014), (0.11, 0.0), (0.03, 0.008), (0.016, 0.03)], 44)
    pieces.append(Piece(TUBE, placed(rose, 0, rise - 0.06, reach)))
    holder = rise * rng.uniform(0.5, 0.65)
    pieces.append(
        Piece(LEVEL, box((-0.016, 0.016), (holder - 0.02, holder + 0.02), (front - 0.014, front + 0.05), 0.004))
    )
    hand = rod((0, holder - 0.06, front + 0.032), (0, holder + 0.12, front + 0.062), 0.011, 16)
    head = placed(turned_about(disc((-0.008, 0.012), 0.045, 32), "x", 70), 0, holder + 0.13, front + 0.075)
    pieces.append(Piece(TUBE, concatenate([hand, head])))
    loop = [[0.035, 0.0, front + 0.005], [0.05, -0.12, front + 0.03], [0.07, -0.22, front + 0.05]]
    loop += [[0.1, -0.1, front + 0.06], [0.04, holder - 0.15, front + 0.05], [0, holder - 0.055, front + 0.034]]
    pieces.append(Piece("hose", tube(spline(loop, 8), 0.007, 12)))
    return under(SHOWER, pieces)


FAMILIES: Mapping[str, Callable[[np.random.Generator], list[Piece]]] = {
    "basin": basin,
    "two_handles": two_handles,
    "kitchen": kitchen,
    "wall": wall,
    "pillar": pillar,
    "shower": shower,
}
"""Name -> builder."""
