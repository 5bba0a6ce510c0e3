"""Machine parts as ABC holds them: brackets, flanges, gears, housings, shafts, pulleys, elbows, bolts. z up."""

import numpy as np
from manifold3d import Manifold, OpType

from datagen.shapes.procedural.things.solids import Solid, around, box, chain, hull, lathe, prism, ring, rod

Rng = np.random.Generator
METAL = "body"


def _holes(spots: list[tuple[float, float]], radius: float, sink: float = 0.0) -> Manifold:
    tools = []
    for x, y in spots:
        tools.append(rod(6, radius, None, (x, y, -3), 28))
        if sink > 0:
            tools.append(rod(3, radius * 1.8, None, (x, y, sink), 28))
    return Manifold.batch_boolean(tools, OpType.Add)


def bracket(rng: Rng) -> list[Solid]:
    """An L or U bracket with ribs and bolt holes."""
    length, width, t = rng.uniform(1.0, 1.5), rng.uniform(0.5, 0.9), rng.uniform(0.1, 0.16)
    high = rng.uniform(0.6, 1.1)
    solid = box((length, width, t), (0, 0, t / 2), 0.02)
    holes = [(length * f, s * width * 0.25) for f in (-0.05, 0.28) for s in (-1, 1)]
    solid = solid - _holes(holes, rng.uniform(0.05, 0.08), t * 0.65)
    walls = [-1.0] if rng.random() < 0.6 else [-1.0, 1.0]
    for s in walls:
        wall = box((t, width, high), (s * (length - t) / 2, 0, high / 2), 0.02)
        bore = (
            rod(4, width * rng.uniform(0.12, 0.24), None, (0, 0, -2), 36)
            .rotate((0, 90, 0))
            .translate((0, 0, high * 0.62))
        )
        solid = solid + (wall - bore)
        foot = length * rng.uniform(0.25, 0.4) * (1 if len(walls) == 1 else 0.5)
        for side in (-1, 1) if rng.random() < 0.7 else (0,):
            rib = prism([(0, 0), (foot, 0), (0, high * 0.6)], t * 0.6).rotate((90, 0, 0))
            rib = rib if s < 0 else rib.mirror((1, 0, 0))
            solid = solid + rib.translate((s * (length / 2 - t * 0.8), side * (width / 2 - t * 0.5) + t * 0.3, t * 0.8))
    return [Solid("bracket", solid, METAL)]


def flange(rng: Rng) -> list[Solid]:
    """A pipe flange: plate, hub, bore, bolt circle."""
    r, t = rng.uniform(0.6, 0.8), rng.uniform(0.1, 0.18)
    hub_r, hub_h = r * rng.uniform(0.45, 0.58), rng.uniform(0.3, 0.6)
    count = int(rng.integers(4, 9))
    solid = lathe(
        [
            (0, 0),
            (r - 0.03, 0),
            (r, 0.03),
            (r, t - 0.03),
            (r - 0.03, t),
            (hub_r * 1.1, t),
            (hub_r * 0.95, t + 0.12),
            (hub_r * 0.9, t + hub_h),
            (0, t + hub_h),
        ],
        72,
    )
    bore = rod(4, hub_r * rng.uniform(0.6, 0.75), None, (0, 0, -1), 56)
    bolts = around(rod(2, rng.uniform(0.045, 0.07), None, ((r + hub_r * 1.1) / 2, 0, -1), 24), count)
    solid = solid - bore - bolts
    if rng.random() < 0.5:
        solid = solid - ring(hub_r * 0.97, 0.05).translate((0, 0, t + hub_h * 0.6))
    return [Solid("flange", solid, METAL)]


