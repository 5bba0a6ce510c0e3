"""The BOP challenge's scenewise folders: models, pictures, depth, masks and poses of every object, in millimetres."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from datagen.core.camera import rigid_inverse
from datagen.core.errors import BrokenFile
from datagen.export.bop_models import Model, Silhouettes, box_of, model_of, pose_of
from datagen.export.counts import Counts, Exported
from datagen.export.files import place, put, write_card
from datagen.export.journal import Journal, Note
from datagen.export.mvtec3d import SHAPES
from datagen.export.protocol import Options
from datagen.formats.bop import CAMERA, CAMERAS, MODELS_INFO, TARGETS_19, TARGETS_24, TRUTH, TRUTH_INFO, target
from datagen.formats.encode import grey16_bytes, json_bytes, png_bytes
from datagen.formats.instances import Record, read_mask
from datagen.formats.pictures import decoded
from datagen.formats.posed import PosedView
from datagen.formats.stages import Stage
from datagen.store.reader import DatasetReader

DEPTH_SCALE = 0.2
"""Millimetres of one step of the depth pictures: 16 bits reach 13 m."""
SPLITS = {"train": "train_pbr"}
NORMAL = "normal"


class Bop:
    """The exporter. A scene is numbered through all splits, an object of every anomaly is a model of its own."""

    name = "bop"
    about = "BOP's scenewise folders: models, depth, masks and poses of every object of a scene, in millimetres."
    needs = frozenset({"masks", "depth", "pose"})
    settings: ClassVar = {"shapes": SHAPES}

    def write(self, reader: DatasetReader, rows: Sequence[Record], out: Path, options: Options) -> Exported:
        """Scene by scene, then tables. Raises UsageError for a kind without scenes or shapes, BrokenFile, OSError."""
        journal = options.journal
        ids: dict[str, int] = {}
        scenes = 0
        for told in journal.told():
            ids |= {model: entry["id"] for model, entry in told["models"].items()}
            scenes += 1
        for stage in options.stages(reader, rows):
            new: dict[str, dict[str, Any]] = {}
            models = [model_of(thing) for thing in stage.things]
            for model in models:
                if model.name not in ids:
                    ids[model.name] = len(ids) + 1
                    put(model.ply, out / "models" / f"obj_{ids[model.name]:06d}.ply")
                    new[model.name] = {"id": ids[model.name], "info": dict(model.info)}
            split = SPLITS.get(stage.split, stage.split)
            split = "_".join(reversed(split.split("-"))) if split.endswith("-test") else split
            written = _Scene(reader, out / split / f"{scenes:06d}", stage, models, ids)
            marks, odd_views = written.write()
            told = {
                "models": new,
                "scene": scenes,
                "split": split,
                "targets": written.targets,
                "camera": written.camera,
            }
            journal.note(Note(stage.name, split, odd_views, tuple(marks), len(stage.views), told=told))
            scenes += 1
        _tables(out, journal)
        write_card(reader, out)
        return journal.counts.exported()

    def read_back(self, out: Path) -> Exported:
        """Counts of an export as its files state them; every visible mask is decoded. Raises BrokenFile."""
        counts = Counts()
        for path in sorted(out.glob(f"*/*/{TRUTH}")):
            try:
                for image, entries in json.loads(path.read_bytes()).items():
                    if not (path.parent / "rgb" / f"{int(image):06d}.png").is_file():
                        raise ValueError(f"picture {image} is not there")
                    marks = []
                    for k, entry in enumerate(entries):
                        mask = decoded((path.parent / f"mask_visib/{int(image):06d}_{k:06d}.png").read_bytes(), "L")
                        if entry["anomaly"] != NORMAL and (mask > 127).any():
                            marks.append((entry["anomaly"], int((mask > 127).sum())))
                    counts.add(path.parts[-3], int(bool(marks)), marks)
            except (OSError, ValueError, LookupError, TypeError, SyntaxError) as error:
                raise BrokenFile(f"{path}: {error}; export the dataset again") from error
        return counts.exported()


class _Scene:
    """One scene's folder."""

    def __init__(
        self, reader: DatasetReader, folder: Path, stage: Stage, models: Sequence[Model], ids: Mapping[str, int]
    ) -> None:
        self._reader, self._folder, self._stage, self._ids, self._models = reader, folder, stage, ids, models
        self.targets: list[list[int]] = []
        self.camera: dict[str, Any] = {}
        self._tables: dict[str, dict[str, Any]] = {CAMERAS: {}, TRUTH: {}, TRUTH_INFO: {}}

    def write(self) -> tuple[list[tuple[str, int]], int]:
        """(kind, pixels) of each odd object in each view that shows it, and the number of such views."""
        silhouettes = [Silhouettes(thing) for thing in self._stage.things]
        marks, odd_views = [], 0
        for k, view in enumerate(self._stage.views):
            found = self._view(k, view, silhouettes)
            marks += found
            odd_views += bool(found)
        for name, table in self._tables.items():
            put(json_bytes(table, indent=1), self._folder / name)
        return marks, odd_views

    def _view(self, k: int, view: PosedView, silhouettes: Sequence[Silhouettes]) -> list[tuple[str, int]]:
        place(self._reader, view.path, self._folder / "rgb" / f"{k:06d}.png")
        depth = self._stage.depth(k)
        steps = np.round(1000 * depth / DEPTH_SCALE)
        steps[steps > np.iinfo(np.uint16).max] = 0
        put(grey16_bytes(steps.astype(np.uint16)), self._folder / "depth" / f"{k:06d}.png")
        T = rigid_inverse(view.T_world_camera)
        self._tables[CAMERAS][str(k)] = {
            "cam_K": view.K.ravel().tolist(),
            "cam_R_w2c": T[:3, :3].ravel().tolist(),
            "cam_t_w2c": (1000 * T[:3, 3]).tolist(),
            "depth_scale": DEPTH_SCALE,
        }
        self.camera = {"width": view.width, "height": view.height, "depth_scale": DEPTH_SCALE}
        self.camera |= {"fx": view.K[0, 0], "fy": view.K[1, 1], "cx": view.K[0, 2], "cy": view.K[1, 2]}
        poses, infos, marks = [], [], []
        for number, (thing, model) in enumerate(zip(self._stage.things, self._models, strict=True)):
            visible = read_mask(self._reader, thing.masks[k], (view.width, view.height))
            left, top, whole = silhouettes[number].seen(view)
            inside = np.zeros_like(visible)
            rows, columns = np.nonzero(whole)
            rows, columns = rows + top, columns + left
            shown = (rows >= 0) & (rows < view.height) & (columns >= 0) & (columns < view.width)
            inside[rows[shown], columns[shown]] = True
            inside |= visible
            stem = f"{k:06d}_{number:06d}.png"
            put(png_bytes(inside), self._folder / "mask" / stem)
            put(png_bytes(visible), self._folder / "mask_visib" / stem)
            kind = thing.kind if thing.label else NORMAL
            R, t = pose_of(thing, model, T)
            poses.append({"cam_R_m2c": R, "cam_t_m2c": t, "obj_id": self._ids[model.name], "anomaly": kind})
            all_px = max(int(whole.sum()), int(visible.sum()))
            infos.append(
                {
                    "bbox_obj": box_of(rows, columns),
                    "bbox_visib": box_of(*np.nonzero(visible)),
                    "px_count_all": all_px,
                    "px_count_valid": int((inside & (depth > 0)).sum()),
                    "px_count_visib": int(visible.sum()),
                    "visib_fract": float(visible.sum() / max(all_px, 1)),
                }
            )
            self.targets.append([k, self._ids[model.name]])
            if thing.label and visible.any():
                marks.append((kind, int(visible.sum())))
        self._tables[TRUTH][str(k)], self._tables[TRUTH_INFO][str(k)] = poses, infos
        return marks


