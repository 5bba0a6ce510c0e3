"""The published scene loader's rules, restated.

Independent of datagen: reads a scene as that loader does and raises where it would return nothing.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

VOLUME = np.array([[-1.92, -1.92, -0.32], [1.92, 1.92, 0.32]])


@dataclass
class LoadedScene:
    images: np.ndarray
    masks: np.ndarray
    K: np.ndarray
    extrinsics: np.ndarray
    labels: list[int]
    boxes: np.ndarray


def load_split(path: Path) -> dict[str, list[str]]:
    splits = json.loads(path.read_text())
    assert isinstance(splits, dict) and all(isinstance(names, list) for names in splits.values())
    assert any("train" in key for key in splits) and any("test" in key for key in splits)
    return splits


def load_scene(folder: Path, num_views: int = 5) -> LoadedScene:
    """Every view of a scene. AssertionError, OSError or KeyError where the loader's bare except would drop it."""
    meta = json.loads((folder / "scene3d.metadata.json").read_text())
    names = [sorted(p for p in (folder / sub).iterdir() if not p.name.startswith(".")) for sub in ("RGB", "masks")]
    assert len(names[0]) == len(names[1]) >= 2 * num_views
    assert [p.name for p in names[0]] == [p.name for p in names[1]]
    poses = meta["camera"]["poses"]
    assert len(poses) == len(names[0])
    extrinsics = np.array([pose["rotation"] for pose in poses], dtype=float)
    assert extrinsics.shape[1:] == (4, 4)
    images, masks = [], []
    for picture, mask in zip(*names, strict=True):
        with Image.open(picture) as image:
            images.append(np.asarray(image.convert("RGB").resize((256, 256))))
        with Image.open(mask) as image:
            assert image.mode == "L", "the demo loads it without convert: one channel"
            masks.append(np.asarray(image))
    K = np.array(meta["camera"]["K"], dtype=float)
    assert K.shape == (3, 3)
    labels = [int("-" in obj["path"].rsplit("/", 1)[-1]) for obj in meta["objects"]]
    boxes = np.array([obj["bbox"] for obj in meta["objects"]], dtype=float)
    assert boxes.shape == (len(labels), 2, 3)
    low, high = boxes[:, 0] - boxes[:, 1] / 2, boxes[:, 0] + boxes[:, 1] / 2
    assert (low >= VOLUME[0] - 1e-6).all() and (high <= VOLUME[1] + 1e-6).all(), "outside the volume: cut"
    return LoadedScene(np.array(images), np.array(masks), K, extrinsics, labels, boxes)


MODES = {"frac", "crack", "disc", "bend", "twist", "defr", "bump", "miss", "tran", "rota", "scal", "mats", "diff"}


def later_label(scene: str, path: str, suffix: str) -> int:
    """0 or 1 as the later public reader tells it: a normal object is the scene's own shape, `<shape><suffix>`.

    Its anomalous kin is `<shape>-<mode>-<number><suffix>` with a published mode. AssertionError where it would drop
    the scene.
    """
    shape, name = scene.split("-")[0], path.rsplit("/", 1)[-1]
    if name == f"{shape}{suffix}":
        return 0
    stem = name.removesuffix(suffix)
    assert name.endswith(suffix) and stem.count("-") == 2, name
    model, mode, number = stem.split("-")
    assert model == shape and mode in MODES and number.isdecimal() and len(number) == 3, name
    return 1


def project(scene: LoadedScene, view: int, points: np.ndarray) -> np.ndarray:
    """p = K (R X + t), pixel i covering [i, i + 1)."""
    T = scene.extrinsics[view]
    p = (points @ T[:3, :3].T + T[:3, 3]) @ scene.K.T
    return p[:, :2] / p[:, 2:]
