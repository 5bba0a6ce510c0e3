"""Cupboards: chest of drawers, wardrobe, bookcase, sideboard, kitchen unit, trolley. Metres; y up, front +z."""

from collections.abc import Callable, Mapping

import numpy as np

from datagen.shapes.procedural.body import Piece
from datagen.shapes.procedural.primitives import warp
from datagen.shapes.procedural.shaping import turned_about
from datagen.shapes.standins.drawers import door, drawer
from datagen.shapes.standins.solids import INTO, Span, box, disc, four, placed, under

FRAME, FEET, PLINTH = "cabinet_frame", "cabinet_base/foot_base", "cabinet_base/panel_base"
WALL = 0.018


def _carcass(width: float, y: Span, depth: float, top: bool = True) -> list[Piece]:
    """Sides, bottom, back and, if asked for, a top that overhangs a little."""
    x, z, inner = width / 2, depth / 2, width / 2 - WALL + INTO
    pieces = [
        Piece(f"{FRAME}/vertical_side_panel", box((a, a + WALL), (y[0], y[1] - WALL + 0.002), (-z, z), 0.002))
        for a in (-x, x - WALL)
    ]
    pieces.append(
        Piece(f"{FRAME}/bottom_panel", box((-inner, inner), (y[0] + 0.002, y[0] + 0.02), (-z, z - 0.004), 0.002))
    )
    pieces.append(
        Piece(f"{FRAME}/back_panel", box((-inner, inner), (y[0], y[1] - WALL), (-z + 0.001, -z + 0.009), 0.001))
    )
    if top:
        lid = box((-x - 0.008, x + 0.008), (y[1] - WALL, y[1] + 0.004), (-z, z + 0.012))
        pieces.append(Piece(f"{FRAME}/top_panel", lid))
    return pieces


def _feet(width: float, height: float, depth: float, rng: np.random.Generator) -> list[Piece]:
    """Four feet, round or square, spread or not; for a height of 0 none."""
    x, z = width / 2 - 0.05, depth / 2 - 0.05
    if rng.random() < 0.5:
        return four(f"{FEET}/foot", placed(disc((0, height + INTO), 0.02, 20, 0.012), x, 0, z))
    return four(f"{FEET}/foot", box((x - 0.022, x + 0.022), (0, height + INTO), (z - 0.022, z + 0.022)))


def _plinth(width: float, height: float, depth: float) -> list[Piece]:
    x, z = width / 2 - 0.012, depth / 2
    pieces = [
        Piece(f"{PLINTH}/base_side_panel", box((a, a + 0.016), (0, height + INTO), (-z + 0.01, z - 0.03), 0.001))
        for a in (-x, x - 0.016)
    ]
    front = box((-x + 0.01, x - 0.01), (0, height + INTO), (z - 0.044, z - 0.028), 0.001)
    return [*pieces, Piece(f"{PLINTH}/bottom_panel", front)]


def _style(rng: np.random.Generator) -> str:
    return str(rng.choice(["knob", "bow"]))


def _stack(x: Span, y: Span, z: Span, count: int, style: str, tag: str = "") -> list[Piece]:
    """Drawers one over the other."""
    levels = np.linspace(y[0], y[1], count + 1)
    found = []
    for k in range(count):
        found += under(f"drawer#{tag}{k}", drawer(x, (float(levels[k]), float(levels[k + 1])), z, style))
    return found


def chest(rng: np.random.Generator) -> list[Piece]:
    """Three to five drawers, in one column or two."""
    width, depth, count = rng.uniform(0.6, 1.2), rng.uniform(0.4, 0.5), int(rng.integers(3, 6))
    low = rng.uniform(0.07, 0.16)
    height = low + count * rng.uniform(0.17, 0.22)
    style, z = _style(rng), depth / 2
    pieces = _carcass(width, (low, height), depth) + _feet(width, low, depth, rng)
    inner, y, behind = width / 2 - WALL, (low + 0.022, height - WALL - 0.002), (-z + 0.01, z)
    if width > 0.9:
        pieces.append(
            Piece(f"{FRAME}/vertical_divider_panel", box((-0.009, 0.009), (y[0] - INTO, y[1] + INTO), behind, 0.001))
        )
        for side, x in enumerate(((-inner, -0.009), (0.009, inner))):
            pieces += _stack(x, y, behind, count, style, f"{side}-")
    else:
        pieces += _stack((-inner, inner), y, behind, count, style)
    return under("cabinet", pieces)


