"""What a plan of scenes would make and cost, without making it (`--dry-run`)."""

from typing import Any

from datagen.kinds.oddoneout.plan import ScenePlan

CPU_S_SCENE_FIXED, CPU_S_SCENE_SAMPLE, CPU_S_SCENE_VIEW = 3.0, 0.155, 1.3
"""A scene: geometry and layout; Cycles a sample of a view; the rest of a view (denoiser, ray casts, files).

Measured at 8, 16 and 32 samples on scenes of 3 to 8 objects: 2.5, 3.4 and 6.2 CPU-seconds of rendering a view.
"""
BYTES_VIEW = 230_000


def estimate(plan: ScenePlan, renderer: str) -> dict[str, Any]:
    """Scenes, objects, pictures, disk and CPU-hours of a plan."""
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
