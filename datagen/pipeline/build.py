"""Build a dataset: open the folder, run what is not done, compact, sum up."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from datagen.core.errors import OtherRecipe, StoppedEarly
from datagen.core.listed import listed
from datagen.core.row import Job
from datagen.materials.library import MaterialLibrary
from datagen.pipeline.assets import open_assets
from datagen.pipeline.drain import drain_on_signals
from datagen.pipeline.plan import Plan, shard_index
from datagen.pipeline.run_serial import SerialExecutor
from datagen.pipeline.summary import Summary, without_anomaly
from datagen.pipeline.warned import warned
from datagen.pipeline.worker import Outcome, Site
from datagen.store.dataset import Dataset
from datagen.store.log import read_folder

Watcher = Callable[[Outcome], None]


class Executor(Protocol):
    """Runs jobs of a site, each committed by whoever does it. The plan decides what; this, where."""

    def run(self, site: Site, dataset: Dataset, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Outcomes as they come, in any order. Raises MissingDependency, StoppedEarly."""
        ...


def _as_planned(jobs: list[Job]) -> list[Job]:
    return jobs


@dataclass(frozen=True)
class Scope:
    """Which jobs of a plan a build takes on.

    Shapes of `skip` are left out. `shard` (k, n) takes the k-th of n shares. `order` may reorder jobs: it changes no
    byte. Jobs that another folder of the same run, `also_done`, holds are left to it: scratch is merged into that one.
    """

    skip: Sequence[str] = ()
    shard: tuple[int, int] = (0, 1)
    order: Callable[[list[Job]], list[Job]] = _as_planned
    also_done: Path | None = None


def build(
    site: Site,
    executor: Executor | None = None,
    watch: Watcher = lambda outcome: None,
    scope: Scope | None = None,
    launch: Mapping[str, object] = MappingProxyType({}),
) -> Summary:
    """Run every job of the plan (of the scope) that the folder does not hold yet.

    `launch` is noted for repro and status.
    Raises OtherRecipe, UsageError, StoppedEarly, MissingDependency; a failing shape is
    quarantined and reported in the summary.
    """
    plan, scope = site.plan, scope or Scope()
    library, known = open_assets(plan)
    elsewhere = _finished_in(scope.also_done, site)
    dataset = Dataset.open(site.out, site.run_record())
    try:
        jobs = list(plan.jobs())
        unplanned = _unplanned(plan, dataset, jobs)
        _refuse_changed(dataset, unplanned)
        write_plan_files(plan, dataset, library, site.renderer_name)
        planned = [job for job in jobs if job.shape_id not in scope.skip]
        todo = []
        for job in shard_of(planned, *scope.shard):
            if dataset.is_done(job.job_id) or job.job_id in elsewhere:
                watch(Outcome(job, skipped=True))
            else:
                todo.append(job)
        # Quarantined jobs that no plan has any more: what they were to be made from has been mended since.
        dataset.supersede(unplanned)
        dataset.note_launch({**launch, "renderer": site.renderer_name, "limit": plan.limit, "jobs": len(planned)})
        with drain_on_signals() as drain:
            for outcome in (executor or SerialExecutor()).run(site, dataset, drain.gate(iter(scope.order(todo)))):
                watch(outcome)
        dataset.refresh()
        # The card tells what was met on the way, and scenes that could not be made leave the splits.
        write_plan_files(plan, dataset, library, site.renderer_name)
        if site.layout == "shards" and all(dataset.is_done(job.job_id) for job in planned):
            dataset.pack(planned)
        if drain.asked:
            raise StoppedEarly("asked to stop; what is finished is committed, run the same command again to go on")
    finally:
        try:
            dataset.compact()
        finally:
            dataset.close()
    summary: Summary = plan.building.summarise(plan, dataset)
    told = warned(dataset.entries.values(), plan.source, library)
    return replace(summary, warnings=(*known, *told, *summary.warnings, *without_anomaly(summary)))


def _unplanned(plan: Plan[Any], dataset: Dataset, jobs: Iterable[Job]) -> list[str]:
    """Jobs in the folder that no plan of this run has any more: what they were made from has changed since."""
    found = set(dataset.entries) - {job.job_id for job in jobs}
    if found and plan.limit is not None:
        # An earlier build may have had a larger limit: its shapes come first, so the others are not read for this.
        for job in replace(plan, limit=None).jobs():
            found.discard(job.job_id)
            if not found:
                break
    return sorted(found)


def _refuse_changed(dataset: Dataset, unplanned: Iterable[str]) -> None:
    """Raise OtherRecipe where finished jobs were made from other files than lie there now."""
    stale = sorted({row.shape_id for i in unplanned if dataset.is_done(i) for row in dataset.entries[i].rows[:1]})
    if stale:
        raise OtherRecipe(
            f"{dataset.root} holds {listed(stale)} as made from other files than are there now: a mesh, a variant, "
            "a photo of the background or a material by part has changed since; put the old file back, or choose "
            "another --out"
        )


def _finished_in(folder: Path | None, site: Site) -> Set[str]:
    """Jobs finished in another folder of the run; none where it is not begun, or is this one. Raises OtherRecipe."""
    if folder is None or folder.absolute() == site.out.absolute() or not (folder / "run.json").is_file():
        return set()
    Dataset.check_run(folder, site.run_record())
    return {job_id for job_id, entry in read_folder(folder / "log").items() if not entry.quarantined}


def shard_of(jobs: Iterable[Job], index: int, count: int) -> Iterator[Job]:
    """Jobs of one shard."""
    return (job for job in jobs if shard_index(job.job_id, count) == index)


def write_plan_files(plan: Plan[Any], dataset: Dataset, library: MaterialLibrary, renderer: str) -> None:
    """Splits, the table of shapes and the card: functions of the plan and of what is already there."""
    notes = warned(dataset.entries.values(), plan.source, library)
    for name, data in plan.building.root_files(plan, dataset, library, renderer, notes).items():
        dataset.write_root_file(name, data)
