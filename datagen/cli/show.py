"""`datagen show`: a sample as the paper's Figure 2 shows it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from datagen.annotate.overlay import sample_tile
from datagen.annotate.scene_sheet import scene_sheet
from datagen.cli.console import console as open_console
from datagen.cli.outfile import check_picture_path
from datagen.core.errors import UsageError
from datagen.formats.pictures import contact_sheet
from datagen.store.manifest import read_manifest
from datagen.store.reader import DatasetReader

COLUMNS = 3
ORDER = ("position", "rotation", "broken", "swapped", "missing", "normal")


def run_show(folder: Path, wanted: Sequence[str], out: Path, sheet: int | None) -> None:
    """Write one picture. Raises UsageError when the folder or the sample is not there."""
    check_picture_path(out)
    if not (folder / "manifest.parquet").is_file():
        raise UsageError(f"{folder} has no manifest.parquet; is it a finished datagen dataset?")
    rows = [row for row in read_manifest(folder) if row["row_type"] == "sample"]
    scenes = any(row["kind"] == "scene" for row in rows)
    chosen = rows if scenes else _spread(rows, sheet) if sheet else [_find(rows, name) for name in wanted or [""]]
    if not chosen:
        raise UsageError(f"{folder} holds no sample")
    reader = DatasetReader(folder)
    if scenes:
        names = _scenes(rows, wanted, sheet or 1)
        _save(scene_sheet(reader, names), out)
        open_console().print(f"{len(names)} scenes in {out}", soft_wrap=True)
        return
    tiles = [sample_tile(reader, row) for row in chosen]
    picture = contact_sheet(tiles, columns=COLUMNS if len(tiles) > 2 else 1)
    _save(picture, out)
    open_console().print(f"{len(tiles)} samples in {out}", soft_wrap=True)


def _save(picture: np.ndarray, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(out)


def _scenes(rows: list[dict], wanted: Sequence[str], count: int) -> list[str]:
    """Scene folders by name (a prefix does), or the first ones."""
    folders = sorted({row["query_path"].split("/")[1] for row in rows})
    if not wanted:
        return folders[:count]
    found = [next((name for name in folders if name.startswith(w)), None) for w in wanted]
    if None in found:
        raise UsageError(f"no scene {wanted[found.index(None)]}; the folders are in scenes/")
    return [name for name in found if name]


def _find(rows: list[dict], name: str) -> dict:
    for row in rows:
        if row["sample_id"].startswith(name) or (name and row["query_path"].endswith(name)):
            return row
    raise UsageError(f"no sample {name or 'at all'}; ids are in manifest.parquet, column sample_id")


def _spread(rows: list[dict], count: int) -> list[dict]:
    """Samples of all kinds and many shapes: kinds in turn, each time the shape shown least."""
    queues = {kind: [row for row in rows if row["kind"] == kind] for kind in ORDER}
    shown: dict[str, int] = {}
    chosen: list[dict] = []
    while len(chosen) < count and any(queues.values()):
        for kind in ORDER:
            if queues[kind] and len(chosen) < count:
                row = min(queues[kind], key=lambda r: (shown.get(r["shape_id"], 0), r["sample_id"]))
                queues[kind].remove(row)
                shown[row["shape_id"]] = shown.get(row["shape_id"], 0) + 1
                chosen.append(row)
    return chosen
