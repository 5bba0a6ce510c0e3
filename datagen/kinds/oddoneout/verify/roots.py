"""Checks of the tables beside the scenes, against the scenes themselves."""

from collections.abc import Iterator

from datagen.kinds.oddoneout.plan import study_keys
from datagen.kinds.oddoneout.verify.alike import differing
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.recast import CHECKS
from datagen.kinds.oddoneout.verify.rows import made_here
from datagen.verify.check import ERROR, Finding


def _shapes(e: SceneEvidence) -> str:
    return made_here(e) if e.tree.shapes_table is None else ""


@CHECKS.check(ERROR, "Whoever chooses scenes by their shape looks it up there.", needs=(_shapes,))
def scene_shapes_listed(e: SceneEvidence) -> Iterator[Finding]:
    """shapes.json lists every shape that scenes show, with its category and its one split, of their source."""
    table = e.tree.shapes_table
    listed = table.get("shapes") if isinstance(table, dict) else None
    if not isinstance(table, dict) or not isinstance(listed, dict):
        yield Finding("shapes.json", "is missing or lists no shapes")
        return
    for scene in e.scenes:
        shape_id = e.shape_of(scene)
        row = listed.get(shape_id)
        if not isinstance(row, dict):
            yield Finding("shapes.json", f"does not list {shape_id}, which {scene.name} shows")
            continue
        wanted = {key: scene.extra[key] for key in ("category", "split") if key in scene.extra}
        for key, said, meant in differing(row, wanted):
            yield Finding("shapes.json", f"says {key} {said} of {shape_id}, {scene.name} {meant}")
        if "source" in scene.extra and table.get("source") != scene.extra["source"]:
            yield Finding("shapes.json", f"is of {table.get('source')}, {scene.name} of {scene.extra['source']}")
    if e.plan is not None:
        yield from _unplanned(e, listed)


def _unplanned(e: SceneEvidence, listed: dict[str, object]) -> Iterator[Finding]:
    """Shapes that are listed otherwise than the recipe deals them."""
    plan = e.plan
    assert plan is not None
    categories = {entry.shape_id: entry.category for entry in plan.chosen}
    for shape_id, row in listed.items():
        if shape_id not in categories:
            yield Finding("shapes.json", f"lists {shape_id}, which the recipe does not use")
            continue
        wanted = {"id": plan.ids[shape_id], "category": categories[shape_id], "split": plan.splits[shape_id]}
        for key, said, meant in differing(row if isinstance(row, dict) else {}, wanted):
            yield Finding("shapes.json", f"says {key} {said} of {shape_id}, the recipe {meant}")


@CHECKS.check(ERROR, "The object-count study trains and tests by it.", needs=(made_here,))
def scene_counts_split(e: SceneEvidence) -> Iterator[Finding]:
    """split-count.json has every scene under its side and number of objects, and names none that split.json has not."""
    table = e.split_count
    if not isinstance(table, dict) or not all(isinstance(names, list) for names in table.values()):
        yield Finding("split-count.json", "is no table of scenes")
        return
    told: dict[str, list[str]] = {}
    for key, names in table.items():
        for name in names:
            told.setdefault(str(name), []).append(str(key))
    for scene in e.scenes:
        split = e.split_of.get(scene.name)
        wanted = [] if split is None else list(study_keys(split, len(scene.objects)))
        found = told.pop(scene.name, [])
        if found != wanted:
            yield Finding("split-count.json", f"has {scene.name} under {found}, it belongs under {wanted}")
    for name in sorted(told.keys() - e.split_of.keys()):
        yield Finding("split-count.json", f"names {name}, which split.json does not")
