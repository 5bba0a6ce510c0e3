"""Which training tasks there are: the built-in ones, and those of installed packages under `datagen.tasks`."""

from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from datagen.core.errors import UsageError
from datagen.train.task import Task

GROUP = "datagen.tasks"
BUILT_IN = (
    EntryPoint("matching", "datagen.train.tasks.matching.task:MATCHING", GROUP),
    EntryPoint("detector", "datagen.train.tasks.detector.task:DETECTOR", GROUP),
)
"""As entry points, since a task is loaded when it is asked for and no sooner."""


def _points() -> list[EntryPoint]:
    return [*BUILT_IN, *entry_points(group=GROUP)]


def task_names() -> tuple[str, ...]:
    """Every name that `find_task` knows, sorted. No task is loaded."""
    return tuple(sorted({point.name for point in _points()}))


@lru_cache
def find_task(name: str) -> Task:
    """The task of a name; no other is loaded.

    Raises UsageError for an unknown name, for a name given twice, and for an entry point that gives no task.
    """
    points = [point for point in _points() if point.name == name]
    if not points:
        raise UsageError(f"no training task {name}; the tasks are {', '.join(task_names())}")
    if len(points) > 1:
        values = ", ".join(point.value for point in points)
        raise UsageError(f"training task {name} is given more than once, by {values}; uninstall the package of one")
    where = f"the entry point {name} = {points[0].value} of {GROUP}"
    try:
        task = points[0].load()
    except Exception as error:
        raise UsageError(f"{where} cannot be loaded ({error}); repair or uninstall its package") from error
    if not isinstance(task, Task) or task.name != name:
        raise UsageError(f"{where} is no training task of that name; repair or uninstall its package")
    return task