def wardrobe(rng: np.random.Generator) -> list[Piece]:
    """Tall doors, sometimes over a drawer, on a plinth; inside a shelf."""
    width, depth, height = rng.uniform(0.8, 1.5), rng.uniform(0.5, 0.62), rng.uniform(1.75, 2.1)
    low, z, style = rng.uniform(0.06, 0.1), depth / 2, _style(rng)
    pieces = _carcass(width, (low, height), depth) + _plinth(width, low, depth)
    inner, count = width / 2 - WALL, 2 if width < 1.15 else 3
    bottom = low + 0.022
    if rng.random() < 0.5:
        pieces += _stack((-inner, inner), (bottom, bottom + 0.25), (-z + 0.01, z), 1, style)
        divider = box((-inner - INTO, inner + INTO), (bottom + 0.25, bottom + 0.266), (-z + 0.005, z - 0.004), 0.001)
        pieces.append(Piece("shelf", divider))
        bottom += 0.266
    shelf = box((-inner - INTO, inner + INTO), (height - 0.38, height - 0.362), (-z + 0.005, z - 0.03), 0.001)
    pieces.append(Piece("shelf", shelf))
    edges = np.linspace(-width / 2 + 0.002, width / 2 - 0.002, count + 1)
    for k in range(count):
        x, y = (float(edges[k]), float(edges[k + 1])), (bottom, height - WALL - 0.002)
        pieces += under(f"cabinet_door#{k}", door(x, y, z, style, -1 if k < (count + 1) // 2 else 1))
    return under("cabinet", pieces)


def bookcase(rng: np.random.Generator) -> list[Piece]:
    """Open shelves between sides, with a back or cross bars."""
    width, depth, height = rng.uniform(0.6, 1.1), rng.uniform(0.26, 0.36), rng.uniform(1.2, 2.0)
    low, z, count = rng.uniform(0.05, 0.09), depth / 2, int(rng.integers(3, 6))
    inner = width / 2 - WALL
    pieces = _carcass(width, (low, height), depth) + _plinth(width, low, depth)
    if width > 0.85:
        panel = box((-0.009, 0.009), (low + 0.016, height - WALL + INTO), (-z + 0.005, z - 0.004), 0.001)
        pieces.append(Piece(f"{FRAME}/vertical_divider_panel", panel))
    for level in np.linspace(low + 0.01, height - WALL, count + 1)[1:-1]:
        board = box((-inner - INTO, inner + INTO), (level - 0.01, level + 0.01), (-z + 0.005, z - 0.006), 0.002)
        pieces.append(Piece("shelf", board))
    return under("cabinet", pieces)


def open_shelf(rng: np.random.Generator) -> list[Piece]:
    """A rack: four posts, shelves and bars at the sides."""
    width, depth, height = rng.uniform(0.6, 1.0), rng.uniform(0.32, 0.42), rng.uniform(1.0, 1.8)
    size, count = rng.uniform(0.022, 0.034), int(rng.integers(3, 6))
    x, z = width / 2 - size / 2, depth / 2 - size / 2
    post = box((x - size / 2, x + size / 2), (0, height), (z - size / 2, z + size / 2))
    pieces = four(f"{FRAME}/frame_vertical_bar", post)
    for level in np.linspace(0.12, height - 0.05, count):
        board = box(
            (-x - 0.4 * size, x + 0.4 * size), (level - 0.009, level + 0.009), (-z - 0.4 * size, z + 0.4 * size), 0.002
        )
        pieces.append(Piece("shelf", board))
        for side in (-x, x):
            rail = box((side - 0.3 * size, side + 0.3 * size), (level + 0.006, level + 0.03), (-z, z), 0.002)
            pieces.append(Piece(f"{FRAME}/frame_horizontal_bar", rail))
    return under("cabinet", pieces)


def sideboard(rng: np.random.Generator) -> list[Piece]:
    """Doors at both ends, drawers between them, on legs."""
    width, depth, low = rng.uniform(1.2, 1.8), rng.uniform(0.38, 0.48), rng.uniform(0.12, 0.22)
    height, z, style = low + rng.uniform(0.5, 0.7), depth / 2, _style(rng)
    pieces = _carcass(width, (low, height), depth) + _feet(width, low, depth, rng)
    third, y = width / 6, (low + 0.022, height - WALL - 0.002)
    for k, side in enumerate((-third, third)):
        panel = box((side - 0.009, side + 0.009), (y[0] - INTO, y[1] + INTO), (-z + 0.005, z), 0.001)
        pieces.append(Piece(f"{FRAME}/vertical_divider_panel", panel))
        x = (-width / 2 + 0.002, side) if k == 0 else (side, width / 2 - 0.002)
        pieces += under(f"cabinet_door#{k}", door(x, y, z, style, -1 if k == 0 else 1))
    middle = (-third + 0.009, third - 0.009)
    return under("cabinet", pieces + _stack(middle, y, (-z + 0.01, z), int(rng.integers(2, 4)), style))


def kitchen(rng: np.random.Generator) -> list[Piece]:
    """A base unit: worktop, drawer over doors, a plinth set back."""
    width, depth, height = rng.uniform(0.6, 1.0), rng.uniform(0.55, 0.6), rng.uniform(0.85, 0.92)
    low, z, style = 0.1, depth / 2, _style(rng)
    pieces = _carcass(width, (low, height - 0.02), depth, top=False) + _plinth(width, low, depth)
    plate = box((-width / 2 - 0.01, width / 2 + 0.01), (height - 0.042, height), (-z, z + 0.03), 0.004)
    pieces.append(Piece("countertop", plate))
    inner, split = width / 2 - WALL, height - 0.046 - rng.uniform(0.14, 0.18)
    pieces += _stack((-inner, inner), (split, height - 0.046), (-z + 0.01, z), 1, style)
    edges = (-width / 2 + 0.002, 0.0, width / 2 - 0.002)
    for k in range(2):
        pieces += under(f"cabinet_door#{k}", door((edges[k], edges[k + 1]), (low + 0.004, split), z, style, 2 * k - 1))
    return under("cabinet", pieces)


def trolley(rng: np.random.Generator) -> list[Piece]:
    """A box of drawers on four casters."""
    width, depth, count = rng.uniform(0.38, 0.5), rng.uniform(0.45, 0.58), int(rng.integers(2, 5))
    low, z = 0.075, depth / 2
    height = low + count * rng.uniform(0.13, 0.2)
    pieces = _carcass(width, (low, height), depth)
    inner = width / 2 - WALL
    pieces += _stack((-inner, inner), (low + 0.022, height - WALL - 0.002), (-z + 0.01, z), count, _style(rng))
    wheel = turned_about(disc((-0.011, 0.011), 0.025, 24), "z", 90)
    for k, (x, end) in enumerate(((-1, -1), (-1, 1), (1, -1), (1, 1))):
        at = (x * (width / 2 - 0.045), end * (z - 0.05))
        stem = disc((0.036, low + INTO), 0.012, 16)
        pieces.append(Piece(f"{FEET}/caster#{k}/wheel", placed(wheel, at[0], 0.025, at[1])))
        pieces.append(Piece(f"{FEET}/caster#{k}/caster_stem", placed(stem, at[0], 0, at[1])))
    return under("cabinet", pieces)


def vanity(rng: np.random.Generator) -> list[Piece]:
    """A low chest with a mirror behind it."""
    width, depth, low = rng.uniform(0.8, 1.1), rng.uniform(0.38, 0.45), rng.uniform(0.1, 0.2)
    height, z = low + rng.uniform(0.45, 0.6), depth / 2
    pieces = _carcass(width, (low, height), depth) + _feet(width, low, depth, rng)
    inner = width / 2 - WALL
    pieces += _stack((-inner, inner), (low + 0.022, height - WALL - 0.002), (-z + 0.01, z), 2, _style(rng))
    half, tall = rng.uniform(0.22, 0.34), rng.uniform(0.55, 0.75)
    outer = box((-half, half), (height, height + tall), (-z + 0.002, -z + 0.026))
    glass = box((-half + 0.035, half - 0.035), (height + 0.035, height + tall - 0.035), (-z + 0.02, -z + 0.03), 0.001)
    lean = [turned_about(mesh, "x", -4, (0, height, -z)) for mesh in (outer, glass)]
    lean = [warp(mesh, lambda v: v + np.array([0, -0.006, 0.004])) for mesh in lean]
    return under("cabinet", [*pieces, Piece("mirror/mirror_frame", lean[0]), Piece("mirror/mirror_surface", lean[1])])


FAMILIES: Mapping[str, Callable[[np.random.Generator], list[Piece]]] = {
    "chest": chest,
    "wardrobe": wardrobe,
    "bookcase": bookcase,
    "sideboard": sideboard,
    "kitchen": kitchen,
    "rack": open_shelf,
    "trolley": trolley,
    "vanity": vanity,
}
"""Name -> builder."""
