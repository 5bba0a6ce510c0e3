"""Lamps: table, floor, tripod, desk, pendant, chandelier, wall, street. Metres; y up, front +z."""

from collections.abc import Callable, Mapping

import numpy as np

from datagen.core.shape import Mesh, concatenate
from datagen.shapes.procedural.body import Piece, rod
from datagen.shapes.procedural.curves import fillet, spline
from datagen.shapes.procedural.primitives import tube, warp
from datagen.shapes.procedural.shaping import turned_about
from datagen.shapes.standins.solids import INTO, around, box, disc, lathed, placed, shell, under, wall

STANDING, HANGING = "table_or_floor_lamp", "ceiling_lamp"
HOLISTIC = "lamp_base/lamp_holistic_base/lamp_base_part"
SHADE, BULB = "lamp_head/lamp_cover/lamp_shade", "lamp_head/light_bulb"
STRAIGHT, CURVED = "lamp_arm/lamp_arm_straight_bar", "lamp_arm/lamp_arm_curved_bar"


def _shade(low: float, top: float, foot: float, head: float, wall: float = 0.004) -> Piece:
    """A drum or cone, open at both ends."""
    return Piece(SHADE, shell([(foot, low), ((foot + head) / 2, (low + top) / 2), (head, top)], wall, 48))


def _dome(low: float, top: float, radius: float, neck: float, power: float) -> Piece:
    """A bell that is open below and closed about a neck above."""
    t = np.linspace(0, 1, 9)
    radii = neck + (radius - neck) * (1 - t**power) ** (1 / power)
    profile = list(zip(radii.tolist(), (low + (top - low) * t).tolist(), strict=True))
    inner = [(max(r - 0.004, 0.004), y - 0.003 * (y > low)) for r, y in reversed(profile)]
    return Piece(SHADE, wall([*profile, *inner], 48))


def _bulb(base: float, radius: float = 0.03, down: bool = False) -> Piece:
    """A light bulb that stands on a height, or hangs from it."""
    profile = [(0.4 * radius, -0.4 * radius), (0.45 * radius, 0.5 * radius), (0.95 * radius, 1.5 * radius)]
    profile += [(radius, 2.1 * radius), (0.8 * radius, 2.75 * radius), (0.3 * radius, 3.05 * radius)]
    mesh = lathed(profile, 24)
    if down:
        mesh = warp(mesh, lambda v: v * np.array([1.0, -1.0, 1.0]))
    return Piece(BULB, placed(mesh, y=base))


def _spokes(y: float, radius: float) -> Mesh:
    """Three wires from the middle to a shade's rim, as one mesh."""
    spokes = around("", rod((0, y, 0), (radius - 0.002, y, 0), 0.0025, 8), 3)
    return concatenate([spoke.mesh for spoke in spokes])


def _fitter(y: float, radius: float) -> Piece:
    """What holds a shade to its pole."""
    return Piece("lamp_head/lamp_wireframe_fitter", _spokes(y, radius))


def table_lamp(rng: np.random.Generator) -> list[Piece]:
    """A turned body on a foot under a drum or cone, with bulb and finial."""
    height, r = rng.uniform(0.22, 0.36), rng.uniform(0.045, 0.09)
    foot = r * rng.uniform(1.0, 1.4)
    pieces = [Piece(HOLISTIC, disc((0, 0.022), foot, 48))]
    style = int(rng.integers(3))
    if style == 0:
        body = lathed([(0.5 * r, 0.018), (r, 0.3 * height), (0.9 * r, 0.5 * height), (0.25 * r, 0.92 * height)], 48)
    elif style == 1:
        body = lathed([(0.8 * r, 0.018), (0.35 * r, 0.25 * height), (r, 0.6 * height), (0.3 * r, 0.92 * height)], 48)
    else:
        body = disc((0.018, 0.92 * height), 0.75 * r, 48, foot=0.55 * r)
    pieces.append(Piece("lamp_body/lamp_body_solid", body))
    pole = 0.92 * height
    low, tall = height * rng.uniform(0.95, 1.05), rng.uniform(0.17, 0.26)
    wide = rng.uniform(0.13, 0.2)
    head = wide * rng.uniform(0.55, 1.0)
    pieces.append(Piece("lamp_body/lamp_pole", disc((pole - INTO, low + tall + 0.008), 0.006, 16)))
    unit = [_shade(low, low + tall, wide, head)]
    unit.append(_fitter(low + tall - 0.01, head))
    unit.append(Piece(BULB, placed(_bulb(0).mesh, x=0.03, y=low + 0.25 * tall)))
    above = low + tall
    finial = lathed([(0.004, above), (0.013, above + 0.02), (0.003, above + 0.04)], 20)
    unit.append(Piece("lamp_head/lamp_finial", finial))
    return under(STANDING, [*pieces, *under("lamp_unit", unit)])


