"""Exports of a small chairs and a small scenes dataset, and what the datasets themselves say: run by `make exports`.

Writes FOLDER/<kind>/<format>/ and FOLDER/<kind>/truth.json, one record a sample, from manifest.parquet and the mask
files alone: no exporter has a word in it.
"""

import hashlib
import io
import json
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from datagen.core.errors import UsageError
from datagen.export.registry import BUILT_IN
from datagen.export.run import export_dataset
from datagen.store.manifest import read_manifest
from tests.conftest import build_scenes, run_build


def mask_px(path: Path) -> int:
    """Pixels of a mask file; 0 where there is none."""
    if not path.is_file():
        return 0
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        return int((np.asarray(image.convert("L")) > 127).sum())


def mask_path(root: Path, row: dict) -> Path:
    """The mask that tells where a sample's anomalies are."""
    if row["query_path"].startswith("scenes/"):
        return root / row["query_path"].replace("/RGB/", "/binary_labels/")
    return root / (row["mask_new_path"] or row["mask_old_path"] or "none")


def truth(root: Path) -> list[dict]:
    """One record a sample."""
    return [
        {
            "sample_id": row["sample_id"],
            "path": row["query_path"],
            "split": row["split"],
            "label": row["label"],
            "shape": row["shape_id"],
            "mask_px": mask_px(mask_path(root, row)) if row["label"] or "scenes/" in row["query_path"] else 0,
            "sha256": hashlib.sha256((root / row["query_path"]).read_bytes()).hexdigest(),
        }
        for row in read_manifest(root)
        if row["row_type"] == "sample"
    ]


def main(folder: Path) -> None:
    """Build both datasets with the fake renderer and export them to every built-in format that takes them."""
    shutil.rmtree(folder, ignore_errors=True)
    for kind, build in (("chairs", run_build), ("scenes", build_scenes)):
        root = folder / kind / "dataset"
        build(root)
        for exporter in BUILT_IN:
            try:
                export_dataset(root, exporter.name, folder / kind / exporter.name)
            except UsageError as error:
                print(error)
        (folder / kind / "truth.json").write_text(json.dumps(truth(root)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
