"""The published training loader's rules, restated.

Independent of datagen: reads files as that loader does and says why a sample would be dropped.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image


@dataclass
class Sample:
    shape: str
    label: int
    box: tuple | None
    path: str


def load_split(root: Path, mode: str) -> list[Sample]:
    """Every query of a split. Raises as the loader would; asserts what it would lose in silence."""
    splits = json.loads((root / "split.json").read_text())
    assert all(isinstance(i, str) for i in splits[mode])
    found = []
    for path in sorted(map(str, root.glob("images/*/*"))):
        name = path.rsplit("/", 1)[1]
        if name.split("_")[1] in splits[mode]:
            found.append(load_query(path, name))
    return found


def load_query(path: str, name: str) -> Sample:
    assert "/images/" in path and path.count("/images/") == 1 and path.count("/render_") == 1
    label = int("anomaly" in name)
    with Image.open(path) as image:
        assert image.mode == "RGB", "alpha would be dropped, not composited"
        image.load()
    box = None
    if label:
        twin = path.replace("/images/", "/annotations/").replace("/render_", "/info_").replace(".png", ".json")
        info = json.loads(Path(twin).read_text())
        box = tuple(info["2d_bbox"])
        check_box(box)
        assert info["config"]["type"] in ("position", "rotate", "missing", "damaged", "swapped")
    return Sample(name.split("_")[1], label, box, path)


def check_box(box) -> None:
    x, y, w, h = box
    assert 0 <= x < 512 and 0 <= y < 512 and w > 0 and h > 0, box
    assert x + w <= 512 and y + h <= 512, box


def crop_keeps(box, rng) -> bool:
    """Whether a random 224-of-256 crop leaves a piece of the box."""
    x, y, w, h = (value / 2 for value in box)
    top, left = rng.integers(0, 33, 2)
    return min(x + w, left + 224) > max(x, left) and min(y + h, top + 224) > max(y, top)


def load_reference(root: Path, shape: str) -> list[dict]:
    """All views of a shape: PNG and twin npy."""
    views = []
    for path in sorted((root / "shapes" / f"shape_{shape}" / "mv_images").glob("*.png")):
        with Image.open(path) as image:
            assert image.size == (256, 256)
            grey = np.asarray(image.convert("RGB"))
        record = np.load(str(path).replace(".png", ".npy"), allow_pickle=True).item()
        views.append({"grey": grey, "path": path, **record})
    return views


def pair_is_usable(a: dict, b: dict) -> bool:
    """At least 32 points visible in both views."""
    return int((a["is_visible"] & b["is_visible"]).sum()) >= 32


def safe(path: Path) -> dict:
    """The npy as the loader reads it."""
    return np.load(path, allow_pickle=True).item()


__all__ = ["crop_keeps", "load_query", "load_reference", "load_split", "pair_is_usable", "safe"]
