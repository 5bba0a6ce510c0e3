"""What a plan would make and cost, without making it (`--dry-run`)."""

from typing import Any

from datagen.pipeline.plan import Plan

CPU_S_FIXED, CPU_S_PER_SAMPLE, CPU_S_DENOISE = 0.7, 0.115, 0.6
"""Cycles at 256 px on one core: per picture, per sample, denoiser (measured, see docs of rendering cost)."""
CPU_S_REFERENCE, CPU_S_FAKE = 3.0, 0.2
BYTES_PICTURE, BYTES_ANNOTATION, BYTES_REFERENCE = 60_000, 3_500, 8_500_000


def estimate(plan: Plan, renderer: str) -> dict[str, Any]:
    """Jobs, pictures, disk and CPU-hours of a plan; pictures are what slots ask for, before rejection."""
    jobs = list(plan.jobs())
    normal = sum(job.views for job in jobs if job.job_type == "normal")
    anomalous = sum(job.views for job in jobs if job.job_type == "anomaly")
    references = sum(job.job_type == "reference" for job in jobs)
    render = plan.recipe.render
    pixels = (plan.recipe.query.size_px / 256) ** 2
    cpu_s = CPU_S_FAKE
    if renderer == "cycles":
        cpu_s = CPU_S_FIXED + (CPU_S_PER_SAMPLE * render.samples + CPU_S_DENOISE * (render.denoiser == "oidn")) * pixels
    disk = (normal + anomalous) * BYTES_PICTURE * pixels + anomalous * BYTES_ANNOTATION + references * BYTES_REFERENCE
    return {
        "source": plan.source.name,
        "stand_in": plan.source.stand_in,
        "shapes": len(plan.shapes),
        "jobs": len(jobs),
        "images_asked_for": normal + anomalous,
        "normal": normal,
        "anomalous": anomalous,
        "files": (normal + anomalous) + 3 * anomalous + references * (2 + 4 * plan.recipe.reference.views),
        "disk_gib": round(disk / 2**30, 2),
        "cpu_hours": round(((normal + anomalous) * cpu_s + references * CPU_S_REFERENCE) / 3600, 2),
    }
