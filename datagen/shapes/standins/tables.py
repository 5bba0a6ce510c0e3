"""Tables: dining, round on a pedestal, star base, desk, coffee, trestle, garden, picnic. Metres; y up, front +z."""

from collections.abc import Callable, Mapping

import numpy as np

from datagen.shapes.procedural.body import Piece, rod
from datagen.shapes.procedural.curves import rounded_rect, superellipse
from datagen.shapes.procedural.plates import slab
from datagen.shapes.procedural.primitives import turned
from datagen.shapes.procedural.shaping import bar, straight, upright
from datagen.shapes.standins.drawers import door, drawer
from datagen.shapes.standins.solids import INTO, around, box, disc, four, lathed, pair, placed, under

TOP, FRAME = "regular_table/tabletop/tabletop_surface", "regular_table/tabletop/tabletop_frame/bar"
BASE = "regular_table/table_base"
LEGS, DRAWERS, PEDESTAL, STAR = (f"{BASE}/{name}_base" for name in ("regular_leg", "drawer", "pedestal", "star_leg"))


def board(width: float, depth: float, y: float, thick: float, power: float = 0.0) -> Piece:
    """A table's top whose upper face lies at y: rectangular, or an outline of `power` (2: an ellipse)."""
    outline = superellipse(width, depth, power, 56) if power else rounded_rect(width, depth, 0.012, 4)
    return Piece(f"{TOP}/board", placed(slab(outline, thick, 0.4 * thick, rings=2, steps=3), y=y))


def _aprons(x: float, z: float, y: float, height: float, thick: float) -> list[Piece]:
    side = bar((x, y - height / 2, -z), (x, y - height / 2, z), thick, height, round_edge=0.002)
    cross = bar((-x, y - height / 2, z), (x, y - height / 2, z), thick, height, round_edge=0.002)
    back = bar((-x, y - height / 2, -z), (x, y - height / 2, -z), thick, height, round_edge=0.002)
    return [*pair(FRAME, side), Piece(FRAME, cross), Piece(FRAME, back)]


def dining(rng: np.random.Generator) -> list[Piece]:
    """Four legs, square and tapered or turned, aprons, sometimes an H of stretchers."""
    width, depth, height = rng.uniform(1.1, 1.9), rng.uniform(0.75, 0.95), rng.uniform(0.72, 0.77)
    thick, size = rng.uniform(0.022, 0.04), rng.uniform(0.05, 0.08)
    x, z, top = width / 2 - size - 0.03, depth / 2 - size - 0.03, height - thick
    if rng.random() < 0.5:
        leg = upright(straight((x, top + INTO, z), (x, 0, z)), size, size, np.array([1.0, rng.uniform(0.55, 0.8)]))
    else:
        r = size / 2
        profile = [(0, r), (0.16, r), (0.17, 0.75 * r), (0.2, 1.05 * r), (0.24, 0.7 * r), (0.55, 0.95 * r)]
        leg = turned((x, top + INTO, z), (x, 0, z), [*profile, (0.9, 0.5 * r), (0.93, 0.7 * r), (1, 0.45 * r)], 20)
    pieces = [board(width, depth, height, thick), *four(f"{LEGS}/leg", leg)]
    pieces += _aprons(x, z, top + INTO, rng.uniform(0.07, 0.11), 0.022)
    if rng.random() < 0.5:
        y = rng.uniform(0.12, 0.2)
        pieces += pair(f"{LEGS}/bar_stretcher", bar((x, y, -z), (x, y, z), 0.025, 0.03))
        pieces.append(Piece(f"{LEGS}/bar_stretcher", bar((-x, y, 0), (x, y, 0), 0.025, 0.03)))
    return pieces


def pedestal(rng: np.random.Generator) -> list[Piece]:
    """A round or oval top on a column with a plate at either end."""
    across, height = rng.uniform(0.6, 1.15), rng.uniform(0.72, 0.76) if rng.random() < 0.7 else rng.uniform(1.0, 1.08)
    thick, r = rng.uniform(0.02, 0.04), rng.uniform(0.03, 0.05)
    foot, top = across * rng.uniform(0.27, 0.34), height - thick
    pieces = [board(across * rng.choice([1.0, 1.0, 1.3]), across, height, thick, 2.0)]
    base = [(foot, 0.0), (foot, 0.012), (0.9 * foot, 0.02), (1.3 * r, rng.uniform(0.03, 0.09))]
    pieces.append(Piece(f"{PEDESTAL}/pedestal", lathed([*base, (1.2 * r, base[-1][1] + 0.012)], 48)))
    low, style = base[-1][1], int(rng.integers(3))
    waist = [[(r, 0.5)], [(2.6 * r, 0.3), (1.0 * r, 0.6)], [(1.2 * r, 0.25), (2.4 * r, 0.7)]][style]
    column = [(1.05 * r, low), *((a, low + t * (top - low)) for a, t in waist), (r, top - 0.02)]
    pieces.append(Piece(f"{PEDESTAL}/central_support", lathed(column, 32)))
    pieces.append(Piece(f"{PEDESTAL}/tabletop_connector", disc((top - 0.024, top + INTO), 0.26 * across, 32)))
    return pieces


