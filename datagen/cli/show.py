"""`datagen show`: a sample as the paper's Figure 2 shows it."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from rich.console import Console

from datagen.annotate.overlay import contact_sheet, sample_tile
from datagen.core.errors import UsageError
from datagen.store.manifest import read_manifest

COLUMNS = 3
ORDER = ("position", "rotation", "broken", "swapped", "missing", "normal")


def run_show(folder: Path, wanted: Sequence[str], out: Path, sheet: int | None) -> None:
    """Write one picture. Raises UsageError when the folder or the sample is not there."""
    if not (folder / "manifest.parquet").is_file():
        raise UsageError(f"{folder} has no manifest.parquet; is it a finished datagen dataset?")
    rows = [row for row in read_manifest(folder) if row["row_type"] == "sample"]
    chosen = _spread(rows, sheet) if sheet else [_find(rows, name) for name in wanted or [""]]
    if not chosen:
        raise UsageError(f"{folder} holds no sample")
    tiles = [sample_tile(folder, row) for row in chosen]
    picture = contact_sheet(tiles, columns=COLUMNS if len(tiles) > 2 else 1)
    out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(out)
    Console(stderr=True).print(f"{len(tiles)} samples in {out}", highlight=False, soft_wrap=True)


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
