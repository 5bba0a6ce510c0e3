"""The published odd-one-out scene: names, metadata, masks and depth as bytes (docs/scenes.md). Metres, z up."""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from datagen.core.errors import BrokenFile, ShapeError
from datagen.formats.encode import grey16_bytes, json_bytes, png_bytes
from datagen.formats.exr import ExrError, read_exr, write_exr
from datagen.store.reader import DatasetReader

FOLDER = "scenes"
FOLDERS = (FOLDER,)
"""Below the dataset's folder: what `dataset.data_path` of the published configuration points to."""
FLOOR = "floor_object"
BACKGROUND_DEPTH = 1e10
ANOMALY, NORMAL = 0, 1
"""`anomaly_labels` of scene2d: the opposite of the loader's polarity."""
MOST_PART_LABELS = 65535
"""part_labels are 16-bit: a scene may show this many parts."""
STRIP_VIEWS = (0, 4, 8, 12, 16)
"""Views that scene.jpg shows, those of them that there are."""


def scene_name(naming: str, category: str, shape: int, scene: int, salt: str) -> str:
    """A scene's folder: `mug_007-003`, or the published form of the parts' set.

    `salt` is hex digits that depend on shape and scene alone.
    """
    if naming == "parts":
        tail = _letters(salt, 4)
        return f"{shape:08d}_{salt[:24]}_trimesh_{shape % 1000:03d}-{scene:03d}-{tail}"
    return f"{plain(category or 'object')}_{shape:03d}-{scene:03d}"


