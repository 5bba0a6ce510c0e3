"""From a dataset's folder and a recipe to samples."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from datagen.core.errors import UsageError
from datagen.datasets.config import DataConfig
from datagen.datasets.matching import MatchingDataset
from datagen.datasets.online import GroupMaker, OnlineDataset
from datagen.datasets.pack import open_packed
from datagen.datasets.paired import PairedDataset
from datagen.datasets.pairs import has_pairs, list_pairs
from datagen.datasets.samples import Sample, list_samples, open_dataset, read_table
from datagen.datasets.source import LooseSource, SampleSource
from datagen.store.reader import DatasetReader
from datagen.train.tasks.matching.objective import DetectionObjective
from datagen.train.tasks.matching.recipe import ALIGNED, COMPARES, MatchingRecipe

Anyone = TypeVar("Anyone", bound=Sample)


def open_source(files: DatasetReader, samples: list[Sample], recipe: MatchingRecipe) -> SampleSource:
    """The packed cache where the recipe wants it, else the files themselves."""
    if recipe.data.pack:
        aligned = recipe.model.network in ALIGNED and recipe.loss.view_view
        return open_packed(files, samples, recipe.data.image_px, matched=aligned)
    return LooseSource(files, recipe.data.image_px)


def require_samples(folder: Path, splits: Sequence[str]) -> None:
    """Raises BrokenFile for a split without samples, UsageError when there is no dataset."""
    files = open_dataset(folder)
    for split in splits:
        list_samples(files, split)


def open_split(
    folder: Path, split: str, recipe: MatchingRecipe, objective: DetectionObjective | None = None
) -> MatchingDataset:
    """The samples of a split as a Dataset; `train` is cut to `data.shapes`, and augmented for an `objective`.

    Raises UsageError when there is no dataset, and in training where the recipe names what it does not have, BrokenFile
    naming a file.
    """
    files = open_dataset(folder)
    if objective is not None and split == "train":
        require_known(files, recipe.data)
    if objective is not None and split == "train" and recipe.data.pairs != "natural":
        return _open_paired(files, recipe, objective)
    samples = list_samples(files, split)
    if split == "train":
        samples = first_shapes(samples, recipe.data.shapes)
    if objective is not None:
        samples = seen_in_training(samples, recipe.data)
    return MatchingDataset(
        open_source(files, samples, recipe),
        samples,
        recipe.data,
        train=split == "train" and objective is not None,
        seed=recipe.seed,
        plan=objective.plan() if objective else None,
        published=recipe.model.network == "published",
        changed=recipe.model.network in COMPARES,
    )


def _open_paired(files: DatasetReader, recipe: MatchingRecipe, objective: DetectionObjective) -> PairedDataset:
    every = first_shapes(list_pairs(files, "train", balanced=True), recipe.data.shapes)
    cells = seen_in_training(every, recipe.data)
    natural = first_shapes(list_samples(files, "train"), recipe.data.shapes) if recipe.data.pairs == "mixed" else []
    natural = seen_in_training(natural, recipe.data)
    return PairedDataset(
        open_source(files, [*cells, *natural], recipe),
        cells,
        natural,
        recipe.data,
        train=True,
        seed=recipe.seed,
        plan=objective.plan(),
        changed=recipe.model.network in COMPARES,
    )


def open_online(maker: GroupMaker, recipe: MatchingRecipe, objective: DetectionObjective) -> OnlineDataset:
    """Pairs that are made while training. Raises UsageError for a recipe that does not learn from pairs."""
    if recipe.data.pairs != "counterfactual":
        raise UsageError(
            f"groups made while training are pairs; data.pairs {recipe.data.pairs} has to be counterfactual"
        )
    return OnlineDataset(maker, recipe.data, recipe.seed, changed=recipe.model.network in COMPARES)


def open_pairs(folder: Path, split: str, recipe: MatchingRecipe) -> PairedDataset | None:
    """Every pair of a split, as evaluation sees them; None where the dataset lists none of it.

    Raises UsageError when there is no dataset, BrokenFile naming a file.
    """
    files = open_dataset(folder)
    if not has_pairs(files, split):
        return None
    cells = list_pairs(files, split)
    if recipe.data.against == "own_camera":
        # Of two anomalies of one object there is no picture at the query's camera.
        cells = [cell for cell in cells if cell.own_view]
    return PairedDataset(open_source(files, list[Sample](cells), recipe), cells, [], recipe.data, train=False)


def seen_in_training(samples: list[Anyone], config: DataConfig) -> list[Anyone]:
    """Samples without the kinds and shapes that are kept from training.

    Raises UsageError where none is left, or no normal or no anomalous one.
    """
    left = [s for s in samples if s.kind not in config.leave_out and s.shape not in config.skip]
    if samples and not left:
        raise UsageError("data.leave_out and data.skip leave nothing to train on")
    if len({s.label for s in left}) < len({s.label for s in samples}):
        gone = "normal" if left[0].label else "anomalous"
        raise UsageError(f"data.leave_out and data.skip leave no {gone} sample to train on; name fewer")
    return left


def require_known(files: DatasetReader, config: DataConfig) -> None:
    """Raises UsageError where `leave_out`, `skip` or `shapes` name kinds, shapes or more shapes than a dataset has."""
    if not (config.skip or config.leave_out or config.shapes):
        return
    shapes = {name: list(map(str, found)) for name, found in read_table(files, "split.json").items()}
    every = {shape for found in shapes.values() for shape in found}
    if unknown := [shape for shape in config.skip if shape not in every]:
        raise UsageError(f"data.skip: {files.root} has no shape {', '.join(unknown)}; its shapes are in split.json")
    if config.leave_out:
        samples = (sample for name, found in shapes.items() if found for sample in list_samples(files, name))
        kinds = {sample.kind for sample in samples}
        if unknown := [kind for kind in config.leave_out if kind not in kinds]:
            known = ", ".join(sorted(kinds))
            raise UsageError(f"data.leave_out: {files.root} has no kind {', '.join(unknown)}; its kinds are {known}")
    count = len(shapes.get("train", ()))
    if config.shapes and config.shapes > count:
        raise UsageError(f"data.shapes {config.shapes}: the training split of {files.root} has {count}; leave it out")


def first_shapes(samples: list[Anyone], count: int | None) -> list[Anyone]:
    """The samples of the first `count` shapes; all by default."""
    names = sorted({sample.shape for sample in samples}, key=lambda name: (len(name), name))
    first = set(names[:count])
    return [sample for sample in samples if sample.shape in first]
