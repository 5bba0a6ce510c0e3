"""What passes between the two halves of a job: geometry first, pictures second."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from datagen.core.row import Job, Row


class Shot(Protocol):
    """Something ready to render."""

    def take(self, job: Job, context: Any) -> tuple[list[Row], dict[str, bytes]]:
        """Render it and check each picture: rows, and the files of what passes."""
        ...


@dataclass(frozen=True, eq=False)
class Prepared:
    """The geometry half of a job: what can be said before rendering, and what is left to render."""

    job: Job
    rows: tuple[Row, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    shots: tuple[Shot, ...] = ()
    next_attempt: int | None = None
    """Where proposals go on if no picture of this one passes; None if there is nothing more to try."""
    cost: Mapping[str, float] = field(default_factory=dict)
