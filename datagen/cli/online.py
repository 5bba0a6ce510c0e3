"""`datagen train --online`: what makes pairs while training, and that nothing held out is trained on."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datagen.cli.console import console as open_console
from datagen.cli.console import say
from datagen.cli.train_options import TrainOptions
from datagen.core.errors import ShapeError, UsageError
from datagen.core.shape import Mesh, concatenate

if TYPE_CHECKING:
    from datagen.datasets.online import GroupMaker
    from datagen.kinds.registry import Kind

SHOWN = 5
"""Shapes that a message names."""


def open_online(options: TrainOptions, kind: "Kind", recipe: Any) -> "tuple[GroupMaker, dict[str, Any]]":
    """What makes pairs by `--online` and `--shapes`, and the record of its plan.

    Raises UsageError for options or recipes that do not go together, and where a shape that validates or tests would be
    trained on.
    """
    from datagen.datasets.config import CELLS
    from datagen.kinds.registry import load_recipe, open_shapes
    from datagen.recipe.loader import find_recipe

    if not (options.online and options.shapes):
        raise UsageError("--online RECIPE and --shapes COLLECTION go together")
    if kind.groups is None:
        raise UsageError(f"kind {kind.name} makes no pairs while training; leave --online out")
    if recipe.data.pairs != "counterfactual":
        raise UsageError(
            f"--online makes pairs: data.pairs {recipe.data.pairs} has to be counterfactual; leave --set data.pairs out"
        )
    made_by = load_recipe(find_recipe(options.online))
    if made_by.kind != kind.name:
        raise UsageError(
            f"--online {options.online} is a recipe of kind {made_by.kind}, and {options.data} is of kind {kind.name}; "
            f"give a recipe of kind {kind.name}"
        )
    plan = kind.building.plan(made_by, open_shapes(made_by, options.shapes))
    cameras = max(1, recipe.data.queries_per_shape // CELLS)
    maker = kind.groups(plan, recipe.seed, recipe.data.image_px, cameras)
    keep_apart(options.data, plan)
    return maker, plan.run_record()


def keep_apart(data: Path, plan: Any) -> None:
    """Raises UsageError where one of the plan's training shapes is of the same geometry as one that the dataset holds
    out."""
    from datagen.datasets.held_out import HeldOut
    from datagen.datasets.samples import open_dataset

    held = HeldOut(open_dataset(data))
    if held.unknown:
        say(
            open_console(),
            "note",
            f"{len(held.unknown)} shapes that {data} holds out have no model.obj: they may be trained on",
        )
    both = held.among(_training_meshes(plan))
    if not both:
        return
    named = [name if name == there else f"{name} (there {there})" for name, there in both]
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    raise UsageError(
        f"{len(both)} shapes that {data} holds out would be trained on: {', '.join(named[:SHOWN])}{more}; give "
        f"--online the recipe that stands in {data / 'run.json'} under 'recipe', with the collection that was built "
        "from, or take these shapes out of --shapes"
    )


def _training_meshes(plan: Any) -> Iterator[tuple[str, Mesh]]:
    for shape, split in plan.splits.items():
        if split == "train":
            try:
                yield str(shape), concatenate(part.mesh for part in plan.source.load(shape).parts)
            except ShapeError:
                # Nothing can be made of it.
                continue
