"""Rows of the manifest with a job's own columns filled in."""

from dataclasses import replace

from datagen.core.anomaly import Rejected
from datagen.core.row import Job, Row
from datagen.pipeline.context import Context


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
