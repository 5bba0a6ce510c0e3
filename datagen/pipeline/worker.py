"""One process's hands on a build: does jobs or halves of jobs and commits them itself.

The same worker serves the serial run, Ray's geometry tasks and Ray's render actors.
"""

import pickle
import resource
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datagen.core.errors import DatagenError, MaterialError, PluginError, RenderError, ShapeError
from datagen.core.row import Bundle, Job
from datagen.pipeline.assets import open_library
from datagen.pipeline.context import Context
from datagen.pipeline.jobs import finish, prepare, run_job
from datagen.pipeline.plan import Plan
from datagen.pipeline.prepared import Prepared, job_row
from datagen.render.protocol import Renderer
from datagen.store import crash
from datagen.store.dataset import Dataset
from datagen.store.files import write_whole

JOB_ERRORS = (ShapeError, MaterialError, RenderError, PluginError, MemoryError)
"""What one job may fail with: it is quarantined and the others go on."""


@dataclass(frozen=True)
class Site:
    """Where and how a build runs: all a worker process needs to begin."""

    plan: Plan[Any]
    out: Path
    renderer_name: str
    threads: int = 1
    layout: str = "loose"
    """loose files in the published tree, or shards (tar)."""
    memory_cap_bytes: int | None = None
    """Most memory a Ray worker process may hold; None: its core's share of the node's."""

    def run_record(self) -> dict[str, object]:
        """What run.json holds: the plan's record, renderer and layout, none of which may be mixed in one folder."""
        return {**self.plan.run_record(), "renderer": self.renderer_name, "layout": self.layout}


@dataclass(frozen=True)
class Outcome:
    """What became of a job, small enough to send: counts, no pictures. `prepared` names a half done."""

    job: Job
    images: int = 0
    rejected: int = 0
    error: str = ""
    skipped: bool = False
    prepared: str = ""


class Worker:
    """Does jobs of a site with its own context and its own log."""

    def __init__(self, site: Site, dataset: Dataset, renderer: Renderer | None) -> None:
        self.site = site
        self.dataset = dataset
        plan = site.plan
        self.context: Context = plan.building.context(plan, open_library(plan), site.renderer_name, renderer)
        self._commit_s = 0.0

    def do(self, job: Job) -> Outcome:
        """Both halves of a job, committed or quarantined. Raises MissingDependency, StoppedEarly."""
        try:
            bundle = run_job(job, self.context)
        except JOB_ERRORS as error:
            return self.quarantine(job, error)
        return self._commit(bundle)

    def prepare(self, job: Job, half: Path) -> Outcome:
        """The geometry half: committed if nothing is to be rendered, else left at `half`."""
        try:
            crash.job(job.job_id)
            prepared = prepare(job, self.context)
            if not prepared.shots:
                bundle = finish(prepared, self.context)
                assert isinstance(bundle, Bundle)
                return self._commit(bundle)
        except JOB_ERRORS as error:
            return self.quarantine(job, error)
        write_whole(half, pickle.dumps(prepared, protocol=5))
        return Outcome(job, prepared=str(half))

    def finish(self, job: Job, half: Path) -> Outcome:
        """The rendering half of what `prepare` left, committed."""
        try:
            outcome: Prepared | Bundle = pickle.loads(half.read_bytes())
            while isinstance(outcome, Prepared):
                outcome = finish(outcome, self.context)
        except JOB_ERRORS as error:
            return self.quarantine(job, error)
        half.unlink(missing_ok=True)
        return self._commit(outcome)

    def quarantine(self, job: Job, error: DatagenError | MemoryError) -> Outcome:
        """A row that says why; the next run tries again."""
        why = str(error.args[0]) if error.args else ""
        if isinstance(error, MemoryError):
            why = f"the job wanted more memory than its worker may hold (--job-gib). {why}".strip()
        self.record_quarantine(job, type(error).__name__, why)
        return Outcome(job, error=str(error) or why)

    def record_quarantine(self, job: Job, reason: str, detail: str) -> None:
        """Write the quarantine row."""
        state: Mapping[str, Any] = {"row_type": "quarantine", "status": "quarantined"}
        self.dataset.quarantine(job, job_row(job, self.context, reason=reason, detail=detail, **state))

    def _commit(self, bundle: Bundle) -> Outcome:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        # A line cannot hold the cost of writing itself: it holds that of the job before.
        cost = {**bundle.cost, "commit": self._commit_s, "peak_rss_bytes": float(peak), "host": socket.gethostname()}
        start = time.process_time()
        rows = self.dataset.commit(Bundle(bundle.job, bundle.files, bundle.rows, cost))
        self._commit_s = round(time.process_time() - start, 4)
        samples = sum(row.row_type == "sample" for row in rows)
        return Outcome(bundle.job, samples, sum(row.row_type == "rejection" for row in rows))
