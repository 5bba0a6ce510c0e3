"""The serial executor: every job in this process, in plan order. For debugging and tests."""

import time
from collections.abc import Iterable, Iterator

from datagen.core.row import Job
from datagen.pipeline.worker import Outcome, Site, Worker
from datagen.render.protocol import Renderer, open_renderer
from datagen.store.dataset import Dataset


class SerialExecutor:
    """Runs jobs one after another."""

    def __init__(self, renderer: Renderer | None = None) -> None:
        self.renderer = renderer

    def run(self, site: Site, dataset: Dataset, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Outcomes in order; jobs that another builder has claimed come last."""
        renderer = self.renderer or open_renderer(site.renderer_name, site.threads)
        worker = Worker(site, dataset, renderer)
        try:
            for job in unclaimed(dataset, jobs):
                yield worker.do(job)
                dataset.claims.drop(job.job_id)
        finally:
            renderer.close()


def unclaimed(dataset: Dataset, jobs: Iterable[Job]) -> Iterator[Job]:
    """Jobs that are not done, each claimed before it is given out.

    Those that a live writer has claimed are put off; when nothing else is left they are done
    anyway unless they are committed by then: a claim is advice, not a lock.
    """
    later = []
    for job in jobs:
        if dataset.claims.take(job.job_id):
            dataset.glance()
            if dataset.is_done(job.job_id):
                dataset.claims.drop(job.job_id)
            else:
                yield job
        else:
            later.append(job)
    yield from _patiently(dataset, later)


def _patiently(dataset: Dataset, jobs: list[Job], patience_s: float = 600.0) -> Iterator[Job]:
    deadline = time.monotonic() + patience_s
    while jobs:
        waiting = []
        for job in jobs:
            dataset.refresh()
            if dataset.is_done(job.job_id):
                continue
            if dataset.claims.take(job.job_id) or time.monotonic() > deadline:
                yield job
            else:
                waiting.append(job)
        jobs = waiting
        if jobs:
            time.sleep(0.5)
