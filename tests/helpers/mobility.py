"""Cabinets in PartNet-Mobility's layout: a drawer that slides, a door that turns with a knob on it, textures."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from tests.helpers.box_chairs import CUBE, CUBE_FACES

Box = tuple[tuple[float, float, float], tuple[float, float, float]]
GREEN, RED, BLUE = (30, 140, 60), (170, 40, 30), (40, 60, 170)


def boxes(wide: float, tall: float) -> dict[str, tuple[str, str, Box, tuple[int, int, int]]]:
    """Stem -> (link, path in the tree, box, colour); y up, front +z."""
    x, z, split, thick = wide / 2, 0.22, 0.62 * tall, 0.03
    frame = "cabinet/cabinet_frame"
    return {
        "original-1": ("link_2", f"{frame}/vertical_side_panel", ((-x, 0, -z), (-x + thick, tall, z)), GREEN),
        "original-2": ("link_2", f"{frame}/vertical_side_panel", ((x - thick, 0, -z), (x, tall, z)), GREEN),
        "original-3": ("link_2", f"{frame}/bottom_panel", ((-x, 0, -z), (x, thick, z)), GREEN),
        "original-4": ("link_2", f"{frame}/top_panel", ((-x, tall - thick, -z), (x, tall, z)), GREEN),
        "original-5": ("link_2", f"{frame}/back_panel", ((-x, 0, -z), (x, tall, -z + 0.015)), GREEN),
        "original-6": ("link_0", "cabinet/drawer/drawer_box/drawer_front", ((-x, split, z), (x, tall, z + 0.03)), RED),
        "original-7": (
            *("link_0", "cabinet/drawer/drawer_box/drawer_bottom"),
            *(((-x + 0.04, split, -z + 0.03), (x - 0.04, split + 0.02, z + 0.01)), RED),
        ),
        "original-8": ("link_1", "cabinet/cabinet_door/cabinet_door_surface", ((-x, 0, z), (x, split, z + 0.03)), BLUE),
        "original-9": (
            *("link_3", "cabinet/cabinet_door/handle"),
            *(((x - 0.1, split / 2 - 0.03, z + 0.02), (x - 0.04, split / 2 + 0.03, z + 0.1)), RED),
        ),
    }


def write_cabinets(root: Path, count: int, textured: bool = True) -> Path:
    """So many of them, of different proportions."""
    for number in range(count):
        write_cabinet(root / str(45001 + number), 0.5 + 0.09 * number, 0.7 + 0.12 * (number % 3), textured)
    return root


def write_cabinet(folder: Path, wide: float, tall: float, textured: bool = True) -> None:
    """One object's folder."""
    home = folder / "textured_objs"
    home.mkdir(parents=True)
    (folder / "images").mkdir()
    made = boxes(wide, tall)
    for stem, (_, _, (low, high), color) in made.items():
        corners = np.array(low) + CUBE * (np.array(high) - np.array(low))
        rows = [f"mtllib {stem}.mtl", *(f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in corners)]
        rows += ["vt 0 0", "vt 1 0", "vt 1 1", "usemtl paint"]
        rows += [f"f {a}/1 {b}/2 {c}/3" for a, b, c in CUBE_FACES + 1]
        (home / f"{stem}.obj").write_text("\n".join(rows) + "\n")
        (home / f"{stem}.mtl").write_text(f"newmtl paint\nKd 1 1 1\nmap_Kd ../images/{stem}.png\n" if textured else "")
        Image.new("RGB", (8, 8), color).save(folder / "images" / f"{stem}.png")
    (folder / "result.json").write_text(json.dumps([tree(made)]))
    (folder / "meta.json").write_text(json.dumps({"anno_id": folder.name, "model_cat": "StorageFurniture"}))
    (folder / "mobility.urdf").write_text(urdf(made, wide, tall))
    (folder / "semantics.txt").write_text(
        "link_0 slider drawer\nlink_1 hinge door\nlink_2 heavy body\nlink_3 hinge knob\n"
    )


def tree(made: dict) -> dict:
    """result.json: a node for each word of the paths."""
    top: dict = {"id": 0, "name": "storage_furniture", "text": "Storage Furniture", "children": []}
    number = 1
    for stem, (_, path, _, _) in made.items():
        node = top
        words = path.split("/")
        for word in words[:-1]:
            found = next((child for child in node["children"] if child["name"] == word), None)
            if found is None:
                found = {"id": number, "name": word, "text": word, "children": []}
                node["children"].append(found)
                number += 1
            node = found
        node["children"].append({"id": number, "name": words[-1], "text": words[-1], "objs": [stem]})
        number += 1
    return top


def urdf(made: dict, wide: float, tall: float) -> str:
    """Links whose visuals are shifted back by their joint's origin, as the published files have them."""
    hinge, knob = (-wide / 2, 0.0, 0.22), (wide / 2 - 0.07, 0.31 * tall, 0.22)
    origins = {"link_0": (0.0, 0.0, 0.0), "link_1": hinge, "link_2": (0.0, 0.0, 0.0), "link_3": knob}
    text = ['<robot name="cabinet"><link name="base"/>']
    for link, origin in origins.items():
        back = " ".join(f"{-value:.9f}" for value in origin)
        text.append(f'<link name="{link}">')
        for stem in (stem for stem, entry in made.items() if entry[0] == link):
            mesh = f'<geometry><mesh filename="textured_objs/{stem}.obj"/></geometry>'
            text.append(f'<visual name="{stem}"><origin xyz="{back}"/>{mesh}</visual>')
        text.append("</link>")
    upright = '<origin rpy="1.570796326794897 0 -1.570796326794897" xyz="0 0 0"/>'
    text.append(joint("joint_2", "fixed", "base", "link_2", upright))
    slide = '<origin xyz="0 0 0"/><axis xyz="0 0 1"/><limit lower="0" upper="0.3"/>'
    text.append(joint("joint_0", "prismatic", "link_2", "link_0", slide))
    at = " ".join(f"{value:.9f}" for value in hinge)
    turn = f'<origin xyz="{at}"/><axis xyz="0 -1 0"/><limit lower="0" upper="1.9"/>'
    text.append(joint("joint_1", "revolute", "link_2", "link_1", turn))
    off = " ".join(f"{a - b:.9f}" for a, b in zip(knob, hinge, strict=True))
    text.append(joint("joint_3", "continuous", "link_1", "link_3", f'<origin xyz="{off}"/><axis xyz="0 0 1"/>'))
    return "".join([*text, "</robot>"])


def joint(name: str, kind: str, parent: str, child: str, rest: str) -> str:
    """One joint of a URDF."""
    return f'<joint name="{name}" type="{kind}">{rest}<parent link="{parent}"/><child link="{child}"/></joint>'
