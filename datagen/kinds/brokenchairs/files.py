"""The files beside the data of chairs: splits, the table of shapes, the card that says what the data is and whose."""

from collections import Counter
from collections.abc import Sequence

from datagen.formats.brokenchairs import SPLITS, UNSEEN, split_json
from datagen.formats.encode import json_bytes
from datagen.formats.pairs import PAIRS, pairs_bytes
from datagen.kinds.brokenchairs.pairs import list_pairs
from datagen.kinds.brokenchairs.plan import ChairPlan, open_part_materials
from datagen.materials.library import MaterialLibrary
from datagen.pipeline.warned import Warned, card_section
from datagen.recipe.models import QueryRecipe
from datagen.recipe.section import Section
from datagen.render.protocol import FAKE_NOTE
from datagen.scenes.lamps import room_of
from datagen.scenes.lights import light_setups
from datagen.store.dataset import Dataset

STAND_IN_NOTE = (
    "The shapes are stand-ins made by this project in PartNet's on-disk format. They are NOT PartNet data; "
    "figures obtained on them say nothing about BrokenChairs-180K."
)

KEPT_NOTE = (
    "Parts whose files give them a look (PartNet-Mobility) keep it: those looks come from the files of the shapes, "
    "under their licence. The materials below dress all other parts."
)


def root_files(
    plan: ChairPlan, dataset: Dataset, library: MaterialLibrary, renderer: str, warnings: Sequence[Warned]
) -> dict[str, bytes]:
    """Of the shapes of the plan and of those that an earlier build left."""
    committed = {row.shape_id for entry in dataset.entries.values() for row in entry.rows}
    planned = {entry.shape_id for entry in plan.shapes} | (committed & set(plan.ids))
    shapes = sorted(planned, key=lambda s: plan.ids[s])
    listed = (vars(row) for entry in dataset.entries.values() for row in entry.rows)
    paired = plan.recipe.reference.counterfactual
    return {
        **({PAIRS: pairs_bytes(list_pairs(listed, plan.recipe))} if paired else {}),
        "split.json": split_json({plan.ids[s]: plan.splits[s] for s in shapes}),
        "shapes.json": _shapes_table(plan, shapes),
        "README.md": _card(plan, shapes, library, renderer, warnings),
    }


def _shapes_table(plan: ChairPlan, shapes: Sequence[str]) -> bytes:
    """shapes.json: the integer id of every shape beside the source's name, model and split."""
    rows = {}
    for s in shapes:
        said = {"category": plan.category_of(s)} if plan.category_of(s) else {}
        rows[str(plan.ids[s])] = {"shape_id": s, "model_id": plan.model_of(s), "split": plan.splits[s], **said}
    return json_bytes({"source": plan.source.name, "shapes": rows}, indent=1)


def _card(
    plan: ChairPlan, shapes: Sequence[str], library: MaterialLibrary, renderer: str, warnings: Sequence[Warned] = ()
) -> bytes:
    """README.md of the dataset's folder: source and licence of shapes, materials and lights, and warnings."""
    names = (*SPLITS, UNSEEN) if UNSEEN in plan.splits.values() else SPLITS
    counts = {split: sum(plan.splits[s] == split for s in shapes) for split in names}
    worn = [*library.materials, *(m for part in open_part_materials(plan) for m in part.materials)]
    licences = sorted({(m.source, m.licence) for m in worn})
    lights = [
        f"| {light.index} | {light.world} | {len(light.suns)} |"
        for light in light_setups(plan.recipe.light, plan.recipe.seed)
    ]
    lines = [
        f"# {plan.recipe.name}",
        "",
        f"Conditional anomaly-detection data in the BrokenChairs-180K layout, made by datagen from {plan.source.name}.",
        *(["", f"**{STAND_IN_NOTE}**"] if plan.source.stand_in else []),
        *(["", f"**{FAKE_NOTE}**"] if renderer == "fake" else []),
        "",
        f"Seed {plan.recipe.seed}; {len(shapes)} shapes: "
        + ", ".join(f"{count} {split}" for split, count in counts.items())
        + ". `shapes.json` maps the integer ids to the source's names, `run.json` holds the whole recipe, "
        "`manifest.parquet` one row a sample or rejection. File formats: DATA.md of datagen.",
        "",
        "## Shapes",
        "",
        f"Source: {plan.source.name}. Licence: {plan.source.licence}",
        "",
        "| id | source name | model | split |",
        "|---|---|---|---|",
        *(f"| {plan.ids[s]} | {s} | {plan.model_of(s)} | {plan.splits[s]} |" for s in shapes),
        "",
        *_categories(plan, shapes),
        "## Materials",
        "",
        *([KEPT_NOTE, ""] if plan.recipe.materials.keep else []),
        "| source | licence |",
        "|---|---|",
        *(f"| {source} | {licence} |" for source, licence in licences),
        "",
        *_station(plan.recipe.query),
        "## Lights",
        "",
        "Environments carried by Blender (CC0, see its license.txt), blurred and white-balanced, with suns.",
        "",
        "| index | environment | suns |",
        "|---|---|---|",
        *lights,
        "",
        *card_section(warnings),
    ]
    return "\n".join(lines).encode()


def _station(query: QueryRecipe) -> list[str]:
    """The card's section on lights by millimetres and what lies behind parts; nothing where neither is asked for."""
    told = [f"* {light.kind}: {_words(getattr(light, light.kind))}" for light in query.lights]
    if not query.background.is_white:
        told.append(f"* background: {_words(query.background)}; `background` of the manifest says it of every picture")
    if not told:
        return []
    left = f"{room_of(query.lights):.0%} of the light below is left beside these." if query.lights else ""
    return ["## Station", "", *told, "", *([left, ""] if left else [])]


def _words(section: Section) -> str:
    """What a section says, on one line."""
    told = section.model_dump(mode="json", exclude_none=True)
    return ", ".join(f"{name} {value}" for name, value in told.items())


def _categories(plan: ChairPlan, shapes: Sequence[str]) -> list[str]:
    """The card's section on categories; nothing in a collection of chairs alone."""
    counts = Counter(plan.category_of(s) for s in shapes)
    if set(counts) <= {""}:
        return []
    lines = ["## Categories", "", "| category | shapes | split | classes of parts |", "|---|---|---|---|"]
    opaque = []
    for name, count in sorted(counts.items()):
        category = plan.recipe.categories.of(name)
        split = UNSEEN if name in plan.recipe.split.unseen else "train, val, test"
        words = category.words.many if count > 1 else category.words.one
        lines.append(f"| {name} | {count} {words} | {split} | {', '.join(category.classes)} |")
        if category.opaque:
            opaque.append(f"{', '.join(category.opaque)} of {category.words.many}")
    if opaque:
        lines += ["", f"Glass is rendered opaque: {'; '.join(opaque)}."]
    return [*lines, ""]
