"""The detector task, as the training loop and the commands are given it."""

from collections.abc import Sequence
from pathlib import Path

from datagen.core.errors import UsageError
from datagen.datasets.object_views import SceneForm, open_packed_scenes
from datagen.datasets.objects import ObjectScenes
from datagen.datasets.scenes import SceneSample, list_scenes, named_split, split_names
from datagen.formats.oddoneout import FOLDER, FOLDERS
from datagen.models.detector.config import DetectorConfig
from datagen.store.reader import DatasetReader
from datagen.train.task import Task
from datagen.train.tasks.detector.networks import make_objective
from datagen.train.tasks.detector.page import blocks
from datagen.train.tasks.detector.predict import judge_scene
from datagen.train.tasks.detector.predictions import collect, score_rows
from datagen.train.tasks.detector.recipe import DetectorRecipe
from datagen.train.tasks.detector.report import found_report, object_report, sweep_views
from datagen.train.tasks.detector.scenes import SceneObjective
from datagen.train.tasks.detector.teachers import held_features, taught_features


def open_folder(root: Path) -> DatasetReader:
    """A dataset of scenes, loose or in tar shards. Raises UsageError where there is none."""
    if not root.is_dir():
        raise UsageError(f"{root} is no folder; give a dataset's folder to --data")
    files = DatasetReader(root, FOLDERS)
    if not files.has("split.json"):
        raise UsageError(f"{root} has no split.json; is it a dataset of scenes?")
    return files


def open_split(
    folder: Path, split: str, recipe: DetectorRecipe, objective: SceneObjective | None = None
) -> ObjectScenes:
    """The scenes of a split; `train` and `val` are those in `data.within`, `train` is cut to `data.shapes` and moved
    about for an objective.

    Raises UsageError, BrokenFile.
    """
    files = open_folder(folder)
    within = recipe.data.within if split in ("train", "val") else ""
    samples = list_scenes(files, split, recipe.data.boxes, within)
    if split == "train" and recipe.data.shapes:
        first = sorted({sample.shape for sample in samples})[: recipe.data.shapes]
        samples = [sample for sample in samples if sample.shape in first]
    _require_inside(folder, samples, recipe.model)
    train = split == "train" and objective is not None
    source = None
    if recipe.data.pack:
        data = recipe.data
        features = held_features(recipe) + (taught_features(recipe, files, samples) if train else [])
        form = SceneForm(data.image_px, data.points, data.depth_noise_m, train and data.changed)
        source = open_packed_scenes(files, samples, form, features)
    return ObjectScenes(files, samples, recipe.data, train=train, seed=recipe.seed, source=source)


def _require_inside(folder: Path, samples: Sequence[SceneSample], model: DetectorConfig) -> None:
    """Raises UsageError for an object whose middle is outside of the volume over the floor: nothing is lifted there."""
    volume = model.volume
    if model.variant in ("points", "residual") or (volume.around == "objects" and model.variant != "detr3d"):
        return
    for sample in samples:
        for n, thing in enumerate(sample.things):
            spans = zip(volume.low_m, thing.box[0], volume.high_m, strict=True)
            if not all(low <= middle <= high for low, middle, high in spans):
                x, y, z = thing.box[0]
                raise UsageError(
                    f"{folder}/{FOLDER}/{sample.name}: object {n} is at {x:.2f} {y:.2f} {z:.2f} m, outside of the "
                    f"network's volume ({volume.bounds}); change low_m, size or voxel_m of model.volume"
                )


def require_scenes(folder: Path, splits: Sequence[str]) -> None:
    """Raises BrokenFile for a split without scenes, UsageError where there is no dataset."""
    files = open_folder(folder)
    for split in splits:
        split_names(files, split)


DETECTOR = Task(
    name="detector",
    recipe=DetectorRecipe,
    open_data=open_split,
    make_objective=make_objective,
    guide="docs/detector.md",
    named_split=lambda folder, split: named_split(open_folder(folder), split),
    require_data=require_scenes,
    collect=collect,
    report=object_report,
    rows=score_rows,
    more=found_report,
    blocks=blocks,
    sweep=sweep_views,
    judge_scene=judge_scene,
    recipes={"": "oddoneout"},
    folders=FOLDERS,
)
