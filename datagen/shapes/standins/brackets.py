"""Brackets with four screws on a plate, in true millimetres: assemblies to try inspection on without a drawing.

`python -m datagen.shapes.standins.brackets --out DIR --count N` writes `DIR/parts/bracket_001.glb` and so on, and wrong
screws to swap in, `DIR/variants/`. GLB as the format says: metres, y up.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from manifold3d import CrossSection, Manifold

from datagen.core.rng import stream
from datagen.core.shape import T_PUBLISHED_FROM_INSIDE, Mesh
from datagen.geometry.solid import manifold_mesh

SIDES = 48
CLEARANCE = 0.3
"""Gap between a shank and its hole, all around, in mm."""
CARD = {
    "source": "datagen-brackets",
    "licence": "CC0-1.0",
    "stand_in": True,
    "note": "Brackets made by this project; no drawing of anyone's.",
    "files": "shapes",
}
VARIANTS: Mapping[str, tuple[float, float, float]] = {"screw_long": (5.0, 5.0, 15.0), "screw_wide": (7.5, 3.0, 12.0)}
"""Name -> radius and height of the head, length of the shank, in mm; the right screw is SCREW."""
SCREW = (5.0, 5.0, 12.0)
SHANK = 3.0
"""Radius of the shank, in mm."""


def bracket(number: int, seed: int = 0) -> dict[str, Mesh]:
    """Parts of one bracket by name, in mm, z up: plate, bracket, screw_1 to screw_4. Sizes differ by number."""
    rng = stream(seed, "bracket", number)
    width, depth = float(rng.uniform(70, 95)), float(rng.uniform(44, 60))
    height, thick = float(rng.uniform(36, 52)), float(rng.uniform(5, 7))
    places = [(x * (width / 2 - 13), y) for x in (-1, 1) for y in (-depth / 2 + 13, depth / 2 - 17)]
    holes = sum((_rod(SHANK + CLEARANCE, -30, 30).translate((x, y, 0)) for x, y in places), Manifold())
    plate = Manifold.cube((width + 16, depth + 16, 10), True).translate((0, 0, -5))
    base = Manifold.cube((width, depth, thick), True).translate((0, 0, thick / 2))
    wall = Manifold.cube((width, thick, height), True).translate((0, depth / 2 - thick / 2, height / 2))
    bore = _rod(float(rng.uniform(7, 11)), -50, 50).rotate((90, 0, 0)).translate((0, 0, 0.6 * height))
    rib = CrossSection([[(0, 0), (0, 0.6 * height), (-0.5 * depth, 0)]]).extrude(thick)
    rib = rib.rotate((90, 0, 90)).translate((-thick / 2, depth / 2 - thick / 2, thick / 2))
    found = {"plate": plate - holes, "bracket": (base + wall + rib) - holes - bore}
    for k, (x, y) in enumerate(places):
        turned = float(rng.uniform(0, 60))
        found[f"screw_{k + 1}"] = screw(*SCREW).rotate((0, 0, turned)).translate((x, y, thick))
    return {name: manifold_mesh(solid) for name, solid in found.items()}


def screw(radius: float, height: float, shank: float) -> Manifold:
    """A socket-head screw along z, its head standing on z = 0, in mm."""
    head = _rod(radius, 0, height) + _rod(SHANK, -shank, 0.1)
    return head - Manifold.cylinder(height, 2.9, 2.9, 6).translate((0, 0, 0.5 * height))


def _rod(radius: float, low: float, high: float) -> Manifold:
    return Manifold.cylinder(high - low, radius, radius, SIDES).translate((0, 0, low))


def glb_bytes(parts: Mapping[str, Mesh]) -> bytes:
    """Parts in mm, z up, as a GLB in metres, y up; one node a part."""
    import trimesh

    scene = trimesh.Scene()
    for name, mesh in parts.items():
        moved = mesh.transformed(T_PUBLISHED_FROM_INSIDE @ np.diag([1e-3, 1e-3, 1e-3, 1.0]))
        solid = trimesh.Trimesh(moved.vertices, moved.faces, process=False)
        scene.add_geometry(solid, node_name=name, geom_name=name)
    return bytes(scene.export(file_type="glb"))


def write_brackets(folder: Path, count: int, seed: int = 0) -> Path:
    """Write brackets to `parts/` and wrong screws to `variants/`; returns the folder of the brackets."""
    parts, variants = folder / "parts", folder / "variants"
    for place in (parts, variants):
        place.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        (parts / f"bracket_{number:03d}.glb").write_bytes(glb_bytes(bracket(number, seed)))
    for name, sizes in VARIANTS.items():
        (variants / f"{name}.glb").write_bytes(glb_bytes({name: manifold_mesh(screw(*sizes))}))
    (parts / "collection.json").write_text(json.dumps(CARD, indent=1) + "\n")
    return parts


def main(argv: list[str] | None = None) -> int:
    """Write brackets and name the folder on stderr."""
    parser = argparse.ArgumentParser(prog="python -m datagen.shapes.standins.brackets", description="Write brackets.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--count", type=int, default=1, help="number of brackets")
    parser.add_argument("--seed", type=int, default=0, help="seed of their sizes")
    given = parser.parse_args(argv)
    sys.stderr.write(f"{given.count} brackets in {write_brackets(given.out, given.count, given.seed)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
