"""What machined assemblies to try inspection on share: rods and screws in millimetres, GLB files, a command line."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from manifold3d import Manifold

from datagen.core.command import from_one
from datagen.core.shape import T_PUBLISHED_FROM_INSIDE, Mesh

SIDES = 48
SHANK = 3.0
"""Radius of a shank, in mm."""
CLEARANCE = 0.3
"""Gap between a shank and its hole, all around, in mm."""
SCREW = (5.0, 5.0, 12.0)
"""Radius and height of the head, length of the shank, in mm."""


def card(name: str, what: str, **more: str) -> dict[str, object]:
    """collection.json of assemblies made here."""
    note = f"{what} made by this project; no drawing of anyone's."
    return {"source": f"datagen-{name}", "licence": "CC0-1.0", "stand_in": True, "note": note, **more}


def rod(radius: float, low: float, high: float) -> Manifold:
    """A cylinder along z."""
    return Manifold.cylinder(high - low, radius, radius, SIDES).translate((0, 0, low))


def screw(radius: float, height: float, shank: float) -> Manifold:
    """A socket-head screw along z, its head standing on z = 0, in mm."""
    head = rod(radius, 0, height) + rod(SHANK, -shank, 0.1)
    return head - Manifold.cylinder(height, 2.9, 2.9, 6).translate((0, 0, 0.5 * height))


def glb_bytes(parts: Mapping[str, Mesh]) -> bytes:
    """Parts in mm, z up, as a GLB in metres, y up; one node a part."""
    import trimesh

    scene = trimesh.Scene()
    for name, mesh in parts.items():
        moved = mesh.transformed(T_PUBLISHED_FROM_INSIDE @ np.diag([1e-3, 1e-3, 1e-3, 1.0]))
        solid = trimesh.Trimesh(moved.vertices, moved.faces, process=False)
        scene.add_geometry(solid, node_name=name, geom_name=name)
    return bytes(scene.export(file_type="glb"))


def write_card(folder: Path, told: Mapping[str, object]) -> None:
    """Write collection.json."""
    (folder / "collection.json").write_text(json.dumps(told, indent=1) + "\n")


def command(name: str, write: Callable[[Path, int, int], Path], argv: Sequence[str]) -> int:
    """`python -m datagen.shapes.standins.<name> --out DIR --count N --seed S`: write and name the folder on stderr."""
    about = f"Write {name}."
    parser = argparse.ArgumentParser(prog=f"python -m datagen.shapes.standins.{name}", description=about)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--count", type=from_one, default=1, help=f"number of {name}")
    parser.add_argument("--seed", type=int, default=0, help="seed of their sizes")
    given = parser.parse_args(argv)
    sys.stderr.write(f"{given.count} {name} in {write(given.out, given.count, given.seed)}\n")
    return 0