def star(rng: np.random.Generator) -> list[Piece]:
    """A column on three to five spread feet."""
    width, height, count = rng.uniform(0.65, 1.1), rng.uniform(0.7, 0.76), int(rng.integers(3, 6))
    thick, r, reach = rng.uniform(0.018, 0.035), rng.uniform(0.025, 0.04), 0.36 * width
    pieces = [board(width, width, height, thick, rng.choice([2.0, 5.0]))]
    pieces.append(Piece(f"{STAR}/central_support", disc((0.06, height - thick + INTO), r, 28)))
    foot = bar((0.6 * r, 0.11, 0), (reach, 0.022, 0), 0.035, 0.05, taper=0.7)
    return pieces + around(f"{STAR}/star_leg_set/leg", foot, count, rng.uniform(0, 90))


def desk(rng: np.random.Generator) -> list[Piece]:
    """A writing table with drawers or a door at one side or both, a back panel, legs where there is no cupboard."""
    width, depth, height = rng.uniform(1.1, 1.6), rng.uniform(0.55, 0.75), rng.uniform(0.72, 0.76)
    thick, wall, block = rng.uniform(0.022, 0.034), 0.018, rng.uniform(0.34, 0.42)
    top, z, style = height - thick, depth / 2 - 0.02, str(rng.choice(["knob", "bow"]))
    sides, count = ([1] if rng.random() < 0.5 else [1, -1]), int(rng.integers(2, 5))
    doors = rng.random() < 0.5
    pieces = [board(width, depth, height, thick)]
    low = rng.choice([0.0, 0.1])
    for side in sides:
        edge = side * (width / 2 - 0.015)
        x = (min(edge, edge - side * block), max(edge, edge - side * block))
        for a in (x[0], x[1] - wall):
            panel = box((a, a + wall), (low, top + INTO), (-z, z), 0.002)
            pieces.append(Piece(f"{DRAWERS}/vertical_side_panel", panel))
        inner = (x[0] + wall, x[1] - wall)
        wide = (inner[0] - INTO, inner[1] + INTO)
        pieces.append(Piece(f"{DRAWERS}/bottom_panel", box(wide, (low + 0.005, low + 0.021), (-z, z - 0.005), 0.002)))
        pieces.append(Piece(f"{DRAWERS}/back_panel", box(wide, (low, top + INTO), (-z, -z + 0.01), 0.001)))
        if doors and side == sides[-1]:
            leaf = door(x, (low + 0.004, top - 0.004), z, style, 1)
            pieces += under(f"{DRAWERS}/cabinet_door", (piece for piece in leaf if piece.path != "hinge"))
        else:
            levels = np.linspace(low + 0.024, top - 0.004, count + 1)
            for k in range(count):
                y = (float(levels[k]), float(levels[k + 1]))
                pieces += under(f"{DRAWERS}/drawer#{side}{k}", drawer(inner, y, (-z + 0.012, z), style))
        if low:
            for a, b in ((x[0] + 0.03, z - 0.03), (x[1] - 0.03, z - 0.03), (x[0] + 0.03, -z + 0.03)):
                pieces.append(Piece(f"{DRAWERS}/foot", placed(disc((0, low + INTO), 0.018, 20, 0.013), a, 0, b)))
            pieces.append(
                Piece(f"{DRAWERS}/foot", placed(disc((0, low + INTO), 0.018, 20, 0.013), x[1] - 0.03, 0, 0.03 - z))
            )
    if len(sides) == 1:
        for end in (-1, 1):
            a, b = -width / 2 + 0.05, end * (z - 0.03)
            leg = upright(straight((a, top + INTO, b), (a, 0, b)), 0.05, 0.05, np.array([1.0, 0.8]))
            pieces.append(Piece(f"{DRAWERS}/leg", leg))
    gap = (-width / 2 + (block + 0.01 if len(sides) == 2 else 0.04), width / 2 - 0.015 - block + INTO)
    modesty = box((gap[0] - 0.001, gap[1]), (0.45 * height, top + INTO), (-z + 0.02, -z + 0.034), 0.001)
    return [*pieces, Piece(f"{DRAWERS}/back_panel", modesty)]


def coffee(rng: np.random.Generator) -> list[Piece]:
    """A low table with a shelf, its top of boards or glass."""
    width, depth, height = rng.uniform(0.8, 1.25), rng.uniform(0.5, 0.7), rng.uniform(0.38, 0.47)
    thick, size = rng.uniform(0.014, 0.035), rng.uniform(0.035, 0.06)
    x, z, top = width / 2 - size, depth / 2 - size, height - thick
    made = board(width, depth, height, thick)
    pieces = [Piece(f"{TOP}/glass", made.mesh) if rng.random() < 0.4 else made]
    leg = upright(straight((x, top + INTO, z), (x, 0, z)), size, size, np.array([1.0, 1.0]))
    pieces += four(f"{LEGS}/leg", leg)
    pieces += _aprons(x, z, top + 0.002, 0.045, 0.02)
    level = rng.uniform(0.1, 0.16)
    shelf = box((-x - INTO, x + INTO), (level, level + 0.018), (-z - INTO, z + INTO), 0.003)
    return [*pieces, Piece(f"{DRAWERS}/shelf", shelf)]


