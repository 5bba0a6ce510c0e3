"""A dataset made larger by copies of its shapes under new ids: for timing, not for truth."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.formats.brokenchairs import FOLDERS
from datagen.formats.encode import json_bytes
from datagen.store.manifest import SCHEMA, read_manifest
from datagen.store.reader import DatasetReader


def multiply(source: Path, target: Path, times: int) -> int:
    """Hard links of every file, `times` over, with the ids in names shifted; the number of samples."""
    rows, out = read_manifest(source), []
    splits: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    names = DatasetReader(source, FOLDERS).sizes
    for k in range(times):
        ids = {str(row["public_id"]): str(row["public_id"] + 100_000 * k) for row in rows}
        renamed = {name: _renamed(name, ids) for name in names}
        for name, new in renamed.items():
            (target / new).parent.mkdir(parents=True, exist_ok=True)
            os.link(source / name, target / new)
        for row in rows:
            copy = {**row, "public_id": row["public_id"] + 100_000 * k, "job_id": f"{k:03d}{row['job_id']}"}
            copy["sample_id"] = f"{k:03d}{row['sample_id']}" if row["sample_id"] else ""
            for key in ("query_path", "annotation_path", "mask_new_path", "mask_old_path"):
                copy[key] = renamed.get(row[key], row[key])
            copy["sha256"] = sorted((renamed[path], digest) for path, digest in row["sha256"].items())
            out.append(copy)
        for row in rows:
            if ids[str(row["public_id"])] not in splits[row["split"]]:
                splits[row["split"]].append(ids[str(row["public_id"])])
    pq.write_table(pa.Table.from_pylist(out, schema=SCHEMA), target / "manifest.parquet")
    (target / "split.json").write_bytes(json_bytes(splits))
    (target / "run.json").write_bytes((source / "run.json").read_bytes())
    return sum(row["row_type"] == "sample" for row in out)


def _renamed(name: str, ids: dict[str, str]) -> str:
    """The path with the shape's id replaced where it stands as a word of its own."""
    top, folder, *rest = name.split("/")
    if top == "shapes":
        shape = folder.removeprefix("shape_")
        rest = [part.replace(f"{shape}_", f"{ids[shape]}_", 1) if part.startswith(shape) else part for part in rest]
        return "/".join([top, f"shape_{ids[shape]}", *rest])
    shape, job = folder.split("-", 1)
    return "/".join([top, f"{ids[shape]}-{job}", *(part.replace(f"_{shape}_", f"_{ids[shape]}_", 1) for part in rest)])
