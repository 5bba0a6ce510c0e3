"""What the geometry half of a job leaves for the rendering half, and its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from datagen.core.anomaly import Rejected
from datagen.core.row import Job, Row
from datagen.pipeline.context import Context


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


def job_row(job: Job, context: Context, **values: object) -> Row:
    """A row with the job's columns filled in."""
    base = Row(
        job_id=job.job_id,
        index=0,
        row_type="sample",
        status="ok",
        shape_id=job.shape_id,
        public_id=job.public_id,
        split=job.split,
        source=context.plan.source.name,
        seed=context.plan.recipe.seed,
        kind=job.kind,
        versions=context.versions,
        category=context.plan.category_of(job.shape_id),
    )
    return replace(base, **values)  # type: ignore[arg-type]


def rejection(job: Job, context: Context, stage: str, why: Rejected, **values: object) -> Row:
    """A row that says why a proposal, a view or a picture was not taken."""
    return job_row(
        job,
        context,
        row_type="rejection",
        status="rejected",
        stage=stage,
        reason=why.reason,
        detail=why.detail,
        **values,
    )