def floor_lamp(rng: np.random.Generator) -> list[Piece]:
    """A pole on a plate under a shade, straight or as an arc."""
    height, wide = rng.uniform(1.35, 1.6), rng.uniform(0.16, 0.25)
    plate = rng.uniform(0.13, 0.17)
    pieces = [Piece(HOLISTIC, disc((0, 0.025), plate, 48))]
    if rng.random() < 0.4:
        reach = rng.uniform(0.4, 0.7)
        path = spline([[0, 0.02, 0], [0, 0.8, 0], [0.25 * reach, height, 0], [reach, height - 0.05, 0]], 10)
        arm = Piece("lamp_unit/" + CURVED, tube(path, 0.011, 14))
        dome = _dome(height - 0.05 - 0.19, height - 0.045, 0.8 * wide, 0.02, 2.0)
        bulb = _bulb(height - 0.08, down=True)
        head = [Piece(piece.path, placed(piece.mesh, x=reach)) for piece in (dome, bulb)]
        return under(STANDING, [*pieces, arm, *under("lamp_unit", head)])
    tall = rng.uniform(0.22, 0.32)
    rim = wide * rng.uniform(0.6, 1.0)
    pieces.append(Piece("lamp_body/lamp_pole", disc((0.02, height + 0.005), rng.uniform(0.01, 0.016), 20)))
    unit = [_shade(height - tall, height, wide, rim), _fitter(height - 0.01, rim)]
    unit.append(Piece(BULB, placed(_bulb(0).mesh, x=0.034, y=height - 0.65 * tall)))
    return under(STANDING, [*pieces, *under("lamp_unit", unit)])


def tripod(rng: np.random.Generator) -> list[Piece]:
    """Three spread legs under a large drum."""
    height, spread, wide = rng.uniform(1.0, 1.2), rng.uniform(0.26, 0.34), rng.uniform(0.19, 0.25)
    leg = rod((0.03, height, 0), (spread, 0.0, 0), rng.uniform(0.012, 0.017), 16)
    pieces = around("lamp_base/lamp_leg_base/leg", leg, 3, rng.uniform(0, 120))
    tall = rng.uniform(0.24, 0.32)
    pieces.append(Piece("lamp_body/lamp_body_solid", disc((height - 0.04, height + 0.03), 0.055, 32)))
    pieces.append(Piece("lamp_body/lamp_pole", disc((height + 0.02, height + 0.1 + tall), 0.008, 16)))
    low = height + 0.1
    unit = [_shade(low, low + tall, wide, wide * rng.uniform(0.75, 1.0)), _fitter(low + tall - 0.01, 0.74 * wide)]
    unit.append(Piece(BULB, placed(_bulb(0).mesh, x=0.032, y=low + 0.2 * tall)))
    return under(STANDING, [*pieces, *under("lamp_unit", unit)])


def desk_lamp(rng: np.random.Generator) -> list[Piece]:
    """Two jointed arms and a bell on a heavy foot."""
    foot, a, b = rng.uniform(0.075, 0.1), rng.uniform(0.26, 0.34), rng.uniform(0.24, 0.32)
    lean, bend = np.radians(rng.uniform(8, 30)), np.radians(rng.uniform(60, 85))
    knee = np.array([0, 0.03 + a * np.cos(lean), -a * np.sin(lean)])
    tip = knee + b * np.array([0, np.cos(lean + bend) * 0.35 + 0.25, np.sin(bend) * 0.9])
    pieces = [Piece(HOLISTIC, disc((0, 0.024), foot, 40))]
    arm = f"lamp_body/lamp_body_jointed/{STRAIGHT}"
    for x in (-0.014, 0.014):
        pieces.append(Piece(arm, rod((x, 0.015, 0), (x, knee[1], knee[2]), 0.0055, 12)))
        pieces.append(Piece(arm, rod((x * 0.7, knee[1], knee[2]), (x * 0.7, tip[1], tip[2]), 0.005, 12)))
    joint = turned_about(disc((-0.024, 0.024), 0.016, 20), "z", 90)
    pieces.append(Piece("lamp_unit/connector", placed(joint, 0, knee[1], knee[2])))
    pieces.append(Piece("lamp_unit/connector", placed(joint, 0, tip[1], tip[2])))
    tilt = float(rng.uniform(-25, 5))
    bell = _dome(-0.13, 0.012, rng.uniform(0.07, 0.095), 0.02, rng.choice([1.6, 2.2]))
    for piece in (bell, _bulb(-0.02, 0.024, True)):
        head = placed(turned_about(piece.mesh, "x", tilt), 0, tip[1], tip[2])
        pieces.append(Piece(f"lamp_unit/{piece.path}", head))
    return under(STANDING, pieces)


