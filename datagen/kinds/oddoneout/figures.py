"""Figures of scenes: what a build will make and cost, and what it has made."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from datagen.formats.oddoneout import in_order
from datagen.kinds.oddoneout.plan import ScenePlan
from datagen.pipeline.summary import Summary, Tally
from datagen.pipeline.warned import EXAMPLES, Warned
from datagen.store.dataset import Dataset
from datagen.store.log import LogEntry

WITHOUT_ODD = "scenes hold no odd object although the recipe gives them one"
NO_SHAPE = "no anomalous shape is made of its shape, raise anomaly.shapes"


def summarise(plan: ScenePlan, dataset: Dataset) -> Summary:
    """Figures over every committed job: images are views, kinds those of objects; a shape's slot counts once."""
    weights = plan.recipe.anomaly.kinds
    kinds: dict[str, Tally] = {kind: Tally() for kind in in_order(weights) if weights.get(kind)}
    rows = [row for entry in dataset.entries.values() for row in entry.rows]
    seen: set[tuple[str, str, str, str]] = set()
    for row in rows:
        odd = row.row_type == "object" and row.label
        key = (row.shape_id, row.kind, row.spec or row.detail, row.reason)
        if not (odd or row.stage == "proposal") or row.kind not in kinds or key in seen:
            continue
        seen.add(key)
        tally = kinds[row.kind]
        tally.proposals += 1
        if odd:
            tally.accepted += 1
            tally.methods[row.method] += 1
        else:
            tally.reasons[row.reason] += 1
    views = [row for row in rows if row.row_type == "sample"]
    objects = Counter(row.kind for row in rows if row.row_type == "object")
    if not dataset.entries.keys() <= plan.scene_of.keys():  # an earlier build of this folder had a larger limit
        plan = replace(plan, limit=None)
    return Summary(
        images=len(views),
        anomalous=sum(row.label for row in views),
        shapes=len({row.shape_id for row in views}),
        families=dict(sorted(objects.items())),
        splits=dict(sorted(Counter(row.split for row in views).items())),
        kinds=kinds,
        classes={},
        rejected_views={},
        quarantined={row.shape_id: f"{row.reason}: {row.detail}" for row in rows if row.row_type == "quarantine"},
        empty_jobs=0,
        stand_in=plan.source.stand_in,
        source=plan.source.name,
        counted="objects",
        warnings=without_odd_ones(plan, dataset.entries.values()),
    )


def without_odd_ones(plan: ScenePlan, entries: Iterable[LogEntry]) -> tuple[Warned, ...]:
    """A warning of scenes that the recipe gives an odd object and that hold none, with the commonest reasons."""
    told = []
    for entry in entries:
        rows = [row for row in entry.rows if row.row_type == "scene" and not row.label]
        scene = plan.scene_of.get(rows[0].job_id) if rows else None
        if scene is None or not (draw := plan.draw(scene)).asked:
            continue
        reasons = Counter(row.reason for row in entry.rows if row.row_type == "rejection").most_common(2)
        why = ", ".join(f"{reason} {count}" for reason, count in reasons) if draw.slots else NO_SHAPE
        told.append(f"{scene.name}: {why}")
    if not told:
        return ()
    return (Warned(WITHOUT_ODD, len(told), tuple(sorted(told)[:EXAMPLES])),)


CPU_S_SCENE_FIXED, CPU_S_SCENE_SAMPLE, CPU_S_SCENE_VIEW = 3.0, 0.155, 0.1
"""A scene: geometry and layout; Cycles a sample of a view; the rest of a view (ray casts, files).

Measured at 8, 16 and 32 samples on scenes of 3 to 8 objects: 2.5, 3.4 and 6.2 CPU-seconds of rendering a view. Other
machines took 0.7 to 1.7 times as much (docs/scenes.md, Cost).
"""
CPU_S_DENOISED = {"none": 0.36, "fast": 0.36, "accurate": 1.2}
"""Denoising a view, by how albedo and normal are cleaned first."""
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
        denoised = CPU_S_DENOISED[recipe.render.prefilter] if recipe.render.denoiser == "oidn" else 0.0
        cpu_s = (CPU_S_SCENE_SAMPLE * recipe.render.samples + CPU_S_SCENE_VIEW + denoised) * pixels
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
