"""What a plan of chairs would make and cost, without making it (`--dry-run`)."""

from typing import Any

from datagen.kinds.brokenchairs.plan import ChairPlan
from datagen.recipe.render import RenderRecipe

CPU_S_FIXED, CPU_S_DENOISE = 0.3, 0.12
"""Cycles at 256 px on one core, a picture: scene, files and geometry; denoiser (docs/rendering-cost.md)."""
CPU_S_OBJECT_SAMPLE, CPU_S_GROUND_SAMPLE, CPU_S_FRAME_SAMPLE = 0.041, 0.08, 0.1
"""A sample of every pixel of the object, of a whole frame of ground, of a whole frame of both."""
CPU_S_REFERENCE, CPU_S_FAKE = 0.8, 0.1
CPU_S_AT_QUERY, BYTES_AT_QUERY = 0.05, 290_000
"""A textureless view at a query's camera with its depth, normals and part ids, at 256 px."""
BYTES_PICTURE, BYTES_ANNOTATION, BYTES_REFERENCE = 60_000, 3_500, 8_500_000


def _traced(render: RenderRecipe) -> float:
    """CPU-seconds of path tracing and denoising of a picture of 256 px."""
    cost = CPU_S_DENOISE if render.denoiser == "oidn" else 0.0
    if render.ground_samples == 0:
        return cost + CPU_S_FRAME_SAMPLE * render.samples
    ground = CPU_S_GROUND_SAMPLE * render.ground_samples / render.ground_reduction**2
    return cost + CPU_S_OBJECT_SAMPLE * render.samples + ground


def estimate(plan: ChairPlan, renderer: str) -> dict[str, Any]:
    """Jobs, pictures, disk and CPU-hours of a plan; pictures are what slots ask for, before rejection."""
    jobs, reference = list(plan.jobs()), plan.recipe.reference
    anomalous = sum(job.views for job in jobs if job.job_type == "anomaly")
    twins = anomalous if reference.counterfactual else 0
    normal = sum(job.views for job in jobs if job.job_type == "normal") + twins
    references = sum(job.job_type in ("reference", "anomaly")[: 1 + reference.counterfactual] for job in jobs)
    # A twin shares the views of its anomalous picture, which has one of either shape.
    shown = normal - twins + 2 * anomalous if reference.at_query else 0
    render = plan.recipe.render
    pixels = (plan.recipe.query.size_px / 256) ** 2
    cpu_s = CPU_S_FAKE
    if renderer == "cycles":
        cpu_s = CPU_S_FAKE + CPU_S_FIXED + _traced(render) * pixels
    disk = (normal + anomalous) * BYTES_PICTURE * pixels + anomalous * BYTES_ANNOTATION + references * BYTES_REFERENCE
    disk += shown * BYTES_AT_QUERY * pixels
    cpu_all = (normal + anomalous) * cpu_s + references * CPU_S_REFERENCE + shown * CPU_S_AT_QUERY * pixels
    return {
        "source": plan.source.name,
        "stand_in": plan.source.stand_in,
        "shapes": len(plan.shapes),
        "jobs": len(jobs),
        "images_asked_for": normal + anomalous,
        "normal": normal,
        "anomalous": anomalous,
        "files": (normal + anomalous) + 3 * anomalous + references * (2 + 4 * reference.views) + 4 * shown,
        "disk_gib": round(disk / 2**30, 2),
        "cpu_hours": round(cpu_all / 3600, 2),
    }
