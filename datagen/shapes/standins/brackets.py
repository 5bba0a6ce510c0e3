"""Brackets with four screws on a plate, in true millimetres: assemblies to try inspection on without a drawing.

`python -m datagen.shapes.standins.brackets --out DIR --count N` writes `DIR/parts/bracket_001.glb` and so on, and wrong
screws to swap in, `DIR/variants/`. GLB as the format says: metres, y up.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

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

VARIANTS: Mapping[str, tuple[float, float, float]] = {"screw_long": (5.0, 5.0, 15.0), "screw_wide": (7.5, 3.0, 12.0)}
"""Name -> radius and height of the head, length of the shank, in mm; the right screw is SCREW."""


def bracket(number: int, seed: int = 0) -> dict[str, Mesh]:
    """Parts of one bracket by name, in mm, z up: plate, bracket, screw_1 to screw_4. Sizes differ by number."""
    rng = stream(seed, "bracket", number)
    width, depth = float(rng.uniform(70, 95)), float(rng.uniform(44, 60))
    height, thick = float(rng.uniform(36, 52)), float(rng.uniform(5, 7))
    places = [(x * (width / 2 - 13), y) for x in (-1, 1) for y in (-depth / 2 + 13, depth / 2 - 17)]
    holes = sum((rod(SHANK + CLEARANCE, -30, 30).translate((x, y, 0)) for x, y in places), Manifold())
    plate = Manifold.cube((width + 16, depth + 16, 10), True).translate((0, 0, -5))
    base = Manifold.cube((width, depth, thick), True).translate((0, 0, thick / 2))
    wall = Manifold.cube((width, thick, height), True).translate((0, depth / 2 - thick / 2, height / 2))
    bore = rod(float(rng.uniform(7, 11)), -50, 50).rotate((90, 0, 0)).translate((0, 0, 0.6 * height))
    rib = CrossSection([[(0, 0), (0, 0.6 * height), (-0.5 * depth, 0)]]).extrude(thick)
    rib = rib.rotate((90, 0, 90)).translate((-thick / 2, depth / 2 - thick / 2, thick / 2))
    found = {"plate": plate - holes, "bracket": (base + wall + rib) - holes - bore}
    for k, (x, y) in enumerate(places):
        turned = float(rng.uniform(0, 60))
        found[f"screw_{k + 1}"] = screw(*SCREW).rotate((0, 0, turned)).translate((x, y, thick))
    return {name: manifold_mesh(solid) for name, solid in found.items()}


def write_brackets(folder: Path, count: int, seed: int = 0) -> Path:
    """Write brackets to `parts/` and wrong screws to `variants/`; returns the folder of the brackets."""
    parts, variants = folder / "parts", folder / "variants"
    for place in (parts, variants):
        place.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        (parts / f"bracket_{number:03d}.glb").write_bytes(glb_bytes(bracket(number, seed)))
    for name, sizes in VARIANTS.items():
        (variants / f"{name}.glb").write_bytes(glb_bytes({name: manifold_mesh(screw(*sizes))}))
    write_card(parts, card("brackets", "Brackets", files="shapes"))
    return parts


if __name__ == "__main__":
    run_command(partial(command, "brackets", write_brackets))
