"""Published odd-one-out scenes as jobs of ours: the same files, and what the published layout leaves to be derived."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datagen.core.errors import BrokenFile, UsageError
from datagen.core.ids import content_hash
from datagen.core.row import Row
from datagen.formats.encode import json_bytes
from datagen.formats.oddoneout import FOLDER, MODE_OF_KIND, is_anomalous, mask_bytes
from datagen.formats.pictures import decoded
from datagen.formats.published import SOURCE, ImportedJob, Published

KIND_OF_MODE = {mode: kind for kind, mode in MODE_OF_KIND.items()} | {"disc": "material", "scal": "deformation"}
"""The word in an asset's name -> kind. `disc` (a recoloured piece) and `scal` (a scaled part) go to the nearest."""
TABLE = "scene3d.metadata.json"
CARD = """# {name}

Published scenes in the layout of ToysAD-8K and PartsAD-15K (Odd-One-Out, Bhunia et al.), imported by datagen.

Pictures, masks and depth are as published. `scene3d.metadata.json` has keys of datagen added; `masks/` and
`binary_labels/` are derived from `segmentations/` where they were not there. Which pixels of an odd object changed was
not published: `changed_px` counts all that a view shows of it.

## Shapes

Source: {name}. Licence: unknown; see who published the data
"""


def published_scenes(root: Path, split_file: Path | None) -> Published | None:
    """A scene's folder, or a folder of such. Without a split file all are of `train`. None for another form."""
    single = (root / TABLE).is_file()
    folders = [root] if single else sorted(path.parent for path in root.glob(f"*/{TABLE}"))
    if not folders:
        return None
    splits = {folder.name: "train" for folder in folders}
    notes: list[str] = []
    if split_file is not None:
        told = _json(split_file)
        splits = {str(name): split for split, names in told.items() for name in names}
        lost = sorted(folder.name for folder in folders if folder.name not in splits)
        if lost:
            notes.append(f"{len(lost)} scenes left out: they are in no split ({lost[0]} is one)")
        folders = [folder for folder in folders if folder.name in splits]
    shapes: dict[str, dict[str, Any]] = {}
    jobs = (_job(folder, splits[folder.name], shapes) for folder in folders)

    def root_files() -> Mapping[str, bytes]:
        listed: dict[str, list[str]] = {}
        for folder in folders:
            listed.setdefault(splits[folder.name], []).append(folder.name)
        return {
            "split.json": json_bytes(listed, indent=1),
            "shapes.json": json_bytes({"source": SOURCE, "shapes": dict(sorted(shapes.items()))}, indent=1),
            "README.md": CARD.format(name=root.name).encode(),
        }

    return Published("oddoneout", jobs, root_files, notes)


def _job(folder: Path, split: str, shapes: dict[str, dict[str, Any]]) -> ImportedJob:
    table = _json(folder / TABLE)
    try:
        records = [dict(record) for record in table["objects"]]
        K = np.array(table["camera"]["K"], dtype=np.float64).reshape(3, 3)
        poses = np.array([pose["rotation"] for pose in table["camera"]["poses"]], dtype=np.float64).reshape(-1, 4, 4)
        names = [str(record["name"]) for record in records]
        assets = [str(record["path"]) for record in records]
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenFile(f"{folder / TABLE}: lacks objects or cameras ({error}); fetch the scene again") from error
    views = sorted(path.name for path in (folder / "RGB").glob("*.png"))
    if len(views) != len(poses):
        raise BrokenFile(f"{folder} has {len(views)} pictures and {len(poses)} cameras; fetch the scene again")
    scene = _Scene(folder, names, [is_anomalous(asset) for asset in assets], views)
    shape_id = Path(assets[0]).stem.split("-")[0] if assets else folder.name.split("-")[0]
    category = shape_id.rsplit("_", 1)[0]
    entry = shapes.setdefault(shape_id, {"id": len(shapes) + 1, "category": category, "split": split})
    job_id = content_hash([SOURCE, "scene", folder.name])
    shared = {
        "job_id": job_id,
        "status": "ok",
        "shape_id": shape_id,
        "public_id": entry["id"],
        "split": split,
        "source": SOURCE,
        "seed": 0,
        "versions": "{}",
    }
    odd = [_kind(asset) if is_anomalous(asset) else "" for asset in assets]
    for k, record in enumerate(records):
        record |= _added(record, shape_id, odd[k], scene.seen[k])
    extra = {"scene": folder.name, "split": split, "category": category, "source": SOURCE, "job_id": job_id}
    derived = scene.derived()
    derived[f"{FOLDER}/{folder.name}/{TABLE}"] = json_bytes({**table, "objects": records, "datagen": extra}, indent=1)
    files = {**scene.files(), **derived}
    return ImportedJob(job_id, tuple(_rows(scene, shared, odd, K, poses, files)), files)


