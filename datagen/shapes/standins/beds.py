"""Beds: panel, spindle, four-poster, upholstered, platform, bunk. Metres; y up, the foot towards the front, +z."""

from collections.abc import Callable, Mapping

import numpy as np

from datagen.core.shape import Mesh
from datagen.shapes.procedural.body import Piece
from datagen.shapes.procedural.curves import rounded_rect
from datagen.shapes.procedural.plates import sheet, slab
from datagen.shapes.procedural.primitives import rounded_box, turned
from datagen.shapes.procedural.shaping import bar, bowed, puffed, turned_about
from datagen.shapes.standins.solids import INTO, Span, box, four, pair, placed, under

FRAME, SLEEP = "bed_frame", "bed_sleep_area"
LEGS, SIDES = f"{FRAME}/bed_frame_base/regular_leg_base", f"{FRAME}/bed_side_surface"
SLATS = "bed_frame_horizontal_surface"


def _size(rng: np.random.Generator) -> tuple[float, float]:
    """Width and length of the mattress: single, queen or king."""
    return float(rng.choice([0.9, 1.4, 1.6, 1.8])), float(rng.uniform(1.95, 2.05))


def _bedding(width: float, length: float, y: float, rng: np.random.Generator, cover: bool = True) -> list[Piece]:
    """A mattress whose lower face lies at y, pillows, and a blanket that hangs over its sides."""
    thick = rng.uniform(0.16, 0.24)
    mattress = rounded_box((width, thick, length), (0, y + thick / 2, 0), 0.04, 3, (6, 2, 6))
    pieces = [Piece("mattress", puffed(mattress, 1, 0.012))]
    top = y + thick
    count = 1 if width < 1.2 else 2
    across = min(0.7, width / count - 0.06)
    for k in range(count):
        pillow = rounded_box((across, 0.11, 0.4), (0, 0, 0), 0.05, 3, (6, 1, 5))
        pillow = turned_about(puffed(pillow, 1, 0.05, both=True), "x", rng.uniform(4, 14))
        x = 0.0 if count == 1 else (k - 0.5) * width / 2
        pieces.append(Piece("pillow", placed(pillow, x, top + 0.052, -length / 2 + 0.27)))
    if cover and rng.random() < 0.75:
        pieces.append(Piece("blanket", _blanket(width, length, (top - 0.12, top + 0.022), rng.uniform(0.55, 0.72))))
    return under(SLEEP, pieces)


def _blanket(width: float, length: float, y: Span, share: float) -> Mesh:
    """A sheet over the mattress that hangs down at its sides and its foot, `share` of the length long."""
    edge, r, drop = width / 2 + 0.022, 0.05, y[1] - y[0]
    half = [(edge - r) * t for t in np.linspace(0, 1, 6)]
    side = [(u, y[1]) for u in half]
    side += [(edge - r + r * np.sin(a), y[1] - r + r * np.cos(a)) for a in np.linspace(0, np.pi / 2, 5)[1:]]
    side += [(edge, y[1] - r - (drop - r) * t) for t in (0.5, 1.0)]
    section = np.array([(-u, v) for u, v in reversed(side[1:])] + side)
    z = np.linspace(length / 2 + 0.005 - share * length, length / 2 + 0.005, 9)
    grid = np.array([[(u, v, at) for u, v in section] for at in z])
    return sheet(grid, 0.022)


def _slats(width: float, length: float, y: float, count: int) -> list[Piece]:
    """Slats below the mattress."""
    step, pieces = length / count, []
    for k in range(count):
        z = (-length / 2 + step * (k + 0.2), -length / 2 + step * (k + 0.8))
        slat = box((-width / 2, width / 2), (y - 0.018, y + 0.001), z, 0.002)
        pieces.append(Piece(f"{FRAME}/{SLATS}/frame_horizontal_surface_bar", slat))
    return pieces


def _rails(width: float, length: float, y: Span, thick: float = 0.026, ends: bool = True) -> list[Piece]:
    """Side rails and, if asked for, rails at head and foot."""
    x, z = width / 2 + thick / 2, length / 2 + thick / 2
    side = box((x - thick / 2, x + thick / 2), y, (-z, z), 0.004)
    pieces = pair(f"{SIDES}/bed_side_surface_panel", side)
    if ends:
        for end in (-z, z):
            rail = box((-x, x), (y[0] + 0.002, y[1] - 0.002), (end - thick / 2, end + thick / 2), 0.004)
            pieces.append(Piece(f"{SIDES}/bed_side_surface_panel", rail))
    return pieces


