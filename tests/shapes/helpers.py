"""Small PartNet folders made on the fly, and the shared samples where they are there."""

import json
from pathlib import Path

import numpy as np
import pytest

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
CUBE = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
CUBE_FACES = np.array(
    [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
     [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
)  # fmt: skip


def sample(name: str) -> Path:
    """A folder of the shared samples; skips the test without them."""
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return path


def obj_box(low: tuple[float, ...], high: tuple[float, ...]) -> str:
    """An axis-aligned box as plain OBJ text."""
    vertices = np.array(low) + CUBE * (np.array(high) - np.array(low))
    rows = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
    return "\n".join(rows + [f"f {a} {b} {c}" for a, b, c in CUBE_FACES + 1]) + "\n"


SEAT_BOX, LEG_BOX, BACK_BOX = (
    obj_box((-0.5, -0.05, -0.5), (0.5, 0.05, 0.5)),
    obj_box((-0.5, -0.6, 0.4), (-0.4, 0.0, 0.5)),
    obj_box((-0.5, 0.0, -0.5), (0.5, 0.8, -0.4)),
)


def leaf(node_id: int, name: str, *objs: str) -> dict:
    """A leaf node of a merged tree."""
    return {"objs": list(objs), "text": name, "name": name, "ori_id": node_id, "id": node_id}


def inner(node_id: int, name: str, *children: dict, extra: tuple[str, ...] = ()) -> dict:
    """An inner node; `extra` objs belong to no leaf."""
    objs = [obj for child in children for obj in child["objs"]] + list(extra)
    return {
        "children": list(children),
        "id": node_id,
        "name": name,
        "text": name,
        "ori_id": node_id,
        "objs": objs,
    }


def write_shape(root: Path, anno_id: str = "7", extra: tuple[str, ...] = (), **files: str) -> Path:
    """A three-leaf chair; `files` (stem -> text, `-` written as `_`) replaces or adds objs."""
    folder = root / anno_id
    (folder / "objs").mkdir(parents=True)
    seat = inner(1, "chair_seat", leaf(2, "seat_surface", "original-1"))
    base = inner(3, "chair_base", inner(4, "regular_leg_base", leaf(5, "leg", "new-4")))
    back = leaf(6, "chair_back", "original-9")
    tree = [inner(0, "chair", seat, base, back, extra=extra)]
    (folder / "result_after_merging.json").write_text(json.dumps(tree))
    meta = {"model_id": f"model-{anno_id}", "anno_id": anno_id, "model_cat": "Chair"}
    (folder / "meta.json").write_text(json.dumps(meta))
    texts = {"original-1": SEAT_BOX, "new-4": LEG_BOX, "original-9": BACK_BOX}
    texts |= {stem.replace("_", "-"): text for stem, text in files.items()}
    for stem, text in texts.items():
        (folder / "objs" / f"{stem}.obj").write_text(text)
    return folder
