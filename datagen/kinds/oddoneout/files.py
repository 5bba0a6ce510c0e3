"""The files beside scenes: splits, the protocol, the table of shapes, the card."""

from collections.abc import Sequence
from dataclasses import replace

from datagen.kinds.oddoneout.assets import open_floor_library
from datagen.kinds.oddoneout.card import scene_root_files
from datagen.kinds.oddoneout.plan import ScenePlan
from datagen.materials.library import MaterialLibrary
from datagen.pipeline.warned import Warned
from datagen.store.dataset import Dataset


def root_files(
    plan: ScenePlan, dataset: Dataset, library: MaterialLibrary, renderer: str, warnings: Sequence[Warned]
) -> dict[str, bytes]:
    """Of the scenes of the plan and of those already there, but none that could not be made."""
    entries = dataset.entries
    lost = {plan.scene_of[job_id].name for job_id in set(entries) & set(plan.scene_of) if entries[job_id].quarantined}
    if set(entries) - set(plan.scene_of):  # an earlier build of this folder had a larger limit
        whole = replace(plan, limit=None)
        there = {whole.scene_of[job_id].name for job_id in set(entries) & set(whole.scene_of)}
        there |= {scene.name for scene in plan.scenes}
        lost |= {scene.name for scene in whole.scenes if scene.name not in there}
        plan = whole
    return scene_root_files(plan, library, open_floor_library(plan), renderer, frozenset(lost), warnings)