def pendant(rng: np.random.Generator) -> list[Piece]:
    """A shade on a cord below a rose at the ceiling."""
    cord, wide, tall = rng.uniform(0.3, 0.6), rng.uniform(0.14, 0.26), rng.uniform(0.14, 0.26)
    top = tall + cord
    pieces = [Piece(HOLISTIC, disc((top, top + 0.03), rng.uniform(0.045, 0.065), 32, foot=0.03))]
    pieces.append(Piece("power_cord/cord", disc((tall - 0.02, top + INTO), 0.0045, 12)))
    if rng.random() < 0.5:
        shade = _dome(0.0, tall, wide, 0.02, rng.uniform(1.3, 2.6))
    else:
        shade = _shade(0.0, tall, wide, wide * rng.uniform(0.55, 1.0))
        pieces.append(Piece("pendant_lamp_unit/chain", _spokes(tall - 0.012, 0.57 * wide)))
    pieces += under("pendant_lamp_unit", [shade, _bulb(tall - 0.015, 0.03, True)])
    return under(f"{HANGING}/pendant_lamp", pieces)


def chandelier(rng: np.random.Generator) -> list[Piece]:
    """A turned body with curved arms, a shade and a bulb on each, on a chain."""
    count, reach, drop = int(rng.integers(3, 7)), rng.uniform(0.24, 0.36), rng.uniform(0.2, 0.4)
    r, tall = rng.uniform(0.03, 0.05), rng.uniform(0.2, 0.3)
    body = [(0.2 * r, -0.05), (r, 0.02), (0.6 * r, 0.06), (1.1 * r, 0.5 * tall), (0.4 * r, 0.8 * tall), (0.5 * r, tall)]
    pieces = [Piece("lamp_body", lathed(body, 32))]
    pieces.append(Piece("chain", disc((tall - INTO, tall + drop), 0.006, 12)))
    rose = disc((tall + drop - INTO, tall + drop + 0.03), 0.065, 32, foot=0.03)
    pieces.append(Piece(HOLISTIC, rose))
    level = 0.04
    stations = [[0.4 * r, level], [0.5 * reach, level - 0.07], [reach, level - 0.02], [reach, level + 0.05]]
    path = np.pad(spline(stations, 8), ((0, 0), (0, 1)))
    wide = rng.uniform(0.05, 0.075)
    unit = [Piece("lamp_arm", tube(path, 0.008, 12))]
    cup = shell([(0.4 * wide, level + 0.06), (wide, level + 0.06 + 1.4 * wide)], 0.003, 32)
    unit.append(Piece(SHADE, placed(cup, x=reach)))
    candle = Piece(BULB, placed(_bulb(0, 0.018).mesh, x=reach, y=level + 0.05))
    unit.append(candle)
    for k in range(count):
        for piece in unit:
            (turned,) = around(piece.path, piece.mesh, 1, 360.0 / count * k)
            pieces.append(Piece(f"lamp_unit_group/lamp_unit#{k}/{turned.path}", turned.mesh))
    return under(f"{HANGING}/chandelier", pieces)


