"""Where the CPU-seconds of `datagen build` go, phase by phase, from the build's own records."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from datagen.bench.targets import MeasuredObject
from datagen.kinds.brokenchairs.bench.plans import plan_of, recipe_of
from datagen.pipeline.build import build
from datagen.pipeline.run_serial import SerialExecutor
from datagen.pipeline.worker import Site
from datagen.render.blender.client import BlenderProcess

NOT_SECONDS = ("job_id", "host", "peak_rss_bytes", "t")
REFERENCE = "reference bundle"


def build_phases(limit: int, preset: str, collection: str) -> dict[str, Any]:
    """CPU-seconds by phase of a serial build of `limit` chairs, an image and in all; materials baked before.

    Phases of the geometry half count rejected proposals too. `start-up` is Blender's and the plan's.
    """
    recipe = recipe_of("quickstart", [f"render.preset={preset}"])
    plan = plan_of(recipe, collection, limit)
    with tempfile.TemporaryDirectory(prefix="datagen-bench-") as folder:
        for name, renderer in (("warm", "fake"), ("data", "cycles")):
            blender = BlenderProcess(threads=1) if renderer == "cycles" else None
            start = time.process_time()
            summary = build(Site(plan, Path(folder) / name, renderer), SerialExecutor(blender))
            total = time.process_time() - start + (blender.cpu_seconds() if blender else 0.0)
        table = pq.read_table(Path(folder) / "data" / "cost.parquet").to_pylist()
    names = sorted({name for row in table for name in row} - set(NOT_SECONDS))
    phases = {name: sum(row.get(name) or 0.0 for row in table) for name in names}
    phases[REFERENCE] = phases.pop("reference", 0.0)
    phases["start-up"] = max(total - sum(phases.values()), 0.0)
    images = max(summary.images, 1)
    rest = sum(value for name, value in phases.items() if name not in ("render", REFERENCE, "start-up"))
    return {
        "images": summary.images,
        "chairs": limit,
        "preset": preset,
        "cpu_s": {name: round(value, 3) for name, value in sorted(phases.items())},
        "cpu_s_per_image": {name: round(value / images, 4) for name, value in sorted(phases.items())},
        "non_render_cpu_s_per_image": round(rest / images, 4),
        "reference_cpu_s_per_chair": round(phases[REFERENCE] / limit, 3),
    }


def render_phases(objects: Sequence[MeasuredObject], settings: dict[str, Any]) -> dict[str, float]:
    """CPU-seconds a picture by what Blender does, mean over objects."""
    blender = BlenderProcess(threads=1)
    try:
        jobs = [replace(job, settings=settings) for measured in objects for job, _ in measured.shots()]
        found = [blender.profile(job) for job in jobs]
    finally:
        blender.close()
    return {name: round(float(np.mean([cost.get(name, 0.0) for cost in found])), 4) for name in found[0]}