def _letters(salt: str, count: int) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    value = int(salt[:16], 16)
    return "".join(alphabet[value // 36**k % 36] for k in range(count))


def plain(name: str) -> str:
    """A word without '-', which marks an anomaly in the published loader."""
    return "".join(c if c.isalnum() else "_" for c in name.lower()).strip("_") or "object"


ASSET_SUFFIX = {"toys": ".blend", "parts": ".obj"}
"""Endings of the published sets: a later public reader takes `<shape>.blend` of a toy for the normal object."""


KINDS = (
    "fracture",
    "crack",
    "bump",
    "bend",
    "twist",
    "deformation",
    "translation",
    "rotation",
    "missing",
    "material",
    "similar",
)
"""Kinds of anomaly: the list of section A.1, with `deformation` for free deformation."""
MODE_OF_KIND = {
    "fracture": "frac",
    "crack": "crack",
    "bump": "bump",
    "bend": "bend",
    "twist": "twist",
    "deformation": "defr",
    "translation": "tran",
    "rotation": "rota",
    "missing": "miss",
    "material": "mats",
    "similar": "diff",
}
"""Kind -> the word between the dashes of an anomalous asset's name. Kinds that the paper does not have are words
themselves."""


def in_order(kinds: Iterable[str]) -> tuple[str, ...]:
    """The published kinds, then the others named, sorted: how tables and figures list them."""
    return (*KINDS, *sorted(set(kinds) - {*KINDS, "", "normal", "scene"}))


def asset_path(scene: str, mode: str | None, index: int, naming: str) -> str:
    """`path` of an object: '-' in its basename if and only if it is anomalous."""
    model = scene.split("-")[0]
    name = model if mode is None else f"{model}-{mode}-{index + 1:03d}"
    return f"{model}/{name}{ASSET_SUFFIX[naming]}"


def object_name(naming: str, index: int) -> str:
    """Blender's name of the object at a place in the list."""
    if naming == "parts":
        return f"object-{index}"
    return "object" if index == 0 else f"object.{index:03d}"


def part_labels(objects: Sequence[Sequence[int]]) -> list[dict[int, int]]:
    """Labels of the parts of each object (part id -> label), counted on from 1 through the scene's objects.

    Raises ShapeError above what 16 bits hold.
    """
    count = sum(len(part_ids) for part_ids in objects)
    if count > MOST_PART_LABELS:
        raise ShapeError(
            f"a scene of {count} parts has more than the {MOST_PART_LABELS} that part_labels can number; "
            "join parts of its shapes"
        )
    found, label = [], 0
    for part_ids in objects:
        found.append({part_id: label + k + 1 for k, part_id in enumerate(part_ids)})
        label += len(part_ids)
    return found


def view_name(index: int, suffix: str = "png") -> str:
    """`0007.png`."""
    return f"{index:04d}.{suffix}"


def is_anomalous(path: str) -> bool:
    """What the published loader takes an object of this path for."""
    return "-" in path.rsplit("/", 1)[-1]


def box(low: np.ndarray, high: np.ndarray) -> list[list[float]]:
    """[[cx, cy, cz], [dx, dy, dz]]."""
    return [((low + high) / 2).tolist(), (high - low).tolist()]


def published_box(location: np.ndarray, local_bounds: np.ndarray) -> list[list[float]]:
    """The published form: the object's origin, and its dimensions before yaw."""
    return [location.tolist(), (local_bounds[1] - local_bounds[0]).tolist()]


def rgba_bytes(picture: np.ndarray) -> bytes:
    """RGB (H, W, 3) as the published PNG: RGBA with alpha 255."""
    alpha = np.full((*picture.shape[:2], 1), 255, np.uint8)
    return png_bytes(np.concatenate([picture, alpha], axis=2))


def mask_bytes(mask: np.ndarray) -> bytes:
    """A mask (H, W) bool, mode L, 0 and 255."""
    return png_bytes(mask)


def segmentation_bytes(mask: np.ndarray) -> bytes:
    """A mask as RGBA, R = G = B, alpha 255."""
    return rgba_bytes(np.repeat(mask.astype(np.uint8)[..., None] * 255, 3, axis=2))


def depth_exr_bytes(depth: np.ndarray) -> bytes:
    """z-depth (H, W) in metres, 0 = background, as R = G = B float32 with 1e10 for the background."""
    return write_exr(np.where(depth > 0, depth, BACKGROUND_DEPTH).astype(np.float32))


def read_depth(reader: DatasetReader, rgb: str) -> np.ndarray:
    """z-depth (H, W) in metres of the view whose picture is at `rgb`, 0 for the background. Raises BrokenFile."""
    folder, _, name = rgb.rsplit("/", 2)
    path = f"{folder}/depth_exr/{name.removesuffix('.png')}.exr"
    try:
        depth = next(iter(read_exr(reader.read(path), path).values())).astype(np.float64)
    except ExrError as error:
        raise BrokenFile(f"{reader.root / path}: {error}; build the scene again") from error
    return np.where(depth < BACKGROUND_DEPTH / 2, depth, 0.0)


def depth_png_bytes(depth: np.ndarray) -> bytes:
    """16-bit grey, linear between the view's nearest and farthest finite pixel; background 65535."""
    seen = depth > 0
    values = np.full(depth.shape, 65535, np.uint16)
    if seen.any():
        low, high = float(depth[seen].min()), float(depth[seen].max())
        values[seen] = np.round(65535 * (depth[seen] - low) / max(high - low, 1e-12)).astype(np.uint16)
    return grey16_bytes(values)


def bbox_2d(mask: np.ndarray) -> list[int] | None:
    """[x1, y1, x2, y2] of a mask, x2 and y2 exclusive; None if empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return None
    return [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]


def scene3d_json(
    objects: Sequence[Mapping[str, Any]],
    K: np.ndarray,
    extrinsics: Sequence[np.ndarray],
    floor: str,
    sky: str,
    extra: Mapping[str, Any],
) -> bytes:
    """scene3d.metadata.json. `rotation` is the whole world-to-camera matrix, as published."""
    return json_bytes(
        {
            "objects": list(objects),
            "camera": {"K": K.tolist(), "poses": [{"rotation": T.tolist()} for T in extrinsics]},
            "scene": {"floor_pbr": floor, "background_hdr": sky},
            "rendering_info": {"object_loading_time": 0.0},
            "datagen": dict(extra),
        },
        indent=1,
    )


def scene2d_json(paths: Sequence[str], boxes: Mapping[str, Sequence[Sequence[int]]]) -> bytes:
    """scene2d.metadata.json: 0 marks an anomaly; boxes of anomalous objects alone."""
    return json_bytes(
        {
            "blend_paths": list(paths),
            "anomaly_labels": [ANOMALY if is_anomalous(path) else NORMAL for path in paths],
            "bbox": {name: [list(b) for b in found] for name, found in boxes.items()},
        },
        indent=1,
    )


def strip_bytes(shown: Sequence[tuple[np.ndarray, Sequence[Sequence[int]]]]) -> bytes:
    """scene.jpg: pictures (H, W, 3) side by side, each with green boxes (x1, y1, x2, y2) on its anomalies."""
    tiles = []
    for picture, boxes in shown:
        image = Image.fromarray(picture)
        for x1, y1, x2, y2 in boxes:
            ImageDraw.Draw(image).rectangle((x1, y1, x2 - 1, y2 - 1), outline=(0, 255, 0), width=2)
        tiles.append(np.asarray(image))
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(tiles, axis=1)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def split_json(scenes: Mapping[str, Sequence[str]]) -> bytes:
    """The split file: split -> scene folders, in the order given (the loader takes the first `test` key).

    A split without scenes is left out: the published loader ends at one.
    """
    return json_bytes({name: list(found) for name, found in scenes.items() if found}, indent=1)
