"""What finished runs say of a split of scenes, kept beside them: a study that goes on asks nothing twice."""

import io
import json
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np

from datagen.core.ids import content_hash
from datagen.formats.oddoneout import FOLDER
from datagen.store.files import write_whole
from datagen.store.reader import files_key
from datagen.train.checkpoint import checkpoint_of
from datagen.train.infer import predict_split
from datagen.train.load import load_network
from datagen.train.recipes import apply_overrides
from datagen.train.runtime import Runtime
from datagen.train.tasks.detector.predictions import ObjectPredictions, rows_of
from datagen.train.tasks.detector.report import of_twins
from datagen.train.tasks.detector.scenes import SceneObjective
from datagen.train.tasks.detector.task import open_folder, open_split

COLUMNS = tuple(field.name for field in fields(ObjectPredictions) if field.name != "samples")


@dataclass(frozen=True)
class Question:
    """A split of a dataset, with boxes given or found in a way, and the views that are seen."""

    data: Path
    split: str
    boxes: str = ""
    """As `SceneObjective.ways`; nothing for the true ones."""
    protocol: int = 0
    views: int | None = None
    """How many; by default as many as in training."""


@cache
def _state(data: Path) -> str:
    """The files of a dataset as they lie there when a study first asks for it."""
    return files_key(open_folder(data), [FOLDER])


def judged(run: Path, question: Question, runtime: Runtime) -> ObjectPredictions | None:
    """Predictions of a run's best network, of swapped majorities those of `of_twins`; None where it has no such way to
    find boxes."""
    loaded = load_network(run, runtime.device)
    objective = cast(SceneObjective, loaded.objective)
    if question.boxes and question.boxes not in objective.ways:
        return None
    more = [f"data.protocol={question.protocol}"]
    more += [f"data.views={question.views}"] if question.views else []
    recipe = apply_overrides(loaded.recipe, more)
    data = open_split(question.data, question.split, recipe)
    told = [_state(question.data), question.split, question.boxes, question.protocol]
    told += [question.views, checkpoint_of(run).stat().st_mtime_ns]
    kept = run / "judged" / f"{content_hash(told)[:16]}.npz"
    if kept.is_file():
        with np.load(kept) as columns:
            given: dict[str, Any] = {name: columns[name] for name in columns.files}
            return of_twins(ObjectPredictions(samples=rows_of(tuple(data.samples)), **given))
    options = {"boxes": question.boxes} if question.boxes else {}
    found: ObjectPredictions = predict_split(loaded.task, objective, data, runtime, recipe, **options)
    whole = io.BytesIO()
    np.savez_compressed(whole, **{name: getattr(found, name) for name in COLUMNS})
    # A study that is ended leaves no half answer.
    write_whole(kept, whole.getvalue())
    told_plainly = json.dumps({**asdict(question), "data": str(question.data)})
    kept.with_suffix(".json").write_text(told_plainly + "\n", encoding="utf-8")
    return of_twins(found)