def panel(rng: np.random.Generator) -> list[Piece]:
    """Wooden head and foot boards, side rails, legs, slats."""
    width, length = _size(rng)
    low = rng.uniform(0.18, 0.26)
    y, head = (low, low + rng.uniform(0.12, 0.18)), rng.uniform(0.95, 1.2)
    x, z = width / 2 + 0.035, length / 2 + 0.02
    pieces = _rails(width, length, y, ends=False) + _slats(width + 0.01, length, low + 0.06, 9)
    board = rounded_box((2 * x, head - low, 0.034), (0, (head + low) / 2, -z), 0.008, 2, (10, 3, 1))
    if rng.random() < 0.5:
        board = bowed(board, 0, 1, rng.uniform(0.03, 0.09))
    pieces.append(Piece(f"{FRAME}/headboard", board))
    foot = rng.uniform(low + 0.25, low + 0.45)
    pieces.append(Piece(f"{SIDES}/bed_side_surface_panel", box((-x, x), (low, foot), (z - 0.017, z + 0.017), 0.006)))
    leg = box((x - 0.06, x), (0, low + 0.03), (z - 0.03, z + 0.03))
    pieces += four(f"{LEGS}/leg", leg)
    return under("bed_unit", pieces + _bedding(width, length, low + 0.06, rng))


def spindle(rng: np.random.Generator) -> list[Piece]:
    """Posts and spindles at head and foot, of wood or tube."""
    width, length = _size(rng)
    low, r = rng.uniform(0.28, 0.34), rng.uniform(0.02, 0.032)
    head, foot, x, z = rng.uniform(1.0, 1.2), rng.uniform(0.6, 0.75), width / 2 + 0.02, length / 2 + 0.02
    pieces = _rails(width, length, (low, low + 0.1), ends=True) + _slats(width + 0.01, length, low + 0.05, 9)
    for end, top in ((-z, head), (z, foot)):
        profile = [(0, 0.7 * r), (0.1, r), (0.94, r), (0.96, 0.7 * r), (1, 0.9 * r)]
        post = turned((x, 0, end), (x, top, end), profile, 20)
        pieces += pair(f"{FRAME}/bed_post", post)
        for y in (top - 0.06, low + 0.16):
            rail = bar((-x, y, end), (x, y, end), 0.024, 0.04)
            pieces.append(Piece(f"{SIDES}/bed_side_surface_horizontal_bar", rail))
        for at in np.linspace(-x, x, int(rng.integers(6, 10)) + 2)[1:-1]:
            spoke = turned((at, low + 0.15, end), (at, top - 0.05, end), [(0, 0.009), (0.5, 0.012), (1, 0.009)], 14)
            pieces.append(Piece(f"{SIDES}/bed_side_surface_vertical_bar", spoke))
    return under("bed_unit", pieces + _bedding(width, length, low + 0.05, rng))


def four_poster(rng: np.random.Generator) -> list[Piece]:
    """Four tall posts, joined at the top."""
    width, length = _size(rng)
    width = max(width, 1.4)
    low, size, top = rng.uniform(0.28, 0.34), rng.uniform(0.05, 0.075), rng.uniform(1.8, 2.05)
    x, z = width / 2 + size / 2, length / 2 + size / 2
    pieces = _rails(width, length, (low, low + 0.14)) + _slats(width + 0.01, length, low + 0.07, 9)
    pieces += four(
        f"{FRAME}/bed_post", box((x - size / 2, x + size / 2), (0, top), (z - size / 2, z + size / 2), 0.006)
    )
    y = top - 0.03
    pieces += pair(f"{SIDES}/bed_side_surface_horizontal_bar", bar((x, y, -z), (x, y, z), 0.03, 0.035))
    for end in (-z, z):
        pieces.append(Piece(f"{SIDES}/bed_side_surface_horizontal_bar", bar((-x, y, end), (x, y, end), 0.03, 0.035)))
    board = box((-x, x), (low, rng.uniform(0.95, 1.2)), (-z - 0.014, -z + 0.014), 0.006)
    pieces.append(Piece(f"{FRAME}/headboard", board))
    return under("bed_unit", pieces + _bedding(width, length, low + 0.07, rng))


def upholstered(rng: np.random.Generator) -> list[Piece]:
    """A padded headboard, a padded frame on short feet."""
    width, length = _size(rng)
    low, tall, x, z = rng.uniform(0.06, 0.12), rng.uniform(0.2, 0.26), width / 2 + 0.05, length / 2 + 0.05
    pieces = []
    for side in (-1, 1):
        rail = rounded_box((0.06, tall, 2 * z), (side * (x - 0.01), low + tall / 2, 0), 0.02, 3)
        pieces.append(Piece(f"{SIDES}/bed_side_surface_panel", rail))
    end = rounded_box((2 * x + 0.036, tall, 0.06), (0, low + tall / 2, z - 0.01), 0.02, 3)
    pieces.append(Piece(f"{SIDES}/bed_side_surface_panel", end))
    deck = box((-x + 0.01, x - 0.01), (low + 0.1, low + 0.125), (-z + 0.02, z - 0.02), 0.002)
    pieces.append(Piece(f"{FRAME}/{SLATS}/frame_horizontal_hard_surface", deck))
    head = rng.uniform(0.95, 1.25)
    board = rounded_box((2 * x + 0.1, head - 0.03, 0.12), (0, head / 2 + 0.015, -z - 0.03), 0.05, 4, (8, 5, 1))
    pieces.append(Piece(f"{FRAME}/headboard", puffed(board, 2, 0.02)))
    foot = box((x - 0.05, x + 0.005), (0, low + 0.012), (z - 0.06, z - 0.005))
    pieces += four(f"{LEGS}/leg", foot)
    return under("bed_unit", pieces + _bedding(width, length, low + 0.12, rng))


