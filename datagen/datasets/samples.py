"""Which samples a dataset has: from manifest.parquet, or from the published names where there is none."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datagen.core.errors import BrokenFile, UsageError
from datagen.datasets.dataset import sample_rows
from datagen.formats.brokenchairs import FOLDERS, KIND_OF_TYPE, TWIN, at_query_path, parse_query
from datagen.store.reader import DatasetReader

MASKS = ("mask_new", "mask_old")
"""Prefixes of the published names of masks: where a change shows, and where it was before."""


@dataclass(frozen=True)
class Sample:
    """One query image. `box` is cx, cy, w, h as fractions of the image, zeros for a normal one."""

    query_path: str
    shape: str
    """Public id, as in shapes/shape_<id>."""
    split: str
    label: int
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    kind: str = "normal"
    part_class: str = ""
    category: str = ""
    """What the shape is; '' where the dataset does not say."""
    severity: float | None = None
    """In the unit of its kind; None where unknown (published data)."""
    magnitude: float | None = None
    """Size of the anomaly, as measured on the meshes, in `unit`; None where the dataset measures none."""
    unit: str = ""
    """mm, deg or mm3."""
    changed_share: float | None = None
    """Pixels that an anomaly changes, of all pixels of its picture; None where the dataset does not tell them."""
    azimuth_deg: float | None = None
    """Of the query's file name: against the sense of the reference views' azimuths."""
    T_world_camera: tuple[float, ...] = ()
    """Camera-to-world, row-major, published frame; empty where unknown."""
    tray: tuple[float, ...] = ()
    """How the object lies otherwise than its reference: turned about the vertical in degrees, shifted along x and y in
    mm; empty where it does not."""
    masks: tuple[str, ...] = ()
    """Paths of the masks that together cover what an anomaly changed; empty where there are none."""
    own_view: str = ""
    """Path of the reference's picture from the query's own camera; empty where the dataset has none."""

    @property
    def bundle(self) -> str:
        """Id of the reference that goes with it, as in shapes/shape_<id>."""
        return self.shape

    @property
    def drawn_by(self) -> str:
        """Samples of one such name are drawn and augmented alike in an epoch."""
        return self.query_path


def box_from_xywh(xywh_512: tuple[float, ...] | list[float], path: str) -> tuple[float, float, float, float]:
    """Centre form in 0..1 of a box on the 512 grid. Raises BrokenFile on an impossible one."""
    if len(xywh_512) != 4:
        raise BrokenFile(f"{path}: an anomalous sample without a 2d_bbox of four numbers")
    x, y, w, h = (float(v) for v in xywh_512)
    if min(w, h) <= 0 or min(x, y) < 0 or x + w > 512 or y + h > 512:
        raise BrokenFile(f"{path}: box {list(xywh_512)} does not lie within the 512 grid")
    return (x + w / 2) / 512, (y + h / 2) / 512, w / 512, h / 512


def open_dataset(root: Path) -> DatasetReader:
    """The files of a dataset in the published tree, loose or in tar shards. Raises UsageError where there is none."""
    if not root.is_dir():
        raise UsageError(f"{root} is no folder; give a dataset's folder to --data")
    reader = DatasetReader(root, FOLDERS)
    if not reader.is_packed and not (root / "images").is_dir():
        raise UsageError(f"{root} holds neither images/ nor tar shards; is it a dataset made by `datagen build`?")
    return reader


def list_samples(files: DatasetReader, split: str) -> list[Sample]:
    """Samples of a split, sorted by path. Raises BrokenFile naming what is wrong.

    A twin (DATA.md, "Counterfactual pairs") is none: it is a normal picture made for a pair.
    """
    if files.has("manifest.parquet"):
        samples = _from_manifest(files, split)
    else:
        samples = _from_names(files, split)
    if not samples:
        told = read_table(files, "split.json") if files.has("split.json") else {split: []}
        if split not in told:
            raise BrokenFile(f"{files.root} has no split {split}; its splits are {', '.join(told)}")
        raise BrokenFile(
            f"{files.root}: split {split} has no sample; build more shapes, as few of them may leave a split empty"
        )
    return sorted(samples, key=lambda sample: sample.query_path)


def _from_manifest(files: DatasetReader, split: str) -> list[Sample]:
    samples = []
    for row in sample_rows(files, split):
        if row["reason"] == TWIN:
            continue
        box = box_from_xywh(row["bbox_xywh_512"], row["query_path"]) if row["label"] else (0.0, 0.0, 0.0, 0.0)
        masks = tuple(row[key] for key in ("mask_new_path", "mask_old_path") if row[key])
        name = parse_query(row["query_path"])
        own = at_query_path(name.folder, "old", name.tail, ".png")
        told = {"label": int(row["label"]), "kind": row["kind"], "box": box, "masks": masks}
        samples.append(Sample(**fields_of(row), **told, own_view=own if files.has(own) else ""))
    return samples


def fields_of(row: dict[str, Any]) -> dict[str, Any]:
    """What a row of the manifest tells of a picture, whatever it is compared with, by the names of Sample."""
    return {
        "query_path": row["query_path"],
        "shape": str(row["public_id"]),
        "split": row["split"],
        "part_class": row["part_class"],
        "category": row.get("category") or "",
        "severity": row["severity"],
        "magnitude": row.get("magnitude") if row.get("magnitude_unit") else None,
        "unit": row.get("magnitude_unit") or "",
        "changed_share": _changed_share(row),
        "azimuth_deg": row["azimuth_deg"],
        "T_world_camera": tuple(row["T_world_camera"] or ()),
        "tray": tuple(json.loads(row["tray"])) if row.get("tray") else (),
    }


def _changed_share(row: dict[str, Any]) -> float | None:
    """Of a picture twice as wide and high as its principal point; None of rows without a camera matrix."""
    if not row["label"] or not row.get("K"):
        return None
    return float(row["changed_px"] / (4 * row["K"][2] * row["K"][5]))


def _from_names(files: DatasetReader, split: str) -> list[Sample]:
    shapes = set(read_table(files, "split.json").get(split, []))
    samples = []
    for path in files.list("images"):
        name = parse_query(path)
        if name.azimuth_deg is None:
            raise BrokenFile(f"{files.root}/{path}: {name.problem}")
        if name.shape not in shapes:
            continue
        label = name.label
        note = read_table(files, name.annotation) if label else {}
        samples.append(
            Sample(
                query_path=path,
                shape=name.shape,
                split=split,
                label=label,
                box=box_from_xywh(note.get("2d_bbox", []), path) if label else (0.0, 0.0, 0.0, 0.0),
                kind=_kind(note) if label else "normal",
                part_class=str((note.get("config") or {}).get("part_class", "")),
                azimuth_deg=name.azimuth_deg,
                masks=tuple(filter(files.has, (name.twin(key, ".png") for key in MASKS))) if label else (),
            )
        )
    return samples


def _kind(note: dict) -> str:
    word = str((note.get("config") or {}).get("type", "unknown"))
    return KIND_OF_TYPE.get(word, word)


def read_table(files: DatasetReader, path: str) -> dict[str, Any]:
    """A JSON object of a dataset. Raises BrokenFile."""
    try:
        value = json.load(io.BytesIO(files.read(path)))
    except ValueError as error:
        raise BrokenFile(f"{files.root}/{path}: {error}") from error
    if not isinstance(value, dict):
        raise BrokenFile(f"{files.root}/{path}: holds no JSON object")
    return value
