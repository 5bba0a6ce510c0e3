"""The files beside scenes: splits, the protocol, the table of shapes, the card."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from datagen.formats.encode import json_bytes
from datagen.formats.oddoneout import split_json
from datagen.kinds.oddoneout.plan import ScenePlan, five_views
from datagen.kinds.oddoneout.tools import open_floor_library
from datagen.materials.library import MaterialLibrary
from datagen.pipeline.warned import Warned, card_section
from datagen.render.protocol import FAKE_NOTE
from datagen.shapes.procedural.things.source import NOTE
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
    return _files(plan, library, open_floor_library(plan), renderer, frozenset(lost), warnings)


def _files(
    plan: ScenePlan,
    library: MaterialLibrary,
    floors: MaterialLibrary,
    renderer: str,
    lost: frozenset[str],
    warnings: Sequence[Warned] = (),
) -> dict[str, bytes]:
    """Files that are functions of the plan; scenes in `lost` could not be made and are in no split."""
    return {
        "split.json": split_json(plan.by_split(lost)),
        "split-count.json": split_json(plan.by_count(lost)),
        "protocol.json": json_bytes(
            {"views": plan.recipe.camera.views, "five_views": five_views(plan.recipe.camera.views)}
        ),
        "shapes.json": _shapes(plan),
        "README.md": _card(plan, library, floors, renderer, lost, warnings),
    }


def _shapes(plan: ScenePlan) -> bytes:
    rows = {
        e.shape_id: {"id": plan.ids[e.shape_id], "category": e.category, "split": plan.splits[e.shape_id]}
        for e in sorted(plan.shapes, key=lambda e: e.shape_id)
    }
    return json_bytes({"source": plan.source.name, "shapes": rows}, indent=1)


def _card(
    plan: ScenePlan,
    library: MaterialLibrary,
    floors: MaterialLibrary,
    renderer: str,
    lost: frozenset[str],
    warnings: Sequence[Warned],
) -> bytes:
    recipe = plan.recipe
    counts = {split: len(names) for split, names in plan.by_split(lost).items()}
    shapes = Counter(plan.splits[e.shape_id] for e in plan.shapes)
    licences = sorted({(m.source, m.licence) for lib in (library, floors) for m in lib.materials})
    lines = [
        f"# {recipe.name}",
        "",
        "Scenes of several objects of one kind, some of them odd, in the layout of ToysAD-8K and PartsAD-15K, made by "
        f"datagen from {plan.source.name}.",
        *(["", f"**{NOTE}**"] if plan.source.stand_in else []),
        *(["", f"**{FAKE_NOTE}**"] if renderer == "fake" else []),
        "",
        f"Seed {recipe.seed}; {recipe.camera.views} views a scene. `scenes/` is what `dataset.data_path` points to, "
        "`split.json` what `dataset.split_path` does. `run.json` holds the whole recipe, `manifest.parquet` a row a "
        "scene, object, view and rejection. File formats: DATA.md of datagen.",
        "",
        "| split | scenes | shapes |",
        "|---|---|---|",
        *(f"| {split} | {count} | {shapes[split]} |" for split, count in counts.items()),
        "",
        f"`bbox` carries the {'true world box' if recipe.bbox == 'world' else 'published form'}; both forms stand "
        "beside it as `bbox_world` and `bbox_published`.",
        "",
        "## Shapes",
        "",
        f"Source: {plan.source.name}. Licence: {plan.source.licence}. `shapes.json` lists them with their splits.",
        "",
        "## Materials and floors",
        "",
        "| source | licence |",
        "|---|---|",
        *(f"| {source} | {licence} |" for source, licence in licences),
        "",
        "## Environments",
        "",
        "Carried by Blender (CC0), `procedural:<n>` made by datagen, or the user's own files:",
        "",
        *(f"- {world}" for world in recipe.light.worlds),
        "",
        *card_section(warnings),
    ]
    return "\n".join(lines).encode()
