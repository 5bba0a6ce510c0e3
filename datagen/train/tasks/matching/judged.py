"""What finished runs say of a test split, kept beside them: a study that goes on asks nothing twice."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from datagen.core.ids import content_hash
from datagen.datasets.config import Against
from datagen.datasets.pairs import has_pairs, list_pairs
from datagen.datasets.samples import Sample, list_samples, open_dataset
from datagen.store.reader import content_key
from datagen.train.checkpoint import checkpoint_of
from datagen.train.infer import predict_split
from datagen.train.load import load_network
from datagen.train.runtime import Runtime
from datagen.train.tasks.matching.data import open_pairs, open_split
from datagen.train.tasks.matching.predictions import MatchingPredictions
from datagen.train.tasks.matching.recipe import with_data
from datagen.train.tasks.matching.refine import DRAWN_PX, OTHERS

COLUMNS = tuple(field.name for field in fields(MatchingPredictions) if field.name != "samples")


@dataclass(frozen=True)
class Question:
    """A test split of a dataset, how it is compared, and what control it is."""

    data: Path
    pairs: bool = False
    against: Against = "view"
    shuffled: bool = False
    blank: bool = False


def judged(run: Path, question: Question, runtime: Runtime) -> MatchingPredictions | None:
    """Predictions of a run's best network; None for pairs of a split that lists none, and for references of other
    shapes where there is no other."""
    if question.shuffled and not _has_others(question):
        return None
    loaded = load_network(run, runtime.device)
    recipe = with_data(
        loaded.recipe,
        against=question.against,
        shuffle_references=question.shuffled,
        blank_references=question.blank or loaded.recipe.data.blank_references,
    )
    asked = replace(loaded, recipe=recipe)
    data = open_pairs(question.data, "test", recipe) if question.pairs else open_split(question.data, "test", recipe)
    if data is None:
        return None
    told = [content_key(open_dataset(question.data), times=False), question.pairs, question.against]
    # Answers by renders that were found or drawn otherwise are not these.
    told += [DRAWN_PX, OTHERS] if question.against in ("mesh", "points", "best") else []
    told += [question.shuffled, recipe.data.blank_references, checkpoint_of(run).stat().st_mtime_ns]
    kept = run / "judged" / f"{content_hash(told)[:16]}.npz"
    if kept.is_file():
        with np.load(kept) as columns:
            given: dict[str, Any] = {name: columns[name] for name in columns.files}
            return MatchingPredictions(samples=tuple(data.samples), **given)
    with_renders = loaded.task.prepare(asked, data, runtime)
    found = predict_split(loaded.task, loaded.objective, with_renders, runtime, recipe)
    kept.parent.mkdir(exist_ok=True)
    columns = {name: getattr(found, name) for name in COLUMNS if getattr(found, name) is not None}
    np.savez_compressed(kept, **columns)
    (kept.with_suffix(".json")).write_text(json.dumps({**question.__dict__, "data": str(question.data)}) + "\n")
    return cast(MatchingPredictions, found)


def _has_others(question: Question) -> bool:
    """Whether what is asked of has two shapes or more."""
    files = open_dataset(question.data)
    if question.pairs and not has_pairs(files, "test"):
        return False
    asked: Sequence[Sample] = list_pairs(files, "test") if question.pairs else list_samples(files, "test")
    return len({sample.shape for sample in asked}) > 1
