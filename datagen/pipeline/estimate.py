"""What a plan would make and cost, without making it (`--dry-run`)."""

from typing import Any

from datagen.pipeline.plans import AnyPlan
from datagen.pipeline.scene_plan import ScenePlan

CPU_S_FIXED, CPU_S_PER_SAMPLE, CPU_S_DENOISE = 0.7, 0.115, 0.6
"""Cycles at 256 px on one core: per picture, per sample, denoiser (measured, see docs of rendering cost)."""
CPU_S_REFERENCE, CPU_S_FAKE = 3.0, 0.2
BYTES_PICTURE, BYTES_ANNOTATION, BYTES_REFERENCE = 60_000, 3_500, 8_500_000


CPU_S_SCENE_FIXED, CPU_S_SCENE_SAMPLE, CPU_S_SCENE_VIEW = 3.0, 0.155, 1.3
"""A scene: geometry and layout; Cycles a sample of a view; the rest of a view (denoiser, ray casts, files).

Measured at 8, 16 and 32 samples on scenes of 3 to 8 objects: 2.5, 3.4 and 6.2 CPU-seconds of rendering a view.
"""
BYTES_VIEW = 230_000


def estimate(plan: AnyPlan, renderer: str) -> dict[str, Any]:
    """Jobs, pictures, disk and CPU-hours of a plan; pictures are what slots ask for, before rejection."""
    if isinstance(plan, ScenePlan):
        return _estimate_scenes(plan, renderer)
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


def _estimate_scenes(plan: ScenePlan, renderer: str) -> dict[str, Any]:
    recipe = plan.recipe
    scenes = len(plan.scenes)
    draws = [plan.draw(scene) for scene in plan.scenes]
    views = scenes * recipe.camera.views
    pixels = (recipe.camera.size_px / 256) ** 2
    objects = sum(draw.objects for draw in draws)
    used = {(scene.entry.shape_id, slot) for scene, draw in zip(plan.scenes, draws, strict=True) for slot in draw.slots}
    cpu_s = 0.3
    if renderer == "cycles":
        cpu_s = (CPU_S_SCENE_SAMPLE * recipe.render.samples + CPU_S_SCENE_VIEW) * pixels
    # Eight files a view, one more an object and the floor's segmentation, three tables.
    files = views * 8 + recipe.camera.views * objects + 3 * scenes
    return {
        "source": plan.source.name,
        "stand_in": plan.source.stand_in,
        "shapes": len(plan.shapes),
        "categories": len({e.category for e in plan.shapes}),
        "anomalous_shapes": len(used),
        "jobs": scenes,
        "scenes_by_split": {split: len(names) for split, names in plan.by_split().items()},
        "scenes_without_anomaly": sum(not draw.slots for draw in draws),
        "objects": objects,
        "images_asked_for": views,
        "files": files,
        "disk_gib": round(views * BYTES_VIEW * pixels / 2**30, 2),
        "cpu_hours": round((views * cpu_s + scenes * CPU_S_SCENE_FIXED) / 3600, 2),
    }
