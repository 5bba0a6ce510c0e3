"""A job in two halves, geometry and pictures, whatever its kind: job + context -> Bundle."""

from collections.abc import Mapping
from dataclasses import replace

from datagen.core.row import Bundle, Job
from datagen.pipeline.context import Context
from datagen.pipeline.prepared import Prepared


def run_job(job: Job, context: Context) -> Bundle:
    """Both halves in one process. Raises ShapeError, MaterialError, RenderError: the caller quarantines it."""
    outcome: Bundle | Prepared = prepare(job, context)
    while isinstance(outcome, Prepared):
        outcome = finish(outcome, context)
    return outcome


def prepare(job: Job, context: Context, before: Prepared | None = None) -> Prepared:
    """Everything but the pictures: load, operators, ray casts, reference views.

    `before` is an earlier half whose pictures all failed: its rows are kept, its proposals go on.
    """
    context.take_cost()
    with context.phase("load"):
        shape = context.shapes.load(job.shape_id)
    prepared = context.plan.building.jobs[job.job_type](job, context, shape, before or Prepared(job))
    return replace(prepared, cost=_summed(before.cost if before else {}, context.take_cost()))


def finish(prepared: Prepared, context: Context) -> Bundle | Prepared:
    """Render what is left and close the job; a fresh half if no picture passed and proposals remain."""
    job = prepared.job
    context.take_cost()
    rows, files = list(prepared.rows), dict(prepared.files)
    for shot in prepared.shots:
        more, written = shot.take(job, context)
        rows += more
        files |= written
    cost = _summed(prepared.cost, context.take_cost())
    if prepared.shots and not files and prepared.next_attempt is not None:
        return prepare(job, context, replace(prepared, rows=tuple(rows), cost=cost))
    numbered = tuple(replace(row, index=k) for k, row in enumerate(rows))
    return Bundle(job, files, numbered, cost)


def _summed(a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, float]:
    return {name: round(a.get(name, 0.0) + b.get(name, 0.0), 4) for name in {*a, *b}}