def gear(rng: Rng) -> list[Solid]:
    """A spur gear with hub, keyway and lightening holes."""
    teeth, r, t = int(rng.integers(12, 30)), rng.uniform(0.6, 0.8), rng.uniform(0.16, 0.3)
    depth = r * rng.uniform(0.1, 0.16)
    pitch = 2 * np.pi / teeth
    outline = []
    for k in range(teeth):
        for f, radius in ((0.0, r - depth), (0.22, r - depth), (0.36, r), (0.64, r), (0.78, r - depth)):
            angle = (k + f) * pitch
            outline.append((radius * np.cos(angle), radius * np.sin(angle)))
    hub_r, hub_h = r * rng.uniform(0.28, 0.4), t * rng.uniform(1.2, 2.2)
    solid = prism(outline, t) + rod(hub_h, hub_r, None, (0, 0, 0), 48)
    bore_r = hub_r * rng.uniform(0.45, 0.62)
    solid = solid - rod(4, bore_r, None, (0, 0, -1), 40) - box((bore_r * 0.5, bore_r * 0.5, 4), (bore_r, 0, 0))
    if rng.random() < 0.7:
        middle = (hub_r + r - depth) / 2
        solid = solid - around(rod(2, (r - depth - hub_r) * 0.3, None, (middle, 0, -1), 32), int(rng.integers(4, 8)))
    return [Solid("gear", solid, METAL)]


def housing(rng: Rng) -> list[Solid]:
    """An open box with bosses, feet and a port; at times with its lid."""
    a, b, h = rng.uniform(0.9, 1.3), rng.uniform(0.7, 0.9), rng.uniform(0.4, 0.7)
    wall = rng.uniform(0.05, 0.08)
    solid = box((a, b, h), (0, 0, h / 2), 0.05) - box((a - 2 * wall, b - 2 * wall, h), (0, 0, h / 2 + wall), 0.04)
    spots = [(sx * (a / 2 - 0.12), sy * (b / 2 - 0.12)) for sx in (-1, 1) for sy in (-1, 1)]
    for x, y in spots:
        solid = solid + (rod(h - 0.06, 0.09, None, (x, y, 0.03), 24) - rod(1, 0.035, None, (x, y, h * 0.4), 16))
    port = rod(0.3, b * 0.22, None, sides=40).rotate((0, 90, 0)).translate((a / 2 - 0.1, 0, h * 0.5))
    solid = (solid + port) - rod(1, b * 0.15, None, sides=36).rotate((0, 90, 0)).translate((a / 2 - 0.4, 0, h * 0.5))
    for s in (-1, 1):
        foot = box((a * 0.3, 0.2, 0.07), (0, s * (b / 2 + 0.06), 0.035), 0.015)
        solid = solid + (foot - rod(1, 0.04, None, (0, s * (b / 2 + 0.08), -0.3), 20))
    pieces = [Solid("housing", solid, METAL)]
    if rng.random() < 0.45:
        lid = box((a * 1.02, b * 1.02, 0.07), (0, 0, h + 0.03), 0.02) - _holes(spots, 0.05)
        pieces.append(Solid("lid", lid, "trim"))
        pieces.append(Solid("knob", rod(0.16, 0.1, 0.14, (0, 0, h + 0.06), 32), "trim"))
    return pieces


def shaft(rng: Rng) -> list[Solid]:
    """A stepped shaft with collars and a key seat, lying."""
    steps, z, outline = int(rng.integers(3, 6)), 0.0, [(0.0, 0.0)]
    radii = rng.uniform(0.12, 0.3, steps)
    for r in radii:
        length = rng.uniform(0.25, 0.6)
        outline += [(r - 0.02, z), (r, z + 0.02), (r, z + length - 0.02), (r - 0.02, z + length)]
        z += length
    outline.append((0.0, z))
    solid = lathe(outline, 56)
    if rng.random() < 0.7:
        solid = solid - box((radii[0] * 0.5, radii[0], 0.24), (radii[0], 0, 0.16), 0.01)
    pieces = [Solid("shaft", solid.rotate((0, 90, 0)).translate((-z / 2, 0, float(radii.max()))), METAL)]
    if rng.random() < 0.5:
        at = rng.uniform(0.3, 0.7) * z
        r = float(radii.max())
        collar = (rod(0.16, r * 1.35, None, (0, 0, at), 56) - rod(4, r * 0.6, None, (0, 0, -1), 40)) - lathe(
            outline, 56
        )
        pieces.append(Solid("collar", collar.rotate((0, 90, 0)).translate((-z / 2, 0, r)), "trim"))
    return pieces


