"""Gearbox covers on their housing, in true millimetres: assemblies to try inspection on without a drawing.

`python -m datagen.shapes.standins.gearboxes --out DIR --count N` writes `DIR/parts/gearbox_001.glb` and so on, GLB as
the format says: metres, y up.
"""

from functools import partial
from pathlib import Path

import numpy as np
from manifold3d import CrossSection, Manifold

from datagen.core.command import run_command
from datagen.core.rng import stream
from datagen.core.shape import Mesh
from datagen.geometry.solid import manifold_mesh
from datagen.shapes.standins.machined import (
    CLEARANCE,
    SCREW,
    SHANK,
    card,
    command,
    glb_bytes,
    rod,
    screw,
    write_card,
)

GASKET = 1.2
"""Thickness in mm."""
WALL = 14.0
"""Width of the rim that the cover lies on, in mm."""
RIB = 3.0


def gearbox(number: int, seed: int = 0) -> dict[str, Mesh]:
    """Parts of one by name, in mm, z up: housing, gasket, cover, ribs, two bearing seats, six or eight screws."""
    rng = stream(seed, "gearbox", number)
    width, depth = float(rng.uniform(104, 128)), float(rng.uniform(70, 84))
    thick, tall = float(rng.uniform(4.5, 6.0)), float(rng.uniform(16, 22))
    count = 6 if rng.random() < 0.5 else 8
    places = _places(width - WALL, depth - WALL, count)
    outer = _plate(width, depth, 12.0)
    rim = outer - _plate(width - 2 * WALL, depth - 2 * WALL, 6.0)
    shanks = sum((rod(SHANK + CLEARANCE, -40, 40).translate((x, y, 0)) for x, y in places), Manifold())
    gasket = rim.extrude(GASKET) - shanks
    housing = rim.extrude(tall).translate((0, 0, -tall)) + outer.extrude(4).translate((0, 0, -tall)) - shanks
    top = GASKET + thick
    bores = [(-0.22 * width, float(rng.uniform(11, 14))), (0.2 * width, float(rng.uniform(8, 10.5)))]
    holes = sum((rod(radius, -1, 40).translate((x, 0, 0)) for x, radius in bores), Manifold())
    found = {
        "housing": housing,
        "gasket": gasket,
        "cover": outer.extrude(thick).translate((0, 0, GASKET)) - shanks - holes,
    }
    high = float(rng.uniform(9, 12))
    for k, (x, radius) in enumerate(bores):
        ring = rod(radius + 5, 0, high) - rod(radius, -1, high + 1) - rod(radius + 2, high - 3, high + 1)
        found[f"bearing_seat_{k + 1}"] = ring.translate((x, 0, top))
        for side, up in enumerate((-1, 1)):
            reach = depth / 2 - WALL - radius - 7
            rib = CrossSection([[(0, 0), (reach, 0), (0, 0.7 * high)]]).extrude(RIB).rotate((90, 0, 90))
            rib = rib.translate((-RIB / 2, radius + 5, 0)).rotate((0, 0, 0 if up > 0 else 180))
            found[f"rib_{2 * k + side + 1}"] = rib.translate((x, 0, top))
    for k, (x, y) in enumerate(places):
        turned = float(rng.uniform(0, 60))
        found[f"screw_{k + 1}"] = screw(*SCREW).rotate((0, 0, turned)).translate((x, y, top))
    return {name: manifold_mesh(solid) for name, solid in found.items()}


def _plate(width: float, depth: float, corner: float) -> CrossSection:
    """A rectangle with round corners about the origin."""
    inner = CrossSection.square((width - 2 * corner, depth - 2 * corner), True)
    corners = CrossSection.circle(corner, 32)
    places = [(x, y) for x in (-1, 1) for y in (-1, 1)]
    round_ones = [corners.translate((x * (width / 2 - corner), y * (depth / 2 - corner))) for x, y in places]
    return CrossSection.batch_hull([inner, *round_ones])


def _places(width: float, depth: float, count: int) -> list[tuple[float, float]]:
    """Where screws go on a rim: its corners, and evenly along its long sides."""
    xs = np.linspace(-width / 2, width / 2, count // 2).tolist()
    inset = 5.0
    return [(float(np.clip(x, -width / 2 + inset, width / 2 - inset)), y * depth / 2) for x in xs for y in (-1, 1)]


def write_gearboxes(folder: Path, count: int, seed: int = 0) -> Path:
    """Write gearboxes to `parts/`; returns that folder."""
    parts = folder / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        (parts / f"gearbox_{number:03d}.glb").write_bytes(glb_bytes(gearbox(number, seed)))
    write_card(parts, card("gearboxes", "Gearboxes", files="shapes"))
    return parts


if __name__ == "__main__":
    run_command(partial(command, "gearboxes", write_gearboxes))
