"""Chairs of boxes in PartNet's layout: parts of twelve triangles, for tests that are not about shapes."""

import json
from pathlib import Path

import numpy as np

from datagen.core.rng import stream
from datagen.core.shape import Mesh
from datagen.shapes.procedural.body import ARM_BAR, BACK_VBAR, LEG, POST, RAIL, SEAT, STRETCHER, Piece
from datagen.shapes.procedural.families import Chair
from datagen.shapes.procedural.quirks import no_quirks
from datagen.shapes.procedural.write import write_chair

CUBE = np.array([[x, y, z] for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])
CUBE_FACES = np.array(
    [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
     [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
)  # fmt: skip
SMALL_PICTURES = ("query.size_px=64", "reference.views=2", "reference.points=64", "anomaly.min_changed_px=20")
SMALL_PICTURES += ("anomaly.views={1: 1}", "quality.ground_share=0.5", "quality.ground_floor=0")
SMALL_PICTURES += ("anomaly.slots={position: 1, rotation: 1, broken: 1, missing: 1}",)
"""Recipe values with which the files of a build are few and small; boxes are too much alike to be swapped."""
CARD = {"source": "boxes", "licence": "none", "stand_in": True, "note": "chairs of boxes"}


def write_plain_chairs(root: Path, count: int) -> Path:
    """`count` chairs of different proportions, ids from 1001; the same bytes each time."""
    for number in range(count):
        anno_id = str(1001 + number)
        made = Chair("plain", tuple(plain_pieces(stream(0, "plain chair", number))))
        write_chair(root / anno_id, made, anno_id, f"{number:032x}", no_quirks(made))
    (root / "collection.json").write_text(json.dumps(CARD))
    return root


def plain_pieces(rng: np.random.Generator) -> list[Piece]:
    """A chair in metres, y up, front +z; every part reaches 5 mm into its neighbours."""
    width, depth, seat, top = rng.uniform((0.38, 0.38, 0.40, 0.75), (0.56, 0.56, 0.48, 1.10))
    thick, pad, x, z = rng.uniform(0.035, 0.06), rng.uniform(0.04, 0.08), width / 2, depth / 2
    pieces = [Piece(SEAT, block((-x, seat - pad, -z), (x, seat, z)))]
    corners = [(side, end) for side in (-1, 1) for end in (-1, 1)]
    for side, end in corners:
        pieces.append(Piece(LEG, post(side * (x - thick / 2), end * (z - thick / 2), thick, 0, seat - pad + 0.005)))
    for side in (-1, 1):
        at = side * (x - thick / 2)
        pieces.append(Piece(POST, post(at, -z + thick / 2, thick, seat - 0.005, top)))
        low = rng.uniform(0.10, 0.2)
        bar = block((at - 0.01, low, -z + thick - 0.005), (at + 0.01, low + 0.025, z - thick + 0.005))
        pieces.append(Piece(STRETCHER, bar))
        arm = rng.uniform(0.15, 0.22) + seat
        pieces.append(Piece(ARM_BAR, block((at - 0.02, arm, -z + thick - 0.005), (at + 0.02, arm + 0.03, z * 0.8))))
    inner = x - thick + 0.005
    pieces.append(Piece(RAIL, block((-inner, top - 0.09, -z), (inner, top, -z + 0.03))))
    for at in np.linspace(-inner, inner, 2 + int(rng.integers(2, 4)))[1:-1]:
        pieces.append(Piece(BACK_VBAR, post(at, -z + 0.015, 0.025, seat - 0.005, top - 0.085)))
    return pieces


def post(x: float, z: float, thick: float, low: float, high: float) -> Mesh:
    """An upright of square section."""
    return block((x - thick / 2, low, z - thick / 2), (x + thick / 2, high, z + thick / 2))


def block(low: tuple[float, float, float], high: tuple[float, float, float]) -> Mesh:
    """An axis-aligned box between two corners."""
    return Mesh(np.array(low) + CUBE * (np.array(high) - np.array(low)), CUBE_FACES)
