"""`datagen train --online`: what makes pairs while training, and that nothing held out is trained on."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datagen.cli.train_options import TrainOptions
from datagen.core.errors import UsageError

if TYPE_CHECKING:
    from datagen.datasets.online import GroupMaker
    from datagen.kinds.registry import Kind


def open_online(options: TrainOptions, kind: "Kind", recipe: Any) -> "tuple[GroupMaker, dict[str, Any]]":
    """What makes pairs by `--online` and `--shapes`, and the record of its plan.

    Raises UsageError where a shape that validates or tests would be trained on.
    """
    from datagen.datasets.config import CELLS
    from datagen.kinds.registry import load_recipe, open_shapes
    from datagen.recipe.loader import find_recipe

    if not (options.online and options.shapes):
        raise UsageError("--online RECIPE and --shapes COLLECTION go together")
    if kind.groups is None:
        raise UsageError(f"kind {kind.name} makes no pairs while training; leave --online out")
    made_by = load_recipe(find_recipe(options.online))
    plan = kind.building.plan(made_by, open_shapes(made_by, options.shapes))
    cameras = max(1, recipe.data.queries_per_shape // CELLS)
    maker = kind.groups(plan, recipe.seed, recipe.data.image_px, cameras)
    keep_apart(options.data, plan)
    return maker, plan.run_record()


def keep_apart(data: Path, plan: Any) -> None:
    """Raises UsageError where a shape that the dataset holds out is one of the plan's training shapes."""
    from datagen.datasets.samples import list_samples, open_dataset

    run = data / "run.json"
    made = json.loads(run.read_text(encoding="utf-8")) if run.is_file() else {}
    record = plan.run_record()
    if not any(made.get(key) == record[key] for key in ("source", "collection_hash")):
        return
    trained = {str(plan.ids[shape]) for shape, split in plan.splits.items() if split == "train"}
    files = open_dataset(data)
    split = json.loads(files.read("split.json"))
    both = sorted(
        trained & {sample.shape for name in ("val", "test") if split.get(name) for sample in list_samples(files, name)}
    )
    if both:
        raise UsageError(
            f"{len(both)} shapes that {data} holds out would be trained on ({', '.join(both[:3])}, ...); "
            "give --online a recipe with the split of that dataset"
        )