def pulley(rng: Rng) -> list[Solid]:
    """A grooved wheel with spokes."""
    r, t = rng.uniform(0.6, 0.75), rng.uniform(0.22, 0.34)
    groove = rng.uniform(0.08, 0.13)
    rim = lathe([(r - 0.22, 0), (r, 0), (r, 0.05), (r - groove, t / 2), (r, t - 0.05), (r, t), (r - 0.22, t)], 72)
    hub = rod(t * 1.3, 0.2, None, (0, 0, -t * 0.1), 40) - rod(2, rng.uniform(0.08, 0.12), None, (0, 0, -1), 32)
    spokes = around(box((r - 0.2, 0.1, t * 0.5), ((r - 0.2) / 2 + 0.08, 0, t / 2), 0.02), int(rng.integers(3, 7)))
    solid = rim + hub + (spokes - rod(2, 0.15, None, (0, 0, -1), 40))
    return [Solid("pulley", solid, METAL)]


def elbow(rng: Rng) -> list[Solid]:
    """A pipe elbow or tee with flanged ends."""
    r, bend = rng.uniform(0.16, 0.24), rng.uniform(0.5, 0.7)
    angle = np.linspace(0, np.pi / 2, 10)
    path = np.stack([bend * (1 - np.cos(angle)), 0 * angle, bend * np.sin(angle)], axis=1)
    path = np.concatenate([[[0, 0, -0.2]], path, [[bend + 0.2, 0, bend]]])
    outer, inner = (
        chain(path, r, 32),
        chain(np.concatenate([[path[0] - [0, 0, 0.4]], path, [path[-1] + [0.4, 0, 0]]]), r * 0.72, 28),
    )
    ends = rod(0.1, r * 1.7, None, (0, 0, -0.26), 48) + rod(0.1, r * 1.7, None, sides=48).rotate((0, 90, 0)).translate(
        (bend + 0.16, 0, bend)
    )
    if rng.random() < 0.5:
        outer = outer + rod(0.5, r, None, sides=40).rotate((90, 0, 0)).translate((0.12, 0.0, bend * 0.5))
        ends = ends + rod(0.09, r * 1.5, None, sides=44).rotate((90, 0, 0)).translate((0.12, -0.44, bend * 0.5))
        inner = inner + rod(1.0, r * 0.7, None, sides=32).rotate((90, 0, 0)).translate((0.12, 0.0, bend * 0.5))
    cut = box((6, 6, 2), (0, 0, -0.26 - 1)) + box((2, 6, 6), (bend + 0.26 + 1, 0, 0))
    bolts = around(rod(2, 0.035, None, (r * 1.38, 0, -1.2), 16), 4, 45) ^ box((3, 3, 0.4), (0, 0, -0.21))
    return [Solid("elbow", (outer + ends) - inner - cut - bolts, METAL)]


