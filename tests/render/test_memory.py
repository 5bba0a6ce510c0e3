"""Blender's memory stays flat over thousands of jobs, even in a process that is never renewed."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from datagen.pipeline import run_ray
from datagen.pipeline.build import build
from datagen.pipeline.run_ray import RayExecutor
from datagen.pipeline.worker import Site
from datagen.shapes.procedural import generate
from tests.conftest import plan_of
from tests.crash.harness import SETS

JOBS = 2000


@pytest.mark.soak
@pytest.mark.cycles
def test_two_thousand_jobs_in_one_blender(tmp_path, monkeypatch):
    monkeypatch.setattr(run_ray, "JOBS_AN_ACTOR", 10**6)
    generate(tmp_path / "chairs", 130, seed=0, quirks=False)
    # Nothing is rejected: one grainy picture a job.
    tiny = [*SETS, "query.size_px=32", "anomaly.min_changed_px=5", "render.samples=1", "render.ground_samples=0"]
    tiny += ["quality.ground_level=0", "quality.ground_floor=0", "quality.object_level=1000"]
    plan = plan_of(None, "brokenchairs", [*tiny, "render.denoiser=none"], str(tmp_path / "chairs"))
    build(Site(plan, tmp_path / "data", "cycles"), RayExecutor(workers=1))

    costs = pq.read_table(tmp_path / "data" / "cost.parquet").sort_by("t").to_pydict()
    rendered = [k for k, seconds in enumerate(costs["render"]) if seconds]
    peak = np.array([costs["peak_rss_bytes"][k] for k in rendered]) / 2**20
    cpu_s = np.array([costs["render"][k] for k in rendered])
    marks = [99, 499, 999, 1499, len(peak) - 1]
    print(f"{len(peak)} jobs rendered by one process; peak MiB", {k + 1: round(peak[k]) for k in marks}, end="; ")
    print(f"CPU-s a job in the first and last 500: {cpu_s[:500].mean():.3f} {cpu_s[-500:].mean():.3f}")
    assert len(peak) >= JOBS
    assert peak[-1] < 1.1 * peak[499]  # what still grows is the largest of ever more chairs
    assert cpu_s[-500:].mean() < 1.3 * cpu_s[:500].mean()
