"""The commands as Python functions, for people with their own parts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datagen.anomalies.registry import apply, operators, propose, require_usable
from datagen.core.anomaly import AnomalousShape, Rejected
from datagen.core.errors import UsageError
from datagen.core.rng import stream
from datagen.core.shape import Shape
from datagen.kinds.registry import building_of, make_plan, open_shapes
from datagen.kinds.registry import load_recipe as read_recipe
from datagen.pipeline.build import Scope, Watcher
from datagen.pipeline.build import build as build_plan
from datagen.pipeline.run_ray import RayExecutor
from datagen.pipeline.summary import Summary
from datagen.pipeline.worker import Site
from datagen.recipe import DatasetRecipe
from datagen.recipe.loader import find_recipe
from datagen.shapes.collections import open_collection as open_source
from datagen.shapes.source import Source

ATTEMPTS = 24
"""Proposals that `make_anomaly` makes before it gives up."""
__all__ = ["Summary", "build", "estimate", "load_recipe", "make_anomaly", "open_collection"]


def open_collection(spec: str | Path, data_root: str | Path | None = None) -> Source:
    """A collection by name (`toys`) or path. Raises EmptyCollection, UsageError."""
    return open_source(str(spec), Path(data_root) if data_root else None)


def load_recipe(
    name: str | Path | None = None, overrides: Sequence[str] = (), seed: int | None = None
) -> DatasetRecipe:
    """A recipe file or built-in recipe with `section.key=value` overrides. Raises RecipeError."""
    recipe: DatasetRecipe = read_recipe(find_recipe(str(name) if name else None), overrides, seed)
    return recipe


def build(
    shapes: Source | str | Path,
    out: str | Path,
    recipe: DatasetRecipe | None = None,
    *,
    limit: int | None = None,
    renderer: str = "cycles",
    workers: int | None = None,
    skip: Sequence[str] = (),
    watch: Watcher = lambda outcome: None,
) -> Summary:
    """Build a dataset, or go on with one; returns the closing figures. Raises what the command exits with."""
    recipe = recipe or load_recipe()
    plan = make_plan(recipe, _source(shapes, recipe), limit)
    return build_plan(Site(plan, Path(out), renderer), RayExecutor(workers), watch, Scope(skip))


def estimate(
    shapes: Source | str | Path, recipe: DatasetRecipe | None = None, *, limit: int | None = None
) -> dict[str, Any]:
    """Jobs, images, disk and CPU-hours of a build, without making it."""
    recipe = recipe or load_recipe()
    plan = make_plan(recipe, _source(shapes, recipe), limit)
    figures: dict[str, Any] = plan.building.estimate(plan, "cycles")
    return figures


def _source(shapes: Source | str | Path, recipe: DatasetRecipe) -> Source:
    if isinstance(shapes, Source):
        return shapes
    return open_shapes(recipe, str(shapes))


def make_anomaly(
    shape: Shape, kind: str, *, seed: int = 0, recipe: DatasetRecipe | None = None
) -> AnomalousShape | Rejected:
    """One anomaly of a kind on one shape: proposals until one is accepted, else the last rejection.

    Raises UsageError for a word that is no kind, and for a kind that needs more than the shape.
    """
    recipe = recipe or load_recipe()
    alone = building_of(recipe).alone
    if alone is None:
        raise UsageError(f"datasets of kind {recipe.kind} give shapes no anomalies; take another recipe")
    setting = alone(recipe)
    if kind not in operators():
        raise UsageError(f"'{kind}' is no kind of anomaly; the kinds are {', '.join(operators())}")
    require_usable([kind], setting, recipe.kind)
    outcome: AnomalousShape | Rejected = Rejected("no_attempt")
    for attempt in range(ATTEMPTS):
        rng = stream(seed, "make-anomaly", shape.shape_id, kind, attempt)
        _, spec = propose(shape, kind, rng, setting)
        outcome = spec if isinstance(spec, Rejected) else apply(shape, spec, setting)
        if isinstance(outcome, AnomalousShape):
            break
    return outcome
