"""The files beside the data of chairs: splits, the table of shapes, the card."""

from collections.abc import Sequence

from datagen.formats.brokenchairs import split_json
from datagen.kinds.brokenchairs.card import dataset_card, shapes_table
from datagen.kinds.brokenchairs.plan import ChairPlan
from datagen.materials.library import MaterialLibrary
from datagen.pipeline.warned import Warned
from datagen.store.dataset import Dataset


def root_files(
    plan: ChairPlan, dataset: Dataset, library: MaterialLibrary, renderer: str, warnings: Sequence[Warned]
) -> dict[str, bytes]:
    """Of the shapes of the plan and of those that an earlier build left."""
    committed = {row.shape_id for entry in dataset.entries.values() for row in entry.rows}
    planned = {entry.shape_id for entry in plan.shapes} | (committed & set(plan.ids))
    shapes = sorted(planned, key=lambda s: plan.ids[s])
    return {
        "split.json": split_json({plan.ids[s]: plan.splits[s] for s in shapes}),
        "shapes.json": shapes_table(plan, shapes),
        "README.md": dataset_card(plan, shapes, library, renderer, warnings),
    }
