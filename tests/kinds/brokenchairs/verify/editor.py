"""A copy of a dataset that can be damaged and stamped again, so that hashes and rows tell nothing."""

import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from datagen.annotate.masks import tight_box
from datagen.core.ids import bytes_hash, canonical_json
from datagen.formats.encode import json_bytes, npy_bytes, png_bytes
from datagen.formats.safe_npy import read_npy_dict
from datagen.store.manifest import SCHEMA, read_manifest


class Editor:
    """Files and rows of a copy; `save` writes the manifest with the digests of what lies there."""

    def __init__(self, source: Path, root: Path) -> None:
        # Hard links: a file is unlinked before it is written, so the original stays.
        shutil.copytree(source, root, copy_function=os.link, ignore=shutil.ignore_patterns("log", "tmp", "report.html"))
        self.root = root
        self.rows = read_manifest(root)

    def samples(self, label=None, kinds=None):
        return [
            row
            for row in self.rows
            if row["row_type"] == "sample"
            and (label is None or row["label"] == label)
            and (kinds is None or row["kind"] in kinds)
        ]

    def job(self, row):
        return [other for other in self.rows if other["job_id"] == row["job_id"]]

    def references(self):
        return sorted(self.root.glob("shapes/*/mv_images/*.png"))

    def write(self, path, data: bytes, stamp=True):
        target = self.root / path
        target.unlink(missing_ok=True)
        target.write_bytes(data)
        name = str(target.relative_to(self.root))
        for row in self.rows if stamp else ():
            if name in row["sha256"]:
                row["sha256"][name] = bytes_hash(data)

    def drop(self, path):
        (self.root / path).unlink()
        for row in self.rows:
            row["sha256"].pop(str(path), None)

    def rename(self, old, new):
        (self.root / new).parent.mkdir(parents=True, exist_ok=True)
        (self.root / old).rename(self.root / new)
        for row in self.rows:
            if old in row["sha256"]:
                row["sha256"] = dict(sorted({(new if k == old else k): v for k, v in row["sha256"].items()}.items()))
            for key in ("query_path", "annotation_path", "mask_new_path", "mask_old_path"):
                if row[key] == old:
                    row[key] = new

    def picture(self, path):
        with Image.open(self.root / path) as image:
            return np.asarray(image.convert("RGB"))

    def mask(self, path):
        with Image.open(self.root / path) as image:
            return np.asarray(image) > 127

    def put_picture(self, path, pixels, stamp=True):
        self.write(path, png_bytes(np.asarray(pixels)), stamp)

    def json(self, path):
        return json.loads((self.root / path).read_text())

    def edit_json(self, path, change):
        value = self.json(path)
        self.write(path, json_bytes(change(value) or value))

    def npy(self, path):
        return read_npy_dict(self.root / path)

    def put_npy(self, path, record):
        self.write(path, npy_bytes(np.array(record, dtype=object), allow_pickle=True))

    def depth(self, path):
        return np.load(self.root / path)

    def put_depth(self, path, depth):
        self.write(path, npy_bytes(depth.astype(np.float32)))

    def put_box(self, row, box):
        row["bbox_xywh_512"] = [float(v) for v in box]
        self.edit_json(row["annotation_path"], lambda info: info.update({"2d_bbox": row["bbox_xywh_512"]}))

    def put_masks(self, row, new):
        """A new mask_new with box and IoU to match."""
        old = self.mask(row["mask_old_path"])
        self.put_picture(row["mask_new_path"], new)
        row["iou"] = float((new & old).sum() / (new | old).sum())
        self.put_box(row, tight_box(new))
        self.edit_json(row["annotation_path"], lambda info: info.update({"IoU": row["iou"]}))

    def put_spec(self, row, spec, **columns):
        """A new spec for every row of the job, in annotations too."""
        for other in self.job(row):
            if other["spec"] != row["spec"] and other["row_type"] == "rejection":
                continue
            other |= {"spec": canonical_json(spec), **columns}
            if other["annotation_path"]:
                self.edit_json(other["annotation_path"], lambda info: info["config"].update({"spec": spec, **columns}))

    def save(self):
        records = [{**row, "sha256": sorted(row["sha256"].items())} for row in self.rows]
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(records, schema=SCHEMA), buffer)
        self.write("manifest.parquet", buffer.getvalue(), stamp=False)
