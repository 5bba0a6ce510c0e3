"""What a build has done so far, from its logs alone; and which shards are left."""

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from datagen.pipeline.plan import Plan, shard_index
from datagen.store.launch import launched_at, read_launch
from datagen.store.log import LogReader

RATE_WINDOW_S = 1800.0


def status(root: Path) -> dict[str, Any]:
    """Jobs done of planned, images, rejections by reason, quarantined jobs, rate, seconds left."""
    launch = read_launch(root)
    entries = LogReader(root / "log").refresh().entries
    rows = [row for entry in entries.values() for row in entry.rows]
    done = [entry for entry in entries.values() if not entry.quarantined]
    planned = int(launch["jobs"])
    now = time.time()
    # From the latest start on: from the first finished job on, the time that it took would be missing.
    start = max(launched_at(root), now - RATE_WINDOW_S)
    rate = sum(float(entry.cost.get("t", 0)) >= start for entry in done) / max(now - start, 1.0)
    left = planned - len(done)
    quarantined = {e.job_id: e.rows[0] for e in entries.values() if e.quarantined}
    return {
        "jobs_planned": planned,
        "jobs_done": len(done),
        "jobs_left": left,
        "images": sum(row.row_type == "sample" for row in rows),
        "rejected": dict(Counter(row.reason for row in rows if row.row_type == "rejection").most_common()),
        "quarantined": {job: f"{row.shape_id}: {row.reason}: {row.detail}" for job, row in quarantined.items()},
        "jobs_per_hour": round(3600 * rate, 1),
        "seconds_left": round(left / rate) if rate and left > 0 else (0 if left <= 0 else None),
    }


def missing_shards(plan: Plan[Any], root: Path, count: int) -> list[int]:
    """Shards of `count` that still have jobs that are neither done nor quarantined, sorted."""
    entries = LogReader(root / "log").refresh().entries if (root / "log").is_dir() else {}
    return sorted({shard_index(job.job_id, count) for job in plan.jobs() if job.job_id not in entries})


def ranges(numbers: Iterable[int]) -> str:
    """`0-3,7` for 0, 1, 2, 3, 7: what sbatch takes as --array."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
