"""Do two workers make twice the images of one? The same small build with each, side by side."""

import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from datagen.kinds.brokenchairs.bench.plans import plan_of, recipe_of
from datagen.pipeline.build import build
from datagen.pipeline.run_ray import RayExecutor
from datagen.pipeline.worker import Outcome, Site


def measure(workers: int, limit: int, samples: int, threads: int = 1) -> dict[str, float]:
    """Images a wall second from the first to the last finished job, and CPU-seconds an image."""
    recipe = recipe_of("quickstart", [f"render.samples={samples}", "reference.views=4"])
    plan = plan_of(recipe, limit=limit)
    marks: list[tuple[float, int]] = []

    def watch(outcome: Outcome) -> None:
        marks.append((time.monotonic(), outcome.images))

    with tempfile.TemporaryDirectory(prefix="datagen-bench-") as folder:
        summary = build(Site(plan, Path(folder) / "data", "cycles", threads), RayExecutor(workers), watch)
        costs = pq.read_table(Path(folder) / "data" / "cost.parquet").to_pylist()
    phases = {"load", "operator", "raycast", "repair", "materials", "render", "reference"}
    cpu = sum(value or 0.0 for row in costs for name, value in row.items() if name in phases)
    # The first pictures wait for Blender's start: the rate is that of the steady part.
    first = next(k for k, (_, images) in enumerate(marks) if images)
    images = sum(images for _, images in marks[first + 1 :])
    return {
        "images_per_wall_s": images / (marks[-1][0] - marks[first][0]),
        "cpu_s_per_image": cpu / max(summary.images, 1),
        "images": float(summary.images),
    }


def compare(quick: bool) -> dict[str, Any]:
    """One worker against two, one Cycles thread each. Materials are baked before either is timed."""
    limit, samples = (2, 8) if quick else (6, 32)
    measure(1, limit, 1)
    one, two = measure(1, limit, samples), measure(2, limit, samples)
    threaded = measure(1, limit, samples, threads=2)
    return {
        "worker_efficiency_2": round(two["images_per_wall_s"] / one["images_per_wall_s"], 3),
        "cpu_s_per_image_ratio": round(two["cpu_s_per_image"] / one["cpu_s_per_image"], 3),
        "one_worker": {k: round(v, 3) for k, v in one.items()},
        "two_workers": {k: round(v, 3) for k, v in two.items()},
        "one_worker_two_threads": {k: round(v, 3) for k, v in threaded.items()},
    }