def _tables(out: Path, journal: Journal) -> None:
    """models_info.json, camera.json and the lists of targets, of all scenes; one scene at a time."""
    for told in journal.told():
        put(json_bytes(told["camera"], indent=1), out / CAMERA)
    _write(out / "models" / MODELS_INFO, (member for told in journal.told() for member in _infos(told)), "{}")
    _write(out / TARGETS_19, map(_text, _targets(journal, of_models=True)), "[]")
    _write(out / TARGETS_24, map(_text, _targets(journal, of_models=False)), "[]")


def _infos(told: Mapping[str, Any]) -> Iterator[str]:
    for entry in told["models"].values():
        yield f'"{entry["id"]}": {_text(entry["info"])}'


def _targets(journal: Journal, of_models: bool) -> Iterator[dict[str, int]]:
    """What to look for in the scenes that test: the models of each picture with their number, or pictures alone."""
    for told in journal.told():
        if not told["split"].startswith("test"):
            continue
        counted = Counter((image, model) for image, model in told["targets"])
        if of_models:
            for (image, model), count in sorted(counted.items()):
                yield target(told["scene"], image, inst_count=count, obj_id=model)
        else:
            yield from (target(told["scene"], k) for k in sorted({image for image, _ in counted}))


def _text(value: Any) -> str:
    return json_bytes(value, indent=1).decode().rstrip().replace("\n", "\n ")


def _write(path: Path, members: Iterable[str], ends: str) -> None:
    """A list or a table as JSON whose members are written as they come."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        stream.write(ends[0])
        empty = True
        for member in members:
            stream.write(("\n " if empty else ",\n ") + member)
            empty = False
        stream.write(("" if empty else "\n") + ends[1] + "\n")
