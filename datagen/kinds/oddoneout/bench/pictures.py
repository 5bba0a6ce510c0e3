"""Scenes as the pipeline makes them, four views of each: what rendering of scenes is measured on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from datagen.bench.targets import VIEWS, MeasuredObject, Target
from datagen.core.errors import ShapeError
from datagen.core.row import Job, Row
from datagen.kinds.oddoneout.arrange import arrange, draw_members, least_changed
from datagen.kinds.oddoneout.jobs import drawn_look, scene_of
from datagen.kinds.oddoneout.kind import plan_scenes
from datagen.kinds.oddoneout.plan import PlannedScene
from datagen.kinds.oddoneout.shapes import SceneContext
from datagen.materials.open import open_libraries
from datagen.recipe import SceneRecipe
from datagen.recipe.loader import find_recipe, load_recipe
from datagen.recipe.scenes import SCENE_PRESETS, SceneRenderRecipe
from datagen.shapes.collections import open_collection

CONVERGED: Mapping[str, object] = {
    "samples": 512,
    "adaptive_threshold": 0.0,
    "denoiser": "none",
    "max_bounces": 4,
    "clamp_indirect": 6.0,
    "device": "cpu",
}
"""What a scene is compared with: clamped as the recipe does it, since a bright speck takes thousands of samples."""


def presets() -> dict[str, dict[str, Any]]:
    """Engine settings of every preset of scenes, as a render job has them."""
    return {name: SceneRenderRecipe.model_validate({"preset": name}).model_dump(mode="json") for name in SCENE_PRESETS}


def make_scenes(count: int, pictures: int, collections: Sequence[str]) -> Iterator[MeasuredObject]:
    """So many scenes with an odd object, dealt over the collections, and of each the first `pictures` of four views.

    The four are spread over the views in which the anomaly shows. A scene in which it shows in fewer gives way to the
    next. Raises ShapeError when a collection has too few shapes for it, UsageError for an unknown one.
    """
    sources = [_scenes(name, count) for name in collections]
    for k in range(count):
        found = next(sources[k % len(sources)], None)
        if found is None:
            name = collections[k % len(collections)]
            raise ShapeError(f"{name} has too few scenes in which an anomaly shows; name a larger collection")
        yield replace(found, targets=found.targets[:pictures])


def _scenes(collection: str, count: int) -> Iterator[MeasuredObject]:
    sets = [f"split.scenes={{train: {2 * count}}}", "split.unseen=[]", "layout.normal_share=0"]
    recipe = load_recipe(find_recipe("toysad_quickstart"), {"oddoneout": SceneRecipe}, sets)
    assert isinstance(recipe, SceneRecipe), "the only model given"
    plan = plan_scenes(recipe, open_collection(collection, textured=True))
    context = SceneContext(plan, open_libraries(recipe.materials.libraries, recipe.seed), "cycles")
    for job, scene in zip(plan.jobs(), plan.scenes, strict=True):
        found = _measured(context, job, scene)
        if found is not None:
            yield found


def _measured(context: SceneContext, job: Job, scene: PlannedScene) -> MeasuredObject | None:
    """A scene with four targets; None where its anomaly is not seen in as many views."""
    plan = context.plan
    rows: list[Row] = []
    arrangement, views = arrange(job, context, scene, draw_members(job, context, scene, rows), rows)
    shown = [k for k, mask in enumerate(views.changed) if mask.sum() >= least_changed(plan.recipe)]
    if len(shown) < VIEWS:
        return None
    whole = scene_of(context, arrangement, *drawn_look(context, scene))
    targets = tuple(
        Target(whole.views[k], views.frames[k].object_index > 0, views.changed[k], whole=True)
        for k in (shown[j] for j in np.linspace(0, len(shown) - 1, VIEWS).round().astype(int))
    )
    kind = next(member.kind for member in arrangement.members if member.odd)
    faces = sum(len(part.mesh.faces) for thing in whole.objects for part in thing.parts)
    return MeasuredObject(f"{plan.source.name}/{scene.name}", kind, faces, replace(whole, views=()), targets)