def bolt(rng: Rng) -> list[Solid]:
    """A hexagon bolt with washer and nut, standing on its head."""
    r, length = rng.uniform(0.14, 0.2), rng.uniform(0.9, 1.4)
    head = rod(0.24, r * 2.0, None, sides=6) ^ lathe(
        [(0, 0), (r * 1.7, 0), (r * 2.0, 0.06), (r * 2.0, 0.24), (0, 0.24)], 48
    )
    grooves = [ring(r * 1.02, 0.026, 32).translate((0, 0, 0.24 + length * (0.5 + 0.5 * k / 9))) for k in range(9)]
    shank = lathe([(0, 0.2), (r, 0.2), (r, 0.2 + length), (r * 0.7, 0.26 + length), (0, 0.26 + length)], 40)
    pieces = [Solid("bolt", (head + shank) - Manifold.batch_boolean(grooves, OpType.Add), METAL)]
    at = 0.24 + length * rng.uniform(0.3, 0.75)
    nut = (rod(0.22, r * 1.9, None, (0, 0, at), 6)) - rod(3, r * 0.96, None, (0, 0, -1), 32)
    pieces.append(Solid("nut", nut, "trim"))
    if rng.random() < 0.6:
        pieces.append(
            Solid(
                "washer",
                rod(0.06, r * 2.3, None, (0, 0, at - 0.06), 48) - rod(3, r * 0.97, None, (0, 0, -1), 32),
                "light",
            )
        )
    return pieces


def plate(rng: Rng) -> list[Solid]:
    """A mounting plate with slots, holes and stand-offs."""
    a, b, t = rng.uniform(1.1, 1.5), rng.uniform(0.7, 1.0), rng.uniform(0.07, 0.12)
    solid = box((a, b, t), (0, 0, t / 2), 0.02)
    for s in (-1, 1):
        x = s * a * rng.uniform(0.15, 0.3)
        slot = hull(rod(2, 0.05, None, (x, -b * 0.22, -1), 24), rod(2, 0.05, None, (x, b * 0.22, -1), 24))
        solid = solid - slot
    solid = solid - rod(2, rng.uniform(0.09, 0.16), None, (0, b * 0.1, -1), 36)
    spots = [(sx * a * 0.42, sy * b * 0.38) for sx in (-1, 1) for sy in (-1, 1)]
    tall = rng.uniform(0.2, 0.45)
    posts = Manifold.batch_boolean([rod(tall, 0.07, None, (x, y, t * 0.5), 24) for x, y in spots], OpType.Add)
    solid = solid + posts - _holes(spots, 0.03)
    if rng.random() < 0.6:
        solid = solid + (box((a * 0.6, 0.08, 0.18), (0, -b * 0.4, t + 0.06), 0.02))
    return [Solid("plate", solid, METAL)]


def clamp(rng: Rng) -> list[Solid]:
    """A split pipe clamp with lugs."""
    r, t, w = rng.uniform(0.4, 0.55), rng.uniform(0.08, 0.13), rng.uniform(0.3, 0.45)
    band = rod(w, r + t, None, sides=64) - rod(2, r, None, (0, 0, -0.5), 64)
    lugs = Manifold.batch_boolean(
        [box((0.34, 0.13, w), (s * (r + t + 0.1), y, w / 2), 0.02) for s in (-1, 1) for y in (-0.1, 0.1)], OpType.Add
    )
    split = box((6, 0.06, 4), (0, 0, 0))
    holes = Manifold.batch_boolean(
        [
            rod(2, 0.05, None, (0, 0, -1), 20).rotate((90, 0, 0)).translate((s * (r + t + 0.15), 0, w / 2))
            for s in (-1, 1)
        ],
        OpType.Add,
    )
    solid = ((band + lugs) - rod(2, r, None, (0, 0, -0.5), 64)) - split - holes
    halves = [solid ^ box((6, 6, 6), (0, s * 3, 0)) for s in (-1, 1)]
    pieces = [Solid(f"half_{k}", half, METAL) for k, half in enumerate(halves)]
    for k, s in enumerate((-1, 1)):
        screw = rod(0.5, 0.045, None, (0, 0, -0.25), 20) + rod(0.07, 0.09, None, (0, 0, 0.18), 6)
        pieces.append(Solid(f"screw_{k}", screw.rotate((90, 0, 0)).translate((s * (r + t + 0.15), 0, w / 2)), "trim"))
    return pieces