def platform(rng: np.random.Generator) -> list[Piece]:
    """A low plate on a plinth or on sled legs, with a thin headboard."""
    width, length = _size(rng)
    low, x, z = rng.uniform(0.16, 0.24), width / 2 + rng.uniform(0.04, 0.12), length / 2 + 0.05
    plate = placed(slab(rounded_rect(2 * x, 2 * z, 0.03, 4), 0.045, 0.01, rings=2), y=low + 0.045)
    pieces = [Piece(f"{FRAME}/{SLATS}/frame_horizontal_hard_surface", plate)]
    if rng.random() < 0.5:
        plinth = box((-0.72 * x, 0.72 * x), (0, low + INTO), (-0.78 * z, 0.78 * z), 0.004)
        pieces.append(Piece(f"{FRAME}/bed_frame_base/surface_base", plinth))
    else:
        for end in (-0.72 * z, 0.72 * z):
            pieces += pair(f"{LEGS}/leg", box((0.8 * x, 0.8 * x + 0.05), (0, low + INTO), (end - 0.04, end + 0.04)))
            stretch = box((-0.8 * x - INTO, 0.8 * x + INTO), (0.02, 0.06), (end - 0.025, end + 0.025))
            pieces.append(Piece(f"{LEGS}/bar_stretcher", stretch))
    board = turned_about(box((-x, x), (low, rng.uniform(0.7, 0.95)), (-z, -z + 0.03), 0.006), "x", -4, (0, low, -z))
    pieces.append(Piece(f"{FRAME}/headboard", board))
    return under("bed_unit", pieces + _bedding(width, length, low + 0.042, rng))


def bunk(rng: np.random.Generator) -> list[Piece]:
    """Two single beds over each other with guard rails and a ladder."""
    width, length, size = 0.9, 2.0, rng.uniform(0.055, 0.075)
    x, z = width / 2 + size / 2, length / 2 + size / 2
    top, levels = rng.uniform(1.6, 1.8), (rng.uniform(0.28, 0.36), rng.uniform(1.15, 1.25))
    pieces = four(f"{FRAME}/bed_post", box((x - size / 2, x + size / 2), (0, top), (z - size / 2, z + size / 2), 0.005))
    for level in levels:
        pieces += _rails(width, length, (level, level + 0.12)) + _slats(width + 0.01, length, level + 0.04, 8)
        pieces += _bedding(width, length, level + 0.04, rng, cover=False)
    for y in (levels[1] + 0.3, levels[1] + 0.42):
        rail = bar((-x, min(y, top - 0.03), -z), (-x, min(y, top - 0.03), z), 0.024, 0.05)
        pieces.append(Piece(f"{SIDES}/bed_side_surface_horizontal_bar", rail))
        for end in (-z, z):
            cross = bar((-x, min(y, top - 0.03), end), (x, min(y, top - 0.03), end), 0.024, 0.05)
            pieces.append(Piece(f"{SIDES}/bed_side_surface_horizontal_bar", cross))
    ladder = []
    for at in (0.35 * z, 0.35 * z + 0.36):
        post = bar((x + 0.16, 0.0, at), (x + 0.03, levels[1] + 0.3, at), 0.03, 0.05, up=(1, 0, 0))
        ladder.append(Piece("ladder_vertical_bar", post))
    for y in np.arange(0.25, levels[1] + 0.2, 0.26):
        away = x + 0.16 - 0.13 * y / (levels[1] + 0.3)
        ladder.append(Piece("rung", bar((away, y, 0.35 * z), (away, y, 0.35 * z + 0.36), 0.03, 0.022)))
    return [*under("bed_unit", pieces), *under("ladder", ladder)]


FAMILIES: Mapping[str, Callable[[np.random.Generator], list[Piece]]] = {
    "panel": panel,
    "spindle": spindle,
    "upholstered": upholstered,
    "platform": platform,
    "four_poster": four_poster,
    "bunk": bunk,
}
"""Name -> builder."""
