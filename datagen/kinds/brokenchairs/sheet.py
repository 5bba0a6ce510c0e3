"""Chairs for people: reference, query and overlay side by side (paper, Figure 2)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from datagen.core.errors import UsageError
from datagen.formats.brokenchairs import in_order, reference_folder, reference_name
from datagen.formats.pictures import Shown, caption, contact_sheet, decoded, marked
from datagen.store.reader import DatasetReader

Record = Mapping[str, Any]
TILE, COLUMNS = 256, 3


def sheet(reader: DatasetReader, rows: Sequence[Record], wanted: Sequence[str], count: int | None) -> Shown:
    """Samples by id or by the end of their path; with `count` so many, spread over kinds and shapes.

    Raises UsageError for a name that is no sample's.
    """
    samples = [row for row in rows if row["row_type"] == "sample"]
    chosen = _spread(samples, count) if count else [_find(samples, name) for name in wanted or [""]]
    tiles = [sample_tile(reader, row) for row in chosen]
    picture = contact_sheet(tiles, columns=COLUMNS if len(tiles) > 2 else 1) if tiles else None
    return Shown(picture, f"{len(tiles)} samples")


def sample_tile(reader: DatasetReader, row: Mapping[str, Any]) -> np.ndarray:
    """(H, W, 3) uint8: nearest reference view, query, and query with masks and box."""
    query = decoded(reader.read(row["query_path"]))
    pictures = [_reference(reader, row), _sized(query), _sized(overlay(reader, row, query))]
    part = f" / {row['part'].rsplit('/', 1)[-1]}" if row["part"] else ""
    text = f"{row['public_id']}  {row['kind']}{part}  az {row['azimuth_deg']:g} el {row['elevation_deg']:g}"
    return np.concatenate([np.concatenate(pictures, axis=1), caption(text, TILE * 3)])


def overlay(reader: DatasetReader, row: Mapping[str, Any], query: np.ndarray) -> np.ndarray:
    """The query with its masks and box marked; a normal one as it is."""
    if not row["label"]:
        return query
    new, old = (_mask(reader, row[name]) if row[name] else None for name in ("mask_new_path", "mask_old_path"))
    x, y, w, h = (value * query.shape[0] / 512 for value in row["bbox_xywh_512"])
    return marked(query, new, old, (x, y, w, h))


def _mask(reader: DatasetReader, path: str) -> np.ndarray:
    return decoded(reader.read(path), "L") > 127


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

    return _sized(decoded(reader.read(min(views, key=gap))))


def _find(rows: Sequence[Record], name: str) -> Record:
    for row in rows:
        if row["sample_id"].startswith(name) or (name and row["query_path"].endswith(name)):
            return row
    raise UsageError(f"no sample {name or 'at all'}; ids are in manifest.parquet, column sample_id")


def _spread(rows: Sequence[Record], count: int) -> list[Record]:
    """Samples of all kinds and many shapes: kinds in turn, each time the shape shown least."""
    order = (*in_order(row["kind"] for row in rows), "normal")
    queues = {kind: [row for row in rows if row["kind"] == kind] for kind in order}
    shown: dict[str, int] = {}
    chosen: list[Record] = []
    while len(chosen) < count and any(queues.values()):
        for kind in order:
            if queues[kind] and len(chosen) < count:
                row = min(queues[kind], key=lambda r: (shown.get(r["shape_id"], 0), r["sample_id"]))
                queues[kind].remove(row)
                shown[row["shape_id"]] = shown.get(row["shape_id"], 0) + 1
                chosen.append(row)
    return chosen
