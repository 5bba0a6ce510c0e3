"""Queries of chairs as pictures with instances: the changed part of each anomalous one."""

import json
from collections.abc import Iterator, Sequence

from datagen.core.errors import BrokenFile
from datagen.formats.brokenchairs import KINDS, reference_folder, reference_name
from datagen.formats.instances import Instance, Instances, Picture, Record, flat_name, read_mask, read_size
from datagen.kinds.brokenchairs.posed import posed_references
from datagen.kinds.brokenchairs.solids import chair_depths, chair_solids
from datagen.store.reader import DatasetReader


def chair_pictures(reader: DatasetReader, rows: Sequence[Record]) -> Iterator[Picture]:
    """Every query, named by its job and its row. Raises BrokenFile for a file that cannot be read."""
    for name, number in sorted((_name(row), k) for k, row in enumerate(rows) if row["row_type"] == "sample"):
        row = rows[number]
        width, height = read_size(reader, row["query_path"])
        found = tuple(_instance(reader, one, (width, height)) for one in _anomalies(row)) if row["label"] else ()
        told = (name, row["query_path"], width, height, row["split"], row["label"], row["sample_id"], found)
        views, category = _views(reader, row["public_id"]), row.get("category") or ""
        yield Picture(*told, shape_id=row["shape_id"], category=category, references=views)


def _anomalies(row: Record) -> list[Record]:
    """A row for each anomaly of a picture: itself where there is one."""
    return [
        {
            **row,
            **{key: one[key] for key in ("kind", "severity", "part", "part_class")},
            **{f"{side}_path": one[side] for side in ("mask_new", "mask_old")},
        }
        for one in json.loads(row.get("anomalies") or "[]")
    ] or [row]


def _views(reader: DatasetReader, public_id: int) -> tuple[str, ...]:
    folder = f"{reference_folder(public_id)}/mv_images"
    views = [path for path in reader.list(folder) if path.endswith(".png")]
    return tuple(sorted(views, key=lambda path: reference_name(path.removesuffix(".png"))[1] or 0.0))


def _name(row: Record) -> str:
    return flat_name(row["query_path"].split("/")[1], f"{row['index']:03d}")


def _instance(reader: DatasetReader, row: Record, size: tuple[int, int]) -> Instance:
    """The part's mask; a missing part has none in the picture, so its mask is where it was."""
    which = "new" if row["mask_new_path"] else "old"
    attributes = {
        "severity": row["severity"],
        "shape_id": row["shape_id"],
        "changed_px": row["changed_px"],
        "part": row["part"],
        "part_class": row["part_class"],
        "mask": which,
    }
    path = row[f"mask_{which}_path"]
    mask = read_mask(reader, path, size)
    if not mask.any():
        raise BrokenFile(f"{reader.root / path} marks no pixel; build its job again")
    return Instance(row["kind"], mask, attributes)


CHAIR_INSTANCES = Instances(KINDS, chair_pictures, posed=posed_references, solids=chair_solids, depths=chair_depths)
