"""One run of `datagen bench`: the parts that kinds of dataset name, and the document that they fill."""

import platform
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datagen.core.errors import UsageError
from datagen.pipeline.cores import usable_cores


@dataclass
class Measurement:
    """What one run is asked for, and what it has found so far.

    `objects` and `pictures`: on how many objects rendering is measured, and how many pictures of each. `collections`:
    those that the command names; a part takes its own where there are none. `figures`: the folder for drawings.
    `document` is what a part adds its figures to. `shared` holds what several parts work on, made once.
    """

    quick: bool = False
    objects: int = 12
    pictures: int = 12
    collections: tuple[str, ...] = ()
    figures: Path | None = None
    document: dict[str, Any] = field(default_factory=dict)
    shared: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Bench:
    """A part of `datagen bench`. One `on_demand` runs only where --only names it."""

    measure: Callable[[Measurement], None]
    on_demand: bool = False


def run(
    benches: Mapping[str, Bench],
    only: Sequence[str],
    measurement: Measurement,
    during: Callable[[str], AbstractContextManager[object]],
) -> dict[str, Any]:
    """The document of the parts named, in order; of all but those on demand where none is named.

    `during(name)` is entered while a part runs. Raises UsageError for a part that there is not.
    """
    unknown = sorted(set(only) - set(benches))
    if unknown:
        raise UsageError(f"bench has no part '{unknown[0]}'; the parts are {', '.join(benches)}")
    for name in only or [name for name, bench in benches.items() if not bench.on_demand]:
        with during(name):
            benches[name].measure(measurement)
    document = measurement.document
    document["machine"] = f"{platform.machine()}, {usable_cores()} cores"
    document["versions"] = {"python": platform.python_version()}
    return document
