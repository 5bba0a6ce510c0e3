"""Hinges of two leaves on a pin, in true millimetres, that open: how far is normal variation (`joints` of a recipe).

`python -m datagen.shapes.standins.hinges --out DIR --count N` writes `DIR/parts/hinge_001` and so on in the layout of
PartNet-Mobility, which says how parts move: meshes in mm, y up, and a URDF.
"""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from manifold3d import Manifold

from datagen.core.command import run_command
from datagen.core.rng import stream
from datagen.core.shape import T_PUBLISHED_FROM_INSIDE, Mesh
from datagen.geometry.solid import manifold_mesh
from datagen.shapes.standins.machined import CLEARANCE, SHANK, card, command, rod, screw, write_card

KNUCKLES = 5
GAP = 0.4
"""Between knuckles, and between leaves, in mm."""
WIDEST = 1.9
"""How far it folds from lying flat, in radians."""
MOVING = "moving"


def hinge(number: int, seed: int = 0) -> tuple[dict[str, Mesh], float]:
    """Parts of one by name, in mm, z up, lying flat: two leaves, the pin along y, screws; and the height of its pin."""
    rng = stream(seed, "hinge", number)
    long, wide = float(rng.uniform(60, 84)), float(rng.uniform(26, 34))
    thick, radius = float(rng.uniform(3, 4)), float(rng.uniform(5.5, 7))
    pin, holes = 0.5 * radius, 2 + int(rng.random() < 0.5)
    found: dict[str, Manifold] = {}
    ends = rod(pin + 1.5, 0, 2)
    axis = rod(pin, -long / 2, long / 2) + ends.translate((0, 0, long / 2)) + ends.translate((0, 0, -long / 2 - 2))
    for name, side in (("fixed", -1.0), (MOVING, 1.0)):
        plate = Manifold.cube((wide, long, thick)).translate((radius + GAP, -long / 2, 0))
        solid = Manifold()
        each = long / KNUCKLES
        for k in range(0 if side < 0 else 1, KNUCKLES, 2):
            low, high = -long / 2 + k * each + GAP / 2, -long / 2 + (k + 1) * each - GAP / 2
            knuckle = rod(radius, low, high)
            arm = Manifold.cube((radius + 2, high - low, thick)).translate((0, low, 0))
            solid += knuckle.rotate((90, 0, 0)).scale((1, -1, 1)).translate((0, 0, radius)) + arm
        solid = (solid + plate) - rod(pin + 0.1, -long, long).rotate((90, 0, 0)).translate((0, 0, radius))
        spots = [(radius + 0.55 * wide, (k - (holes - 1) / 2) * 0.7 * long / (holes - 1)) for k in range(holes)]
        for x, y in spots:
            solid -= rod(SHANK + CLEARANCE, -1, thick + 1).translate((x, y, 0))
        turn = (0, 0, 0.0 if side > 0 else 180.0)
        found[f"leaf_{name}"] = _turned(solid, side)
        for k, (x, y) in enumerate(spots):
            head = screw(4.6, 2.6, thick - 0.2).rotate((0, 0, float(rng.uniform(0, 60))))
            found[f"screw_{name}_{k + 1}"] = head.translate((x, y, thick)).rotate(turn)
    found["pin"] = axis.rotate((90, 0, 0)).translate((0, 0, radius))
    return {name: manifold_mesh(solid) for name, solid in found.items()}, radius


def _turned(leaf: Manifold, side: float) -> Manifold:
    """A leaf on its side of the pin: mirrored, so that its knuckles keep their places along it."""
    return leaf if side > 0 else leaf.mirror((1, 0, 0))


def write_hinges(folder: Path, count: int, seed: int = 0) -> Path:
    """Write hinges to `parts/`; returns that folder."""
    parts = folder / "parts"
    for number in range(1, count + 1):
        _write(parts / f"hinge_{number:03d}", *hinge(number, seed))
    write_card(parts, card("hinges", "Hinges", units="mm"))
    return parts


def _write(folder: Path, parts: Mapping[str, Mesh], height: float) -> None:
    home = folder / "textured_objs"
    home.mkdir(parents=True, exist_ok=True)
    for name, mesh in parts.items():
        (home / f"{name}.obj").write_text(_obj(mesh.transformed(T_PUBLISHED_FROM_INSIDE)))
    leaves = [{"id": k + 1, "name": name, "text": name, "objs": [name]} for k, name in enumerate(sorted(parts))]
    tree = [{"id": 0, "name": "object", "text": "Object", "children": leaves}]
    (folder / "result.json").write_text(json.dumps(tree, indent=1) + "\n")
    told = {"anno_id": folder.name, "model_id": folder.name, "model_cat": "Object"}
    (folder / "meta.json").write_text(json.dumps(told) + "\n")
    (folder / "semantics.txt").write_text("link_0 heavy leaf\nlink_1 hinge leaf\n")
    (folder / "mobility.urdf").write_text(_urdf(sorted(parts), height))


def _obj(mesh: Mesh) -> str:
    rows = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in mesh.vertices.tolist()]
    rows += [f"f {a} {b} {c}" for a, b, c in (mesh.faces + 1).tolist()]
    return "\n".join(rows) + "\n"


def _urdf(names: list[str], height: float) -> str:
    """The moving leaf and its screws turn about the pin, upwards from lying flat; y up, the pin along z."""
    origins = {"link_0": 0.0, "link_1": height}
    links = []
    for link, up in origins.items():
        visuals = "".join(
            f'<visual><origin xyz="0 {-up:.6f} 0"/><geometry><mesh filename="textured_objs/{name}.obj"/></geometry>'
            "</visual>\n"
            for name in names
            if (MOVING in name) == (link == "link_1")
        )
        links.append(f'<link name="{link}">\n{visuals}</link>\n')
    return (
        '<robot name="hinge">\n<link name="base"/>\n'
        + "".join(links)
        + '<joint name="stands" type="fixed"><parent link="base"/><child link="link_0"/></joint>\n'
        + '<joint name="opens" type="revolute"><parent link="link_0"/><child link="link_1"/>'
        + f'<origin xyz="0 {height:.6f} 0"/><axis xyz="0 0 1"/><limit lower="0" upper="{WIDEST:g}"/>'
        + "</joint>\n</robot>\n"
    )


if __name__ == "__main__":
    run_command(partial(command, "hinges", write_hinges))
