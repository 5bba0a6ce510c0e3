"""Pictures of scenes for people: views, what every pixel belongs to, boxes and labels in the world."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from datagen.core.errors import UsageError
from datagen.core.statistics import evenly
from datagen.formats.pictures import RED, Shown, caption, contact_sheet, decoded, tinted
from datagen.store.reader import DatasetReader

VIEWS = 4
TILE = 256
NORMAL = (60, 180, 60)
EDGES = [(0, 1), (0, 2), (0, 4), (1, 3), (1, 5), (2, 3), (2, 6), (3, 7), (4, 5), (4, 6), (5, 7), (6, 7)]


def sheet(reader: DatasetReader, rows: Sequence[Mapping[str, Any]], wanted: Sequence[str], count: int | None) -> Shown:
    """Scenes by name (a prefix does), or the first `count`. Raises UsageError for a name that is no scene's."""
    folders = sorted({row["query_path"].split("/")[1] for row in rows if row["row_type"] == "sample"})
    found = [next((name for name in folders if name.startswith(w)), None) for w in wanted]
    if None in found:
        raise UsageError(f"no scene {wanted[found.index(None)]}; the folders are in scenes/")
    names = [name for name in found if name] or folders[: count or 1]
    return Shown(drawn(reader, names) if names else None, f"{len(names)} scenes")


def drawn(reader: DatasetReader, names: Sequence[str]) -> np.ndarray:
    """(H, W, 3) uint8: a row a scene, four views with world boxes, anomalies red, their changed pixels tinted."""
    return np.concatenate([_row(reader, name) for name in names])


def _row(reader: DatasetReader, name: str) -> np.ndarray:
    meta = json.loads(reader.read(f"scenes/{name}/scene3d.metadata.json"))
    poses = [np.array(pose["rotation"]) for pose in meta["camera"]["poses"]]
    K = np.array(meta["camera"]["K"])
    shown = evenly(len(poses), VIEWS)
    tiles = [_view(reader, f"scenes/{name}", v, K, poses[v], meta["objects"]) for v in shown]
    kinds = ", ".join(f"{o['kind']} {o.get('severity', 0):.3f}" for o in meta["objects"] if o.get("label"))
    band = caption(f"{name}: {kinds or 'no anomaly'}", TILE * VIEWS)
    return np.concatenate([contact_sheet(tiles, VIEWS), band])


def _view(
    reader: DatasetReader, folder: str, v: int, K: np.ndarray, T: np.ndarray, objects: Sequence[dict]
) -> np.ndarray:
    picture = decoded(reader.read(f"{folder}/RGB/{v:04d}.png"))
    path = f"{folder}/anomaly_masks/{v:04d}.png"
    if not reader.has(path):  # published scenes do not say which pixels of an odd object changed
        path = f"{folder}/binary_labels/{v:04d}.png"
    mask = decoded(reader.read(path), "L") > 127
    scale = TILE / picture.shape[0]
    canvas = Image.fromarray(tinted(picture, mask, RED, 0.45)).resize((TILE, TILE), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(canvas)
    for thing in objects:
        centre, size = np.array(thing.get("bbox_world", thing["bbox"]))
        corners = centre + size * np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
        p = (corners @ T[:3, :3].T + T[:3, 3]) @ K.T
        if (p[:, 2] <= 0.01).any():
            continue
        pixels = p[:, :2] / p[:, 2:] * scale
        colour = RED if "-" in thing["path"].rsplit("/", 1)[-1] else NORMAL
        for a, b in EDGES:
            draw.line([tuple(pixels[a]), tuple(pixels[b])], fill=colour)
    return np.asarray(canvas)