class _Scene:
    """The pictures of one folder, and what each view shows of each object."""

    def __init__(self, folder: Path, names: Sequence[str], odd: Sequence[bool], views: Sequence[str]) -> None:
        self.folder, self.names, self.odd, self.views = folder, names, odd, views
        self.place = f"{FOLDER}/{folder.name}"
        self._masks = [[self._mask(name, view) for view in views] for name in names]
        self.seen = [[int(mask.sum()) for mask in masks] for masks in self._masks]

    def _mask(self, name: str, view: str) -> np.ndarray:
        path = self.folder / "segmentations" / name / f"{name}_{view}"
        try:
            return decoded(path.read_bytes(), "L") > 127
        except (OSError, ValueError, SyntaxError) as error:
            raise BrokenFile(f"{path} is no mask that can be read; fetch the scene again") from error

    def files(self) -> dict[str, Path | bytes]:
        """Every file that is there, by its path in the dataset."""
        found = sorted(path for path in self.folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        return {f"{self.place}/{path.relative_to(self.folder).as_posix()}": path for path in found}

    def derived(self) -> dict[str, Path | bytes]:
        """Masks of all objects and of the odd ones, where the folder has none."""
        made: dict[str, Path | bytes] = {}
        for v, view in enumerate(self.views):
            for folder, which in (("masks", [True] * len(self.names)), ("binary_labels", self.odd)):
                if not (self.folder / folder / view).is_file():
                    chosen = [masks[v] for masks, wanted in zip(self._masks, which, strict=True) if wanted]
                    whole = np.any(chosen, axis=0) if chosen else np.zeros_like(self._masks[0][v])
                    made[f"{self.place}/{folder}/{view}"] = mask_bytes(whole)
        return made


def _added(record: Mapping[str, Any], shape_id: str, kind: str, seen: Sequence[int]) -> dict[str, Any]:
    """Keys of ours in an object's entry. What was not published is empty or 0."""
    added: dict[str, Any] = {
        "shape_id": shape_id,
        "label": int(bool(kind)),
        "kind": kind or "normal",
        "severity": 0.0,
        "bbox_published": record.get("bbox"),
        "anomaly": None,
    }
    if kind:
        told = {"kind": kind, "severity": 0.0, "method": "", "part_ids": [], "gone_part_ids": [], "spec": None}
        added["anomaly"] = {**told, "measures": {}, "changed_px": list(seen)}
    return added


def _rows(
    scene: _Scene,
    shared: Mapping[str, Any],
    odd: Sequence[str],
    K: np.ndarray,
    poses: np.ndarray,
    files: Mapping[str, Path | bytes],
) -> Iterator[Row]:
    of_view: dict[str, list[str]] = {view: [] for view in scene.views}
    whole: list[str] = []
    for path in files:
        stem = path.rsplit("/", 1)[1].rsplit(".", 1)[0].rsplit("_", 1)[-1]
        of_view.get(f"{stem}.png", whole).append(path)
    index = Counter[str]()

    def row(**columns: Any) -> Row:
        index["rows"] += 1
        return Row(**shared, index=index["rows"] - 1, **columns)

    yield row(
        row_type="scene",
        kind="scene",
        label=int(any(odd)),
        query_path=scene.place,
        sha256=dict.fromkeys(whole, ""),
    )
    for name, kind, seen in zip(scene.names, odd, scene.seen, strict=True):
        yield row(
            row_type="object",
            kind=kind or "normal",
            label=int(bool(kind)),
            query_path=f"{scene.place}#{name}",
            visible_px=max(seen, default=0),
            changed_px=max(seen, default=0) if kind else 0,
        )
    for v, view in enumerate(scene.views):
        shows = sum(seen[v] for seen, kind in zip(scene.seen, odd, strict=True) if kind)
        yield row(
            row_type="sample",
            kind="scene",
            label=int(shows > 0),
            query_path=f"{scene.place}/RGB/{view}",
            sample_id=content_hash([shared["job_id"], v]),
            K=tuple(K.ravel().tolist()),
            T_world_camera=tuple(np.linalg.inv(poses[v]).ravel().tolist()),
            visible_px=sum(seen[v] for seen in scene.seen),
            changed_px=shows,
            sha256=dict.fromkeys(of_view[view], ""),
        )


def _kind(asset: str) -> str:
    mode = Path(asset).stem.split("-")[1] if is_anomalous(asset) else ""
    return KIND_OF_MODE.get(mode, mode)


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(f"{path} is not there; check --split") from error
    except (OSError, ValueError) as error:
        raise BrokenFile(f"{path}: {error}; fetch it again") from error
    if not isinstance(value, dict):
        raise BrokenFile(f"{path} holds no JSON object; fetch it again")
    return value