def trestle(rng: np.random.Generator) -> list[Piece]:
    """Two trestles on runners, joined by a long stretcher."""
    width, depth, height = rng.uniform(1.4, 2.0), rng.uniform(0.75, 0.95), rng.uniform(0.73, 0.77)
    thick, x = rng.uniform(0.03, 0.05), width / 2 - rng.uniform(0.2, 0.32)
    top, half, size = height - thick, depth / 2 - 0.09, rng.uniform(0.06, 0.09)
    pieces = [board(width, depth, height, thick)]
    pieces += pair(f"{LEGS}/runner", bar((x, 0.035, -half), (x, 0.035, half), size, 0.07))
    pieces += pair(f"{LEGS}/tabletop_connector", bar((x, top - 0.025, -half), (x, top - 0.025, half), size, 0.058))
    y = rng.uniform(0.2, 0.4)
    if rng.random() < 0.5:
        post = upright(straight((x, top - 0.05, 0), (x, 0.062, 0)), size * 0.9, 0.16, np.array([1.0, 1.0]))
        pieces += pair(f"{LEGS}/leg", post)
        return [*pieces, Piece(f"{LEGS}/bar_stretcher", bar((-x - 0.03, y, 0), (x + 0.03, y, 0), 0.03, 0.07))]
    for end in (-1, 1):
        post = rod((x, 0.06, end * 0.75 * half), (x, top - 0.045, end * 0.3 * half), 0.4 * size, 18)
        pieces += pair(f"{LEGS}/leg", post)
        z = end * half * float(np.interp(y, [0.06, top - 0.045], [0.75, 0.3]))
        pieces.append(Piece(f"{LEGS}/bar_stretcher", rod((-x, y, z), (x, y, z), 0.014, 14)))
    return pieces


def garden(rng: np.random.Generator) -> list[Piece]:
    """A slatted top in a frame on four legs."""
    width, depth, height = rng.uniform(0.7, 1.5), rng.uniform(0.65, 0.85), rng.uniform(0.7, 0.75)
    thick, size, count = rng.uniform(0.018, 0.026), rng.uniform(0.04, 0.06), int(rng.integers(5, 9))
    x, z = width / 2 - size / 2, depth / 2 - size / 2
    pieces = four(f"{LEGS}/leg", upright(straight((x, height - thick, z), (x, 0, z)), size, size, np.array([1.0, 0.9])))
    pieces += _aprons(x, z, height - thick + 0.002, 0.06, 0.024)
    step = depth / count
    for k in range(count):
        at = -depth / 2 + step * (k + 0.5)
        slat = box((-width / 2, width / 2), (height - thick - INTO, height), (at - 0.42 * step, at + 0.42 * step))
        pieces.append(Piece(f"{TOP}/bar", slat))
    return pieces


def picnic(rng: np.random.Generator) -> list[Piece]:
    """A table and two benches on crossed legs."""
    top, base = "picnic_table/regular_table/tabletop", "picnic_table/regular_table/table_base/regular_leg_base"
    width, height, seat = rng.uniform(1.4, 1.9), rng.uniform(0.72, 0.77), rng.uniform(0.42, 0.46)
    thick, half, x = 0.038, rng.uniform(0.33, 0.4), width / 2 - rng.uniform(0.18, 0.28)
    plate = box((-width / 2, width / 2), (height - thick, height), (-half, half))
    pieces = [Piece(f"{top}/tabletop_surface", plate)]
    out = half + rng.uniform(0.25, 0.32)
    for end in (-1, 1):
        leg = bar((x, height - thick + INTO, end * 0.5 * half), (x, 0.0, end * (out - 0.02)), 0.04, 0.1, up=(1, 0, 0))
        pieces += pair(f"{base}/leg", leg)
        near, far = sorted((end * (out - 0.1), end * (out + 0.16)))
        bench = box((-width / 2, width / 2), (seat - thick, seat), (near, far))
        pieces.append(Piece("picnic_table/bench", bench))
    beam = bar((x + 0.03, seat - thick - 0.045, -out - 0.1), (x + 0.03, seat - thick - 0.045, out + 0.1), 0.04, 0.098)
    return [*pieces, *pair("picnic_table/bench_connector", beam)]


FAMILIES: Mapping[str, Callable[[np.random.Generator], list[Piece]]] = {
    "dining": dining,
    "pedestal": pedestal,
    "desk": desk,
    "coffee": coffee,
    "trestle": trestle,
    "garden": garden,
    "star": star,
    "picnic": picnic,
}
"""Name -> builder."""
