"""The Ray executor: one machine or a cluster, geometry in tasks, Blender in actors.

Ray may run a job twice or lose one; what makes the dataset right is the commit. Only paths and
counts travel. A worker that dies takes its job along: that job is tried again alone, at the end,
and then quarantined.
"""

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from datagen.core.errors import DatagenError, StoppedEarly
from datagen.core.row import Job
from datagen.pipeline.cores import cap_memory, usable_cores
from datagen.pipeline.ray_start import join_cluster, own_sigterm, start_here
from datagen.pipeline.run_serial import unclaimed
from datagen.pipeline.worker import Outcome, Site, Worker
from datagen.render.protocol import open_renderer
from datagen.store.dataset import Dataset

TASKS_A_PROCESS = 200
"""A geometry process is renewed after this many jobs: native libraries leak."""
JOBS_AN_ACTOR = 200
ACTOR_RSS_BYTES = 6 * 2**30
WALL_CAP_S = 900.0
"""Longest half of a job; one that takes longer is treated as if its worker had died."""
QUIET_S = 10.0
"""Without an outcome for so long, Ray's own processes are looked after."""

Boxed = list["ray.ObjectRef[Site]"]
"""A reference to the site, in a list: Ray would unpack a bare one, thousands of paths, anew for every job."""

_workers: dict[str, Worker] = {}


def _worker(boxed: Boxed, key: str, renders: bool) -> Worker:
    """This process's worker for a site; `key` tells one driver from the next."""
    name = f"{key}:{renders}"
    if name not in _workers:
        site = ray.get(boxed[0])
        if not renders or site.plan.device == "cpu":  # a GPU's driver maps far more than it holds
            cap_memory(site.memory_cap_bytes)
        renderer = _renderer(site) if renders else None
        _workers[name] = Worker(site, Dataset.join(site.out, site.run_record()), renderer)
    return _workers[name]


def _renderer(site: Site) -> Any:
    if site.renderer_name == "cycles":
        from datagen.render.blender.inprocess import BlenderHere

        return BlenderHere(site.threads)
    return open_renderer(site.renderer_name, site.threads)


@ray.remote(num_cpus=1, max_calls=TASKS_A_PROCESS, max_retries=0)
def _prepare(site: Boxed, key: str, job: Job, half: str) -> Outcome:
    return _worker(site, key, renders=False).prepare(job, Path(half))


@ray.remote(num_cpus=0, max_restarts=0)
class _RenderActor:
    """Holds Blender and its textures over many jobs."""

    def __init__(self, site: Boxed, key: str) -> None:
        self.worker = _worker(site, key, renders=True)

    def finish(self, job: Job, half: str) -> tuple[Outcome, int]:
        """The outcome and this process's resident bytes."""
        outcome = self.worker.finish(job, Path(half))
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return outcome, pages * os.sysconf("SC_PAGE_SIZE")


@dataclass
class _Slot:
    """A render actor as the driver sees it."""

    actor: Any = None
    jobs: int = 0


@dataclass
class _Flight:
    """A half of a job under way."""

    job: Job
    half: str = ""
    slot: _Slot | None = None
    started: float = field(default_factory=time.monotonic)


