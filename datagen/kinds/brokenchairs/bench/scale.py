"""Planning and resuming a set of BrokenChairs-180K's size, on shapes that exist by name only."""

import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from datagen.core.errors import ShapeError
from datagen.core.ids import content_hash
from datagen.core.row import Job, Row
from datagen.core.shape import Shape
from datagen.kinds.brokenchairs.bench.plans import plan_of, recipe_of
from datagen.recipe.categories import built_in
from datagen.shapes.source import ShapeEntry
from datagen.store.log import LogReader, entry_line

PUBLISHED_SHAPES = 8143


@dataclass(frozen=True)
class NamedShapes:
    """A collection of `count` shapes without files."""

    count: int
    name: str = "names"
    licence: str = "none"
    stand_in: bool = True
    root: Path = Path()
    warnings: tuple[str, ...] = ()

    def entries(self) -> tuple[ShapeEntry, ...]:
        """Every shape has four leaves of four classes."""
        classes = built_in("chair").classes
        return tuple(
            ShapeEntry(str(k), f"model{k}", tuple(sorted(classes[(k + j) % len(classes)] for j in range(4))))
            for k in range(1, self.count + 1)
        )

    def digest(self, shape_id: str) -> str:
        """A hash of the name."""
        return content_hash(["named", shape_id])

    def load(self, shape_id: str) -> Shape:
        """There is nothing to load."""
        raise ShapeError(f"{shape_id} is a name only")


def _rows(job: Job) -> list[Row]:
    row = Row(job.job_id, 0, "sample", "ok", job.shape_id, job.public_id, job.split, "names", 0, kind=job.kind)
    path = f"images/{job.public_id}-{job.slot}/render_{job.public_id}.png"
    filled = replace(row, sample_id=job.job_id, query_path=path, sha256={path: job.job_id}, K=(0.0,) * 9)
    return [replace(filled, index=k) for k in range(max(job.views, 1))]


def write_logs(folder: Path, jobs: Sequence[Job], files: int = 8) -> int:
    """Logs as that many writers would have left them; the number of rows."""
    rows = 0
    streams = [(folder / f"host.{k}.bench.jsonl").open("wb") for k in range(files)]
    for k, job in enumerate(jobs):
        found = _rows(job) if job.job_type != "reference" else _rows(replace(job, views=1))
        rows += len(found)
        streams[k % files].write(entry_line(job.job_id, tuple(found), {"render": 1.0}))
    for stream in streams:
        stream.close()
    return rows


def plan_and_scan(shapes: int = PUBLISHED_SHAPES) -> dict[str, float]:
    """Seconds to plan and to scan, rows scanned, and the process's peak memory in MiB."""
    plan = plan_of(recipe_of("brokenchairs180k"), NamedShapes(shapes))
    start = time.process_time()
    jobs = list(plan.jobs())
    planned = time.process_time() - start
    with tempfile.TemporaryDirectory(prefix="datagen-bench-") as folder:
        rows = write_logs(Path(folder), jobs)
        start = time.process_time()
        entries = LogReader(Path(folder)).refresh().entries
        scanned = time.process_time() - start
    assert len(entries) == len(jobs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "shapes": shapes,
        "jobs": len(jobs),
        "rows": rows,
        "plan_cpu_s": round(planned, 2),
        "scan_cpu_s": round(scanned, 2),
        "peak_mib": round(peak, 1),
    }
