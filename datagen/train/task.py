"""A training task: what is learned, from which datasets, and how it is measured. The loop knows no more of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from datagen.datasets.dataset import SampleDataset, require_samples
from datagen.datasets.online import GroupMaker
from datagen.train.calibration import Calibration
from datagen.train.config import TrainRecipe
from datagen.train.objective import Objective
from datagen.train.predictions import collect_scores
from datagen.train.report import score_report
from datagen.train.runtime import Runtime


class Answer(Protocol):
    """What a task says of one photo."""

    @property
    def picture(self) -> np.ndarray:
        """(H, W, 3) uint8."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of how the photo was read."""

    def lines(self) -> list[str]:
        """The answer in words."""

    def to_json(self) -> dict[str, Any]:
        """The answer as plain data."""


class ScoredAnswer(Answer, Protocol):
    """An answer that is one score."""

    @property
    def score(self) -> float:
        """0..1, larger for what looks more anomalous."""


@dataclass(frozen=True)
class Task:
    """A task by its name. What has a default may be left out: it serves a network that scores samples.

    A task says no kind of dataset: a kind names the tasks that learn from it (`kinds.registry.Kind.tasks`).
    """

    name: str
    """The word of a recipe's `task`."""
    recipe: type[TrainRecipe]
    open_data: Callable[[Path, str, Any, Any], SampleDataset]
    """(dataset's folder, split, recipe, objective) -> its samples. The objective is the one in training, to which
    samples are drawn and augmented; None reads them as they are, to evaluate. Raises UsageError, BrokenFile."""
    make_objective: Callable[[Any], Objective]
    """recipe -> the network, initialised from the recipe's seed alone, with its losses."""
    guide: str = "docs/train.md"
    """The page that explains the recipe's keys."""
    open_online: Callable[[GroupMaker, Any, Any], SampleDataset] | None = None
    """(what makes groups of pairs, recipe, objective) -> training samples without end; None: it learns from files
    alone."""
    require_data: Callable[[Path, Sequence[str]], None] = require_samples
    """(dataset's folder, splits) -> nothing. Raises BrokenFile for a split without samples, before anything is made."""
    named_split: Callable[[Path, str], str] = lambda folder, split: split
    """(dataset's folder, split as asked for) -> the name of the split that is taken. Raises UsageError, BrokenFile."""
    prepare: Callable[["Loaded", Any, Runtime], Any] = lambda loaded, data, runtime: data
    """(network, a split's samples, runtime) -> the samples as the recipe has them evaluated."""
    collect: Callable[[tuple[Any, ...], Mapping[str, np.ndarray]], Any] = collect_scores
    """(samples, columns of `Objective.answer` in their order) -> predictions."""
    report: Callable[[Any, float, int], dict[str, Any]] = score_report
    """(predictions, threshold, rounds of the bootstrap) -> metrics, as `report.score_report` lays them out."""
    more: Callable[["Loaded", Path, str, Runtime, int], dict[str, Any]] | None = None
    """(network, folder, split, runtime, rounds) -> what else is measured on the split, by keys of the report."""
    rows: Callable[[Any], Sequence[Mapping[str, Any]]] | None = None
    """predictions -> a row of scores-<split>.csv for each sample, by its columns. None: the path of the sample's query,
    label and score, where it has one."""
    blocks: Callable[["Evaluation", "Loaded"], Sequence[str]] = lambda found, loaded: ()
    """HTML below the page's figures, curves and confusions."""
    sweep: Callable[["Loaded", Path, str, Runtime], dict[str, dict[str, float | None]]] | None = None
    """(network, folder, split, runtime) -> AUC by axis and value, for `evaluate --sweep`."""
    judge: Callable[["Loaded", Path], Callable[..., ScoredAnswer]] | None = None
    """(network, reference's file or folder) -> a function of (photo's file, background=..., shadow=...) that says what
    the network makes of a photo beside that reference."""
    judge_scene: Callable[["Loaded", Path, int], Answer] | None = None
    """(network, folder of photographs with poses, how many of them at most) -> what it makes of the objects there."""
    read_published: Callable[[Path, Sequence[str]], tuple[Objective, TrainRecipe]] | None = None
    """(a .pt or .pth file, `--set` overrides) -> another program's network. Raises BadCheckpoint."""
    recipes: Mapping[str, str] = field(default_factory=dict)
    """`--model` -> the built-in recipe that is taken without `--recipe`; '' -> the one without either."""
    folders: tuple[str, ...] | None = None
    """Folders of data that it reads; None: all."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """A network ready to evaluate, the recipe it was made by, and its decision threshold from validation."""

    task: Task
    objective: Objective
    recipe: Any
    threshold: float
    origin: str
    """The checkpoint's file."""
    calibration: Calibration | None = None
    """What photographs say of its scores: `threshold` is then of calibrated ones."""
    overrides: tuple[str, ...] = ()
    """What `--set` changed of the recipe that it was trained by."""

    def calibrated(self, score: float) -> float:
        """A score of the network, in 0..1, as it is told."""
        return score if self.calibration is None else self.calibration(score)

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return next(self.objective.parameters()).device


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Metrics as plain data, and what they were computed from."""

    report: dict[str, Any]
    predictions: Any
    data: Any