def wall_lamp(rng: np.random.Generator) -> list[Piece]:
    """A plate at the wall, an arm, a shade or two."""
    reach, tall, wide = rng.uniform(0.14, 0.24), rng.uniform(0.12, 0.18), rng.uniform(0.06, 0.09)
    plate = box((-0.05, 0.05), (-0.09, 0.09), (-0.012, 0.01), 0.006)
    pieces = [Piece(HOLISTIC, plate)]
    pieces.append(Piece("lamp_body", turned_about(disc((0.006, 0.035), 0.03, 28), "x", 90)))
    sides = [0.0] if rng.random() < 0.6 else [-0.11, 0.11]
    for k, x in enumerate(sides):
        path = fillet([[0, 0, 0.03], [x * 0.6, -0.03, 0.6 * reach], [x, -0.02, reach], [x, 0.05, reach]], 0.04)
        unit = [Piece(CURVED, tube(path, 0.0075, 12))]
        shade = _shade(0.04, 0.04 + tall, wide, wide * rng.uniform(0.5, 0.9), 0.0035)
        unit.append(Piece(SHADE, placed(shade.mesh, x=x, z=reach)))
        unit.append(Piece(CURVED, placed(_spokes(0.047, wide - 0.002), x=x, z=reach)))
        pieces += under(f"lamp_unit#{k}", unit)
    return under("wall_lamp", pieces)


def street_lamp(rng: np.random.Generator) -> list[Piece]:
    """A post with a lantern on top, or with arms."""
    height, r = rng.uniform(2.6, 3.4), rng.uniform(0.045, 0.06)
    base = [(2.6 * r, 0), (2.6 * r, 0.12), (1.7 * r, 0.2), (1.7 * r, 0.5), (1.1 * r, 0.6)]
    pieces = [Piece("street_lamp_base", lathed(base, 32))]
    pieces.append(Piece("lamp_post", disc((0.58, height), 0.75 * r, 28, foot=r)))
    if rng.random() < 0.5:
        return under("street_lamp", [*pieces, *under("lamp_unit", _lantern(height, rng.uniform(0.13, 0.17)))])
    reach, count = rng.uniform(0.4, 0.6), int(rng.integers(1, 4))
    stations = [[0, height - 0.2], [0.3 * reach, height + 0.1], [reach, height + 0.1], [reach, height]]
    path = np.pad(spline(stations, 8), ((0, 0), (0, 1)))
    unit = [Piece(CURVED, tube(path, 0.024, 14))]
    dome = _dome(height - 0.22, height + INTO, 0.2, 0.04, 2.0)
    globe = lathed([(0.05, height - 0.36), (0.13, height - 0.3), (0.15, height - 0.2), (0.08, height - 0.06)], 32)
    unit += [Piece(SHADE, placed(dome.mesh, x=reach)), Piece("lamp_head/light_bulb", placed(globe, x=reach))]
    for k in range(count):
        for piece in unit:
            (turned,) = around(piece.path, piece.mesh, 1, 360.0 / count * k)
            pieces.append(Piece(f"lamp_unit#{k}/{turned.path}", turned.mesh))
    return under("street_lamp", pieces)


def _lantern(y: float, half: float) -> list[Piece]:
    """A glazed lantern: floor, four bars, four panes, a roof."""
    cover, tall = "lamp_head/lamp_cover/lantern_lamp_cover", 2.6 * half
    frame = f"{cover}/lamp_cover_frame"
    pieces = [Piece("lamp_head/lamp_cover_holder", disc((y - 0.01, y + 0.06), 0.06, 28))]
    low = y + 0.055
    pieces.append(Piece(f"{frame}/lamp_cover_frame_bottom", box((-half, half), (low, low + 0.03), (-half, half))))
    for x in (-1, 1):
        for z in (-1, 1):
            at = (x * (half - 0.016), z * (half - 0.016))
            bar = box((at[0] - 0.014, at[0] + 0.014), (low + 0.026, low + tall), (at[1] - 0.014, at[1] + 0.014))
            pieces.append(Piece(f"{frame}/lamp_cover_frame_bar", bar))
    inner = half - 0.016
    for k in range(4):
        pane = box((-inner, inner), (low + 0.026, low + tall), (inner - 0.003, inner + 0.003), 0.001)
        pieces += around(f"{cover}/lamp_cover_glass", pane, 1, 90.0 * k)
    eaves, top = low + tall, low + tall + half
    roof = lathed([(1.5 * half, eaves - 0.006), (1.52 * half, eaves + 0.02), (0.3 * half, top)], 4)
    pieces += around(f"{frame}/lamp_cover_frame_top", roof, 1, 45.0)
    return pieces


FAMILIES: Mapping[str, Callable[[np.random.Generator], list[Piece]]] = {
    "table": table_lamp,
    "floor": floor_lamp,
    "desk": desk_lamp,
    "pendant": pendant,
    "tripod": tripod,
    "chandelier": chandelier,
    "wall": wall_lamp,
    "street": street_lamp,
}
"""Name -> builder."""
