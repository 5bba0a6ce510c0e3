"""What a trained network says of photos: the task of its recipe decides how."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from datagen.core.clutter import tidy
from datagen.core.errors import UsageError
from datagen.train.calibration import read_calibration
from datagen.train.load import load_network
from datagen.train.runtime import choose_device
from datagen.train.task import Answer, ScoredAnswer

PHOTOS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
"""How the names of photos in a folder end."""
OTHERS = (".heic", ".heif", ".gif", "")
"""How those end that may be photos too."""
BESIDE = (".json", ".csv", ".txt", ".md", ".xml", ".xmp", ".aae", ".yaml", ".yml", ".ini", ".log", ".html")
"""How the names of files end that lie beside photos and are none."""


def open_judge(
    checkpoint: str | Path,
    reference: str | Path,
    device: str | None = None,
    calibration: str | Path | None = None,
) -> Callable[..., ScoredAnswer]:
    """A function of a photo's file, and `background` and `shadow`, that judges it against a reference.

    `calibration` is a file of `datagen calibrate`: scores and threshold are then as photographs have them. Raises
    BadCheckpoint, UsageError (task, reference, device or calibration that cannot be used), MissingDependency (device
    that is not here), MeshLoadError, OutOfMemory.
    """
    loaded = load_network(Path(checkpoint), choose_device(device))
    judge = loaded.task.judge
    if judge is None:
        raise UsageError(f"{checkpoint} is of task {loaded.task.name}, which judges no single photo; give --scene")
    if calibration is not None:
        found = read_calibration(Path(calibration), Path(loaded.origin))
        loaded = replace(loaded, calibration=found, threshold=found.threshold)
    return judge(loaded, Path(reference))


def predict(
    checkpoint: str | Path,
    query: str | Path,
    reference: str | Path,
    *,
    background: str = "auto",
    shadow: bool = False,
    device: str | None = None,
    calibration: str | Path | None = None,
) -> ScoredAnswer:
    """Judge the object in a photo against its reference; returns the task's answer.

    Raises as `open_judge`, and UsageError for a photo that cannot be used.
    """
    return open_judge(checkpoint, reference, device, calibration)(Path(query), background=background, shadow=shadow)


def predict_scene(checkpoint: str | Path, folder: str | Path, *, views: int = 20, device: str | None = None) -> Answer:
    """Judge the objects that photographs with poses show; returns the task's `Answer`.

    `folder` holds transforms.json, COLMAP's text model, or a scene as built here; `views` are the most that are used,
    evenly spread. Raises as `open_judge`, and UsageError for a folder that cannot be used.
    """
    loaded = load_network(Path(checkpoint), choose_device(device))
    if loaded.task.judge_scene is None:
        raise UsageError(
            f"{checkpoint} is of task {loaded.task.name}, which judges no scene; give --query and --reference"
        )
    return loaded.task.judge_scene(loaded, Path(folder), views)


def photos_of(folder: Path) -> list[Path]:
    """The files of a folder by name, but for what lies beside photos; folders below are not read.

    What is no photo is told when it is read. Raises UsageError where nothing can be one.
    """
    found = [path for path in tidy(folder.iterdir()) if path.is_file() and path.suffix.lower() not in BESIDE]
    if not any(path.suffix.lower() in (*PHOTOS, *OTHERS) for path in found):
        raise UsageError(f"{folder} holds no photo ({', '.join(PHOTOS)}); give another folder")
    return sorted(found)
