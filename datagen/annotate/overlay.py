"""Pictures of samples for people: reference, query and overlay side by side."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import binary_dilation

from datagen.formats.brokenchairs import reference_folder, reference_name
from datagen.store.reader import DatasetReader

TILE = 256
CAPTION = 22
RED, GREEN, BLUE = np.array([214, 30, 40]), np.array([60, 200, 40]), (30, 120, 210)


def sample_tile(reader: DatasetReader, row: Mapping[str, Any]) -> np.ndarray:
    """(H, W, 3) uint8: nearest reference view, query, and query with masks and box."""
    query = _read(reader, row["query_path"])
    pictures = [_reference(reader, row), _sized(query), _sized(overlay(reader, row, query))]
    band = np.full((CAPTION, TILE * 3, 3), 255, np.uint8)
    image = Image.fromarray(band)
    part = f" / {row['part'].rsplit('/', 1)[-1]}" if row["label"] else ""
    text = f"{row['public_id']}  {row['kind']}{part}  az {row['azimuth_deg']:g} el {row['elevation_deg']:g}"
    ImageDraw.Draw(image).text((8, 4), text, fill=(60, 60, 60))
    return np.concatenate([np.concatenate(pictures, axis=1), np.asarray(image)])


def overlay(reader: DatasetReader, row: Mapping[str, Any], query: np.ndarray) -> np.ndarray:
    """The query with the new mask red, the old one's outline green and the box blue (paper, Figure 2)."""
    if not row["label"]:
        return query
    shown = query.astype(float)
    if row["mask_new_path"]:
        mask = _read(reader, row["mask_new_path"])[..., 0] > 127
        shown[mask] = 0.35 * shown[mask] + 0.65 * RED
    old = _read(reader, row["mask_old_path"])[..., 0] > 127
    shown[binary_dilation(old) & ~old] = GREEN
    image = Image.fromarray(shown.astype(np.uint8))
    scale = query.shape[0] / 512
    x, y, w, h = (value * scale for value in row["bbox_xywh_512"])
    ImageDraw.Draw(image).rectangle((x - 1, y - 1, x + w, y + h), outline=BLUE)
    return np.asarray(image)


def contact_sheet(tiles: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Tiles of one size in rows, on white."""
    rows = -(-len(tiles) // columns)
    height, width = tiles[0].shape[:2]
    sheet = np.full((rows * height, columns * width, 3), 255, np.uint8)
    for k, tile in enumerate(tiles):
        y, x = divmod(k, columns)
        sheet[y * height : (y + 1) * height, x * width : (x + 1) * width] = tile
    return sheet


def _read(reader: DatasetReader, path: str) -> np.ndarray:
    with Image.open(io.BytesIO(reader.read(path))) as image:
        return np.asarray(image.convert("RGB"))


def _sized(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((TILE, TILE), Image.Resampling.LANCZOS))


def _reference(reader: DatasetReader, row: Mapping[str, Any]) -> np.ndarray:
    """The reference view nearest the query's: its azimuths run the other way."""
    views = [path for path in reader.list(f"{reference_folder(row['public_id'])}/mv_images") if path.endswith(".png")]
    if not views:
        return np.full((TILE, TILE, 3), 255, np.uint8)

    def gap(path: str) -> float:
        difference = ((reference_name(path.removesuffix(".png"))[1] or 0.0) + row["azimuth_deg"]) % 360
        return min(difference, 360 - difference)

    return _sized(_read(reader, min(views, key=gap)))
