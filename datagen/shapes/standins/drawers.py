"""Drawers and doors, which desks and cupboards share. Metres; y up, front +z."""

import numpy as np

from datagen.shapes.procedural.body import Piece
from datagen.shapes.standins.solids import INTO, Span, box, knob, pull

GAP = 0.003
"""Air around a front."""


def handle(x: Span, y: Span, front: float, style: str, upright: bool = False, side: int = 0) -> Piece:
    """A knob or a bow on the front that covers a range; `side` -1 or 1 puts it at that edge, as doors have it."""
    at = ((x[0] + x[1]) / 2 + side * ((x[1] - x[0]) / 2 - 0.045), (y[0] + y[1]) / 2, front)
    if style == "knob":
        return Piece("handle", knob(at, 0.016))
    across = y[1] - y[0] if upright else x[1] - x[0]
    return Piece("handle", pull(at, float(np.clip(0.4 * across, 0.07, 0.2)), upright=upright))


def drawer(x: Span, y: Span, z: Span, style: str) -> list[Piece]:
    """A drawer with front, sides, bottom, back and a handle; z ends at the carcass' front."""
    inner, low = (x[0] + 0.012, x[1] - 0.012), y[0] + 0.012
    top = y[1] - 0.03
    front = box((x[0] + GAP, x[1] - GAP), (y[0] + GAP, y[1] - GAP), (z[1] - 0.002, z[1] + 0.016))
    pieces = [Piece("drawer_box/drawer_front", front)]
    for edge in (inner[0], inner[1] - 0.012):
        side = box((edge, edge + 0.012), (low, top), (z[0] + 0.02, z[1] + INTO - 0.002), 0.001)
        pieces.append(Piece("drawer_box/drawer_side", side))
    across = (inner[0] + 0.012 - INTO / 2, inner[1] - 0.012 + INTO / 2)
    pieces.append(Piece("drawer_box/drawer_bottom", box(across, (low, low + 0.008), (z[0] + 0.022, z[1]), 0.001)))
    pieces.append(Piece("drawer_box/drawer_back", box(across, (low, top), (z[0] + 0.02, z[0] + 0.032), 0.001)))
    return [*pieces, handle(x, y, z[1] + 0.016, style)]


def door(x: Span, y: Span, front: float, style: str, hinge: int) -> list[Piece]:
    """A door before the carcass' front, with a handle and two hinges; `hinge` is -1 (left) or 1."""
    leaf = box((x[0] + GAP, x[1] - GAP), (y[0] + GAP, y[1] - GAP), (front - 0.002, front + 0.018))
    pieces = [Piece("cabinet_door_surface", leaf), handle(x, y, front + 0.018, style, upright=True, side=-hinge)]
    edge = x[1] - 0.008 if hinge > 0 else x[0] + 0.008
    for level in (0.15, 0.85):
        at = y[0] + level * (y[1] - y[0])
        hinged = box((edge - 0.01, edge + 0.01), (at - 0.025, at + 0.025), (front - 0.02, front + 0.004), 0.001)
        pieces.append(Piece("hinge", hinged))
    return pieces
