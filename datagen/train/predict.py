"""What a trained network says of photos: the task of its recipe decides how."""

from collections.abc import Callable
from pathlib import Path

from datagen.core.clutter import tidy
from datagen.core.errors import UsageError
from datagen.train.load import load_network
from datagen.train.runtime import choose_device
from datagen.train.task import Answer

PHOTOS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
"""How the names of photos in a folder end."""


def open_judge(checkpoint: str | Path, reference: str | Path, device: str | None = None) -> Callable[..., Answer]:
    """A function of a photo's file, and `background` and `shadow`, that judges it against a reference.

    Raises BadCheckpoint, UsageError (task, reference or device that cannot be used), MissingDependency (device
    that is not here), MeshLoadError, OutOfMemory.
    """
    loaded = load_network(Path(checkpoint), choose_device(device))
    if loaded.task.judge is None:
        raise UsageError(f"{checkpoint} is of task {loaded.task.name}, which judges no single photo; give --scene")
    return loaded.task.judge(loaded, Path(reference))


def predict(
    checkpoint: str | Path,
    query: str | Path,
    reference: str | Path,
    *,
    background: str = "auto",
    shadow: bool = False,
    device: str | None = None,
) -> Answer:
    """Judge the object in a photo against its reference; returns the task's `Answer`.

    Raises as `open_judge`, and UsageError for a photo that cannot be used.
    """
    return open_judge(checkpoint, reference, device)(Path(query), background=background, shadow=shadow)


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
    """The photos of a folder by name; folders below are not read. Raises UsageError where there is none."""
    found = [path for path in tidy(folder.iterdir()) if path.suffix.lower() in PHOTOS and path.is_file()]
    if not found:
        raise UsageError(f"{folder} holds no photo ({', '.join(PHOTOS)}); check --query")
    return sorted(found)