class RayExecutor:
    """Runs jobs on `workers` render actors (default: the cores we may use, or the cluster's)."""

    def __init__(self, workers: int | None = None, wall_cap_s: float = WALL_CAP_S) -> None:
        self.workers = workers
        self.wall_cap_s = wall_cap_s
        self._temp_dir = ""

    def run(self, site: Site, dataset: Dataset, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Outcomes as they come. Raises MissingDependency, StoppedEarly, also from any worker."""
        with own_sigterm():
            count = self._connect()
        try:
            gpus = int(ray.cluster_resources().get("GPU", 0))
            device = site.plan.device if site.renderer_name == "cycles" else "cpu"
            driver = _Driver(site, dataset, render_slots(device, count, gpus), count, self.wall_cap_s)
            yield from driver.run(unclaimed(dataset, jobs))
        finally:
            ray.shutdown()
            if self._temp_dir:
                shutil.rmtree(self._temp_dir, ignore_errors=True)

    def _connect(self) -> int:
        """Join the cluster of RAY_ADDRESS, else start a private instance. Returns the worker count."""
        address = os.environ.get("RAY_ADDRESS", "")
        if address and address != "local":
            join_cluster(address)
            return self.workers or int(ray.cluster_resources().get("CPU", 1))
        count = self.workers or usable_cores()
        self._temp_dir = start_here(count)
        return count


@dataclass(frozen=True)
class RenderSlots:
    """How many render actors there are, and how many GPUs Ray reserves for each."""

    count: int
    gpus_each: int


def render_slots(device: str, cpus: int, gpus: int) -> RenderSlots:
    """One actor a core on the CPU, one a GPU on a GPU; `auto` follows what Ray sees.

    Ray counts NVIDIA, AMD and Intel cards. A device it does not count (Metal) gets one actor.
    """
    if device == "cpu" or (device == "auto" and gpus == 0):
        return RenderSlots(cpus, 0)
    return RenderSlots(max(1, min(cpus, gpus)), 1 if gpus else 0)


class _Driver:
    """The loop: bounded halves in flight, prepared ones handed to free actors, deaths noted."""

    def __init__(self, site: Site, dataset: Dataset, slots: RenderSlots, cpus: int, wall_cap_s: float) -> None:
        self.dataset = dataset
        self.wall_cap_s = wall_cap_s
        self.site = site
        self.boxed: Boxed = [ray.put(site)]
        self.key = dataset.writer
        self.slots = [_Slot() for _ in range(slots.count)]
        self.gpus_each = slots.gpus_each
        # A GPU renders faster than one core prepares: all cores then work for it.
        self.width = slots.count + cpus
        self.flights: dict[Any, _Flight] = {}
        self.ready: list[_Flight] = []
        self.suspects: list[Job] = []
        self.last_error = ""
        self.heard = time.monotonic()
        self.folder = dataset.scratch("halves")
        self.folder.mkdir()

    def run(self, jobs: Iterator[Job]) -> Iterator[Outcome]:
        """Every job once, then those whose worker died, each alone."""
        yield from self._drain(jobs, self.width)
        suspects, self.suspects = self.suspects, []
        for job in suspects:
            yield from self._drain(iter([job]), 1)
            if self.suspects:
                self.suspects.clear()
                yield self._give_up(job)

    def _drain(self, jobs: Iterator[Job], width: int) -> Iterator[Outcome]:
        exhausted = False
        while True:
            self._hand_out()
            while not exhausted and len(self.flights) + len(self.ready) < width:
                job = next(jobs, None)
                exhausted = job is None
                if job is not None:
                    self._send(job)
            self._hand_out()
            if not self.flights:
                if exhausted and not self.ready:
                    return
                continue
            yield from self._collect()

    def _send(self, job: Job) -> None:
        half = str(self.folder / f"{job.job_id[:32]}.half")
        self.flights[_prepare.remote(self.boxed, self.key, job, half)] = _Flight(job, half)

    def _hand_out(self) -> None:
        """Give prepared halves to free actors, renewing those that have served their time."""
        busy = {id(flight.slot) for flight in self.flights.values() if flight.slot}
        for slot in self.slots:
            if not self.ready:
                return
            if id(slot) in busy:
                continue
            if slot.actor is None:
                options = _RenderActor.options(num_gpus=self.gpus_each)  # type: ignore[attr-defined]
                slot.actor, slot.jobs = options.remote(self.boxed, self.key), 0
            flight = self.ready.pop(0)
            flight.slot, flight.started = slot, time.monotonic()
            slot.jobs += 1
            self.flights[slot.actor.finish.remote(flight.job, flight.half)] = flight

    def _collect(self) -> Iterator[Outcome]:
        done, _ = ray.wait(list(self.flights), num_returns=1, timeout=1.0)
        for reference in done:
            outcome = self._land(reference, self.flights.pop(reference))
            if outcome is not None:
                self.dataset.claims.drop(outcome.job.job_id)
                yield outcome
        if done:
            self.heard = time.monotonic()
        elif time.monotonic() - self.heard > QUIET_S:
            self._refuse_without_nodes()
        self._enforce_wall_cap()

    def _refuse_without_nodes(self) -> None:
        """Raises StoppedEarly where no node of Ray is left: what waits for one would wait for ever."""
        self.heard = time.monotonic()
        if not any(node["Alive"] for node in ray.nodes()):
            raise StoppedEarly(
                "Ray's own processes (raylet) ended, by a signal or for want of memory; what is finished is committed, "
                "run the same command again to go on"
            )

    def _land(self, reference: Any, flight: _Flight) -> Outcome | None:
        """What a finished call says; None if the job is not over."""
        try:
            result = ray.get(reference)
        except RayTaskError as error:
            if isinstance(error.cause, DatagenError):
                raise error.cause from error
            raise
        except RayError as error:
            self._note_death(flight, error)
            return None
        if flight.slot is None:
            if not result.prepared:
                return result
            self.ready.append(_Flight(flight.job, result.prepared))
            return None
        outcome, rss = result
        if flight.slot.jobs >= JOBS_AN_ACTOR or rss > ACTOR_RSS_BYTES:
            self._end(flight.slot)
        return outcome

    def _note_death(self, flight: _Flight, error: RayError) -> None:
        self.suspects.append(flight.job)
        if flight.slot is not None:
            self._end(flight.slot)
        self.last_error = " ".join(str(error).split())[:300]

    def _end(self, slot: _Slot) -> None:
        if slot.actor is not None:
            ray.kill(slot.actor)
        slot.actor = None

    def _enforce_wall_cap(self) -> None:
        now = time.monotonic()
        for reference, flight in list(self.flights.items()):
            if now - flight.started <= self.wall_cap_s:
                continue
            if flight.slot is not None:
                self._end(flight.slot)
            else:
                ray.cancel(reference, force=True)
            del self.flights[reference]
            self.suspects.append(flight.job)
            self.last_error = f"took longer than {self.wall_cap_s:.0f} s"

    def _give_up(self, job: Job) -> Outcome:
        """Quarantine a job whose worker died twice."""
        worker = Worker(self.site, self.dataset, None)
        worker.record_quarantine(job, "WorkerDied", self.last_error)
        self.dataset.claims.drop(job.job_id)
        return Outcome(job, error=f"WorkerDied: {self.last_error}")
