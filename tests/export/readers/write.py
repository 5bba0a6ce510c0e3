"""Exports of a small chairs and a small scenes dataset, and what the datasets themselves say: run by `make exports`.

Writes FOLDER/<kind>/<format>/ and FOLDER/<kind>/truth.json, one record a sample, from manifest.parquet and the mask
files alone, and FOLDER/<kind>/views.json, where cameras put points: no exporter has a word in them.
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

CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)


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
    shapes = json.loads((root / "shapes.json").read_text())["shapes"]
    return [
        {
            "sample_id": row["sample_id"],
            "path": row["query_path"],
            "split": row["split"],
            "label": row["label"],
            "shape": row["shape_id"],
            "category": shapes.get(row["shape_id"], {}).get("category", ""),
            "mask_px": mask_px(mask_path(root, row)) if row["label"] or "scenes/" in row["query_path"] else 0,
            "sha256": hashlib.sha256((root / row["query_path"]).read_bytes()).hexdigest(),
        }
        for row in read_manifest(root)
        if row["row_type"] == "sample"
    ]


def views(root: Path) -> dict[str, dict]:
    """Picture with a camera -> points (8, 3) of the world with z up before it, and their pixels as (column, row).

    Chairs by their reference views' JSON (y up, OpenGL axes), scenes by the manifest (z up, OpenCV axes).
    """
    found = {}
    for path in root.glob("shapes/*/mv_images/*.json"):
        camera = json.loads(path.read_text())
        K, T = np.array(camera["K"]), np.array(camera["RT"])
        ahead = np.c_[CORNERS * 0.2, np.ones(8)]
        x, y, z, _ = T @ ahead.T
        pixels = np.stack([K[0, 2] - K[0, 0] * x / z, K[1, 2] + K[1, 1] * y / z], axis=1)
        world = np.stack([ahead[:, 0], -ahead[:, 2], ahead[:, 1]], axis=1)
        found[path.with_suffix(".png").relative_to(root).as_posix()] = {"points": world, "pixels": pixels}
    for row in read_manifest(root):
        if row["row_type"] == "sample" and row["query_path"].startswith("scenes/"):
            K, T = np.reshape(row["K"], (3, 3)), np.reshape(row["T_world_camera"], (4, 4))
            seen = CORNERS * (0.1, 0.1, 0.2) + (0, 0, 1)
            pixels = (seen / seen[:, 2:]) @ K[:2].T
            found[row["query_path"]] = {"points": seen @ T[:3, :3].T + T[:3, 3], "pixels": pixels}
    return {path: {key: value.tolist() for key, value in view.items()} for path, view in found.items()}


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
        (folder / kind / "views.json").write_text(json.dumps(views(root)))
        (folder / kind / "truth.json").write_text(json.dumps(truth(root)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
