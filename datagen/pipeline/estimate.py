"""What a plan would make and cost, without making it (`--dry-run`)."""

from functools import singledispatch
from typing import Any

from datagen.pipeline.plan import Plan
from datagen.pipeline.plans import AnyPlan
from datagen.pipeline.scene_plan import ScenePlan
from datagen.recipe.render import RenderRecipe

CPU_S_FIXED, CPU_S_DENOISE = 0.3, 0.12
"""Cycles at 256 px on one core, a picture: scene, files and geometry; denoiser (docs/rendering-cost.md)."""
CPU_S_OBJECT_SAMPLE, CPU_S_GROUND_SAMPLE, CPU_S_FRAME_SAMPLE = 0.041, 0.08, 0.1
"""A sample of every pixel of the object, of a whole frame of ground, of a whole frame of both."""
CPU_S_REFERENCE, CPU_S_FAKE = 0.8, 0.1
BYTES_PICTURE, BYTES_ANNOTATION, BYTES_REFERENCE = 60_000, 3_500, 8_500_000


CPU_S_SCENE_FIXED, CPU_S_SCENE_SAMPLE, CPU_S_SCENE_VIEW = 3.0, 0.155, 1.3
"""A scene: geometry and layout; Cycles a sample of a view; the rest of a view (denoiser, ray casts, files).

Measured at 8, 16 and 32 samples on scenes of 3 to 8 objects: 2.5, 3.4 and 6.2 CPU-seconds of rendering a view.
"""
BYTES_VIEW = 230_000


def _traced(render: RenderRecipe) -> float:
    """CPU-seconds of path tracing and denoising of a picture of 256 px."""
    cost = CPU_S_DENOISE if render.denoiser == "oidn" else 0.0
    if render.ground_samples == 0:
        return cost + CPU_S_FRAME_SAMPLE * render.samples
    ground = CPU_S_GROUND_SAMPLE * render.ground_samples / render.ground_reduction**2
    return cost + CPU_S_OBJECT_SAMPLE * render.samples + ground


@singledispatch
def estimate(plan: AnyPlan, renderer: str) -> dict[str, Any]:
    """Jobs, pictures, disk and CPU-hours of a plan; pictures are what slots ask for, before rejection."""
    raise TypeError(type(plan).__name__)


@estimate.register
def _estimate_chairs(plan: Plan, renderer: str) -> dict[str, Any]:
    jobs = list(plan.jobs())
    normal = sum(job.views for job in jobs if job.job_type == "normal")
    anomalous = sum(job.views for job in jobs if job.job_type == "anomaly")
    references = sum(job.job_type == "reference" for job in jobs)
    render = plan.recipe.render
    pixels = (plan.recipe.query.size_px / 256) ** 2
    cpu_s = CPU_S_FAKE
    if renderer == "cycles":
        cpu_s = CPU_S_FAKE + CPU_S_FIXED + _traced(render) * pixels
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


@estimate.register
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
