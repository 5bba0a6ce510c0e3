"""What a trained network says of one photo: the task of its recipe decides how."""

from pathlib import Path

from datagen.core.errors import UsageError
from datagen.train.load import load_network
from datagen.train.runtime import choose_device
from datagen.train.task import Answer


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

    Raises BadCheckpoint, UsageError (task, photo, reference or device that cannot be used), MissingDependency (device
    that is not here), MeshLoadError, OutOfMemory.
    """
    loaded = load_network(Path(checkpoint), choose_device(device))
    if loaded.task.predict is None:
        raise UsageError(f"{checkpoint} is of task {loaded.task.name}, which judges no single photo")
    return loaded.task.predict(loaded, Path(query), Path(reference), background=background, shadow=shadow)
