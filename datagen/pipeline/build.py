"""Build a dataset: open the folder, run what is not done, compact, sum up."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from datagen.core.errors import DatagenError, MaterialError, MissingDependency, RenderError, ShapeError
from datagen.core.row import Bundle, Job
from datagen.formats.brokenchairs import split_json
from datagen.materials.library import open_libraries
from datagen.pipeline.card import dataset_card, shapes_table
from datagen.pipeline.context import Context
from datagen.pipeline.plan import Plan
from datagen.pipeline.queries import job_row
from datagen.pipeline.stages import run_job
from datagen.pipeline.summary import Summary, summarise
from datagen.render.protocol import Renderer
from datagen.store import Dataset

JOB_ERRORS = (ShapeError, MaterialError, RenderError)
"""What one job may fail with: it is quarantined and the others go on."""


@dataclass(frozen=True)
class Event:
    """What happened to one job, for whoever shows progress."""

    job: Job
    bundle: Bundle | None = None
    error: DatagenError | None = None
    skipped: bool = False


Watcher = Callable[[Event], None]


def build(
    plan: Plan,
    out: Path,
    renderer: Renderer,
    watch: Watcher = lambda event: None,
    skip: Sequence[str] = (),
    order: Callable[[Iterable[Job]], Iterable[Job]] = lambda jobs: jobs,
) -> Summary:
    """Run every job of the plan that `out` does not hold yet, in this process.

    `order` may reorder jobs: it changes no byte. Raises OtherRecipe, UsageError, StoppedEarly,
    MissingDependency; a failing shape is quarantined and reported in the summary.
    """
    try:
        library = open_libraries(plan.recipe.materials.libraries, plan.recipe.seed)
    except MaterialError as error:
        raise MissingDependency(error.args[0]) from error
    context = Context(plan, library, renderer.name, renderer)
    dataset = Dataset.open(out, plan.run_record())
    try:
        write_plan_files(dataset, plan, context)
        for job in order([job for job in plan.jobs() if job.shape_id not in skip]):
            watch(_run_one(job, dataset, context))
    finally:
        try:
            dataset.compact()
        finally:
            dataset.close()
            renderer.close()
    return summarise(plan, dataset)


def _run_one(job: Job, dataset: Dataset, context: Context) -> Event:
    if dataset.is_done(job.job_id):
        return Event(job, skipped=True)
    try:
        bundle = run_job(job, context)
    except MissingDependency:
        raise
    except JOB_ERRORS as error:
        row = job_row(
            job,
            context,
            row_type="quarantine",
            status="quarantined",
            reason=type(error).__name__,
            detail=str(error.args[0]),
        )
        dataset.quarantine(job, row)
        return Event(job, error=error)
    dataset.commit(bundle)
    return Event(job, bundle)


def write_plan_files(dataset: Dataset, plan: Plan, context: Context) -> None:
    """split.json, the id table and the card: functions of the plan and of what is already there."""
    committed = {row.shape_id for entry in dataset.entries.values() for row in entry.rows}
    planned = {entry.shape_id for entry in plan.shapes} | (committed & set(plan.ids))
    shapes = sorted(planned, key=lambda s: plan.ids[s])
    dataset.write_root_file("split.json", split_json({plan.ids[s]: plan.splits[s] for s in shapes}))
    dataset.write_root_file("shapes.json", shapes_table(plan, shapes))
    dataset.write_root_file("README.md", dataset_card(plan, shapes, context))
