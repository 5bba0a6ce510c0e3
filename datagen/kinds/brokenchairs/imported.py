"""The published download of BrokenChairs-180K as jobs of ours: what names, annotations and folders tell."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from datagen.core.camera import Camera
from datagen.core.errors import BrokenFile, UsageError
from datagen.core.ids import canonical_json, content_hash
from datagen.core.row import Row
from datagen.formats.brokenchairs import KIND_OF_TYPE, QueryName, parse_query, reference_name
from datagen.formats.cameras import published_pose, read_camera
from datagen.formats.encode import json_bytes
from datagen.formats.published import SOURCE, ImportedJob, Published
from datagen.kinds.brokenchairs.verify.replay import QUERY_SCALE

UNKNOWN = "unknown"
"""Kind of an anomaly whose annotation does not say it."""
BOX_GRID = 512
CARD = """# {name}

Published data in the layout of BrokenChairs-180K (Bhunia et al., CVPR 2024), imported by datagen.

Nothing was rendered or changed: `manifest.parquet` holds what file names and annotations tell. Severity, the shapes'
parts and materials are not among it.

## Shapes

Source: {name}. Licence: unknown; see who published the data
"""


def published_queries(root: Path, split_file: Path | None) -> Published | None:
    """The download: split.json, images/, annotations/, shapes/. None for a folder of another form."""
    if not (root / "images").is_dir() or not (root / "shapes").is_dir():
        return None
    path = split_file or root / "split.json"
    split_of = {shape: name for name, shapes in _json(path, "split").items() for shape in shapes}
    notes: list[str] = []
    names = _queries(root, split_of, notes)
    return Published("brokenchairs", _jobs(root, names, split_of), lambda: _root_files(root, path, split_of), notes)


def _queries(root: Path, split_of: Mapping[str, str], notes: list[str]) -> dict[str, list[QueryName]]:
    """Folder below images/ -> its queries; what the published loader would not see, or no split has, is noted."""
    found: dict[str, list[QueryName]] = defaultdict(list)
    left: dict[str, int] = defaultdict(int)
    for path in sorted((root / "images").glob("*/*")):
        if path.name.startswith("."):
            continue
        query = parse_query(path.relative_to(root).as_posix())
        if query.problem:
            left[f"a name that {query.problem}"] += 1
        elif query.shape not in split_of:
            left["a shape that is in no split"] += 1
        else:
            found[query.folder].append(query)
    notes += [f"{count} pictures left out: {why}" for why, count in sorted(left.items())]
    return found


def _jobs(root: Path, names: Mapping[str, list[QueryName]], split_of: Mapping[str, str]) -> Iterator[ImportedJob]:
    for folder, queries in sorted(names.items()):
        yield _query_job(root, folder, queries, split_of)
    for shape in sorted({query.shape for queries in names.values() for query in queries}, key=int):
        yield _reference_job(root, shape, split_of[shape])


def _query_job(root: Path, folder: str, queries: list[QueryName], split_of: Mapping[str, str]) -> ImportedJob:
    job_id = content_hash([SOURCE, "queries", folder])
    rows: list[Row] = []
    files: dict[str, Path | bytes] = {}
    for index, query in enumerate(queries):
        own = {query.path: root / query.path}
        note: Mapping[str, Any] = {}
        masks = {key: "" for key in ("mask_new", "mask_old")}
        if query.label:
            note = _json(root / query.annotation, "annotation")
            own[query.annotation] = root / query.annotation
            for key in masks:
                path = query.twin(key, ".png")
                if (root / path).is_file():
                    masks[key], own[path] = path, root / path
        rows.append(_sample(root, job_id, index, query, split_of[query.shape], note, masks, own))
        files |= own
    return ImportedJob(job_id, tuple(rows), files)


def _sample(
    root: Path,
    job_id: str,
    index: int,
    query: QueryName,
    split: str,
    note: Mapping[str, Any],
    masks: Mapping[str, str],
    own: Mapping[str, Path],
) -> Row:
    told = note.get("config")
    config: Mapping[str, Any] = told if isinstance(told, dict) else {}
    word = str(config.get("type", UNKNOWN))
    kind = KIND_OF_TYPE.get(word, word) if query.label else "normal"
    K, T = _camera(root, query, note)
    return Row(
        **_shared(query.shape, split),
        job_id=job_id,
        index=index,
        row_type="sample",
        sample_id=content_hash([SOURCE, query.path]),
        label=query.label,
        kind=kind,
        part=str(config.get("part", "")),
        part_class=str(config.get("part_class", "")),
        part_id=int(config.get("part_id") or 0),
        severity=float(config.get("severity") or 0.0),
        spec=canonical_json(config["spec"]) if isinstance(config.get("spec"), dict) else "",
        query_path=query.path,
        annotation_path=query.annotation if query.label else "",
        mask_new_path=masks["mask_new"],
        mask_old_path=masks["mask_old"],
        bbox_xywh_512=_box(root, query, note) if query.label else (),
        iou=float(note.get("IoU") or 0.0),
        azimuth_deg=query.azimuth_deg or 0.0,
        elevation_deg=query.elevation_deg or 0.0,
        radius=query.radius or 0.0,
        K=tuple(K.ravel().tolist()),
        T_world_camera=tuple(T.ravel().tolist()),
        query_scale=QUERY_SCALE,
        light_id=_whole(query.light),
        texture_id=_whole(query.texture),
        changed_px=sum(_pixels(root / path) for path in masks.values() if path),
        sha256=dict.fromkeys(own, ""),
    )


def _camera(root: Path, query: QueryName, note: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """K (3, 3) and camera-to-world (4, 4) in the published frame: as annotated, else by the picture's name."""
    told = read_camera(note.get("camera_parameters"))
    if told is not None:
        return told.K, told.RT_
    try:
        with Image.open(root / query.path) as image:
            width = image.size[0]
    except (OSError, ValueError, SyntaxError) as error:
        raise BrokenFile(f"{root / query.path} is no picture that can be read; fetch it again") from error
    assert query.azimuth_deg is not None and query.elevation_deg is not None and query.radius is not None
    camera = Camera(query.azimuth_deg, query.elevation_deg, query.radius, width)
    return camera.K, published_pose(camera)


def _reference_job(root: Path, shape: str, split: str) -> ImportedJob:
    job_id = content_hash([SOURCE, "references", shape])
    folder = root / "shapes" / f"shape_{shape}"
    files = {
        path.relative_to(root).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    views = [path for path in files if "/mv_images/" in path and path.endswith(".png")]
    if len(views) < 2:
        raise BrokenFile(f"{folder}/mv_images holds {len(views)} reference views; fetch the shape again")
    radius, _, elevation = reference_name(views[0].removesuffix(".png"))
    row = Row(
        **_shared(shape, split),
        job_id=job_id,
        index=0,
        row_type="reference",
        kind="reference",
        radius=radius or 0.0,
        elevation_deg=elevation or 0.0,
        sha256=dict.fromkeys(files, ""),
    )
    return ImportedJob(job_id, (row,), files)


def _shared(shape: str, split: str) -> dict[str, Any]:
    told = {"status": "ok", "shape_id": shape, "public_id": int(shape), "split": split, "source": SOURCE}
    return {**told, "seed": 0, "versions": "{}"}


def _root_files(root: Path, split_file: Path, split_of: Mapping[str, str]) -> dict[str, bytes]:
    models = {shape: root / "shapes" / f"shape_{shape}" / "model_id.txt" for shape in split_of}
    shapes = {
        shape: {"shape_id": shape, "model_id": _model(models[shape]), "split": split}
        for shape, split in sorted(split_of.items(), key=lambda item: int(item[0]))
    }
    return {
        "split.json": split_file.read_bytes(),
        "shapes.json": json_bytes({"source": SOURCE, "shapes": shapes}, indent=1),
        "README.md": CARD.format(name=root.name).encode(),
    }


def _model(path: Path) -> str:
    return path.read_text(encoding="utf-8").splitlines()[0].strip() if path.is_file() else ""


def _box(root: Path, query: QueryName, note: Mapping[str, Any]) -> tuple[float, ...]:
    box = note.get("2d_bbox")
    if not (isinstance(box, list) and len(box) == 4 and all(isinstance(value, int | float) for value in box)):
        raise BrokenFile(f"{root / query.annotation} has no 2d_bbox of four numbers; fetch it again")
    return tuple(float(value) for value in box)


def _pixels(path: Path) -> int:
    try:
        with Image.open(path) as image:
            return int((np.asarray(image.convert("L")) > 127).sum())
    except (OSError, ValueError, SyntaxError) as error:
        raise BrokenFile(f"{path} is no mask that can be read; fetch it again") from error


def _whole(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else -1


def _json(path: Path, what: str) -> dict[str, Any]:
    """An object of JSON. Raises UsageError for a split file that is not there, BrokenFile."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        if what == "split":
            raise UsageError(f"{path} is not there; say where the split file is: --split FILE") from error
        raise BrokenFile(f"{path} is not there; fetch it again") from error
    except (OSError, ValueError) as error:
        raise BrokenFile(f"{path}: {error}; fetch it again") from error
    if not isinstance(value, dict):
        raise BrokenFile(f"{path} holds no JSON object; fetch it again")
    return value
