"""What each part of the detector is worth: the rows of Table 2 and the baselines of Table 1, at a size for a CPU.

`python -m datagen.train.tasks.detector.study --data DIR --out DIR` trains every arm for every seed and judges unseen
and seen categories, with true boxes and with found ones; with `--swap DIR` swapped majorities too. It
writes study.json and study.md. Runs, and what they answered, are kept: a study that was ended goes on.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from datagen.core.command import from_one, run_command
from datagen.core.errors import UsageError
from datagen.core.statistics import auc
from datagen.datasets.samples import read_table
from datagen.datasets.scenes import list_scenes
from datagen.train.recipes import load_train_recipe
from datagen.train.report import Figure, without_nan
from datagen.train.runtime import Runtime, open_runtime
from datagen.train.seeds import difference, fit, fit_all, mean_of_seeds
from datagen.train.tasks.detector.judged import Question, judged
from datagen.train.tasks.detector.networks import make_objective
from datagen.train.tasks.detector.predictions import ObjectPredictions
from datagen.train.tasks.detector.recipe import DetectorRecipe
from datagen.train.tasks.detector.report import by_scene, found_figures, recall, swap_chance, swap_score, swapped
from datagen.train.tasks.detector.study_table import table
from datagen.train.tasks.detector.task import open_folder

STUDY = "oddoneout_study"
PLAIN = ("model.difference=false",)
"""Tokens inside of masks that are told where odd objects differ, but not how unlike the others they are."""
ALONE = (*PLAIN, "model.match=none", "loss.exact=0")
WHOLE = (*PLAIN, "model.head=flat", "model.most_tokens=null", "loss.change=0", "data.changed=false")
"""An object judged by its cut-out as a whole, as in the paper, and not told where odd ones differ."""
DETECTS = (*WHOLE, "model.attention_dim=64", "loss.exact=0")
FLOOR = (
    "model.volume={around: floor, size: [32, 32, 8], voxel_m: 0.06, low_m: [-0.96, -0.96, -0.08], "
    "widths: [16, 32], down: [1, 1], up: [1]}"
)
"""A volume over the floor that a CPU can train on."""
ARMS = {
    "A, alone": (STUDY, *ALONE),
    "B, all tokens": (STUDY, *PLAIN, "model.match=full", "loss.exact=0"),
    "C, taught": (STUDY, *PLAIN, "model.match=full"),
    "final": (STUDY, *PLAIN),
    "C, differences": (STUDY, "model.match=full"),
    "A, whole": (STUDY, *ALONE, *WHOLE),
    "final, whole": (STUDY, *WHOLE),
    "efficient": (STUDY, *DETECTS, "model.variant=efficient"),
    "efficient, others": (STUDY, *DETECTS, "model.variant=efficient", "model.centre=others"),
    "imvoxelnet": (STUDY, *DETECTS, "model.variant=imvoxelnet", FLOOR),
    "detr3d": (STUDY, *DETECTS, "model.variant=detr3d", "model.masked=false", "model.blocks=3", FLOOR),
    "points": ("oddoneout_points", "data.views=10", "data.most_objects=8", "model.attention_dim=64"),
    "residual": ("oddoneout_residual", "data.views=10", "data.most_objects=8", "data.pack=true"),
    "final, differences": (STUDY,),
}
"""Arms by name: a recipe and the values that it is given.

A to final differ in what the rows of Table 2 differ in. What they share is not all the paper's: masks, judged tokens,
and that these are told where odd objects differ. `differences` add `model.difference`; `whole` are nearer to the paper.
"""


@dataclass(frozen=True)
class Arm:
    """A network trained in one way, once a seed."""

    name: str
    recipes: tuple[DetectorRecipe, ...]


@dataclass(frozen=True)
class Asked:
    """What is asked of all arms: the dataset's splits, numbers of views, a build of swapped majorities."""

    data: Path
    splits: tuple[str, ...]
    views: tuple[int, ...] = ()
    swap: Path | None = None


def arms(names: Sequence[str], seeds: Sequence[int], overrides: Sequence[str]) -> list[Arm]:
    """Arms by the names of `ARMS`, or `NAME:RECIPE+key=value+...` for others; overrides are for all, or after `NAME:`
    for one. Raises UsageError, RecipeError."""
    called = [told.partition(":")[0] for told in names]
    for name in called:
        if called.count(name) > 1:
            raise UsageError(f"arm '{name}' is given more than once; give another one a name of its own")
    for override in overrides:
        only = _only(override)
        if only and only not in called:
            raise UsageError(f"--set {override}: no arm is called '{only}'; those here are {_quoted(called)}")
    found = []
    for told in names:
        name, _, rest = told.partition(":")
        if not rest and name not in ARMS:
            raise UsageError(f"arm '{name}' is none of {_quoted(ARMS)}; another is told as NAME:RECIPE+key=value")
        recipe, *values = rest.split("+") if rest else ARMS[name]
        own = [value.removeprefix(f"{name}:") for value in overrides if _is_for(value, name)]
        made = [load_train_recipe(recipe, overrides=[*values, *own], seed=seed) for seed in seeds]
        found.append(Arm(name, tuple(cast(DetectorRecipe, one) for one in made)))
    return found


def _is_for(override: str, name: str) -> bool:
    return _only(override) in ("", name)


def _only(override: str) -> str:
    """The arm that an override is for; nothing where it is for all."""
    return override.partition("=")[0].rpartition(":")[0]


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def pooled(found: ObjectPredictions) -> Figure:
    """AUC over objects."""
    return (lambda rows: auc(found.label[rows], found.score[rows])), np.arange(len(found.samples))


def figures_of(founds: Sequence[ObjectPredictions], rounds: int) -> dict[str, Any]:
    """Figures of one arm on one split, means of seeds with intervals over shapes."""
    every = np.arange(len(founds[0].samples))
    first = np.unique(founds[0].scene, return_index=True)[1]
    kinds = np.array([sample.thing.kind for sample in founds[0].samples])
    counts = np.array([len(sample.scene.things) for sample in founds[0].samples])
    normal = founds[0].label == 0

    def of(rows: np.ndarray) -> float:
        return float(np.mean([auc(one.label[rows], one.score[rows]) for one in founds]))

    return {
        "auc": mean_of_seeds(founds, pooled, rounds),
        "auc_by_scene": mean_of_seeds(founds, lambda one: (lambda r: by_scene(one, r), every), rounds),
        "accuracy": mean_of_seeds(
            founds, lambda one: (lambda r: float(((one.score > 0.5) == one.label)[r].mean()), every), rounds
        ),
        "correspondence_recall": mean_of_seeds(founds, lambda one: (lambda r: recall(one, r), first), 0),
        "swap_score": mean_of_seeds(
            founds, lambda one: ((lambda r: swap_score(one, r)), first) if swapped(one) else None, rounds
        ),
        "swap_chance": mean_of_seeds(
            founds, lambda one: ((lambda r: swap_chance(one, r)), first) if swapped(one) else None, 0
        ),
        "per_kind": {kind: of(np.flatnonzero(normal | (kinds == kind))) for kind in sorted(set(kinds[~normal]))},
        "per_count": {str(n): of(np.flatnonzero(counts == n)) for n in sorted(set(counts))},
        "objects": len(every),
        "scenes": len(first),
    }


def boxes_of(founds: Sequence[ObjectPredictions], rounds: int) -> dict[str, Any]:
    """Figures with found boxes, at the threshold one half."""
    names = found_figures(founds[0], 0.5)
    return {name: mean_of_seeds(founds, lambda one, name=name: found_figures(one, 0.5)[name], rounds) for name in names}  # type: ignore[misc]


def questions_of(asked: Asked) -> dict[str, tuple[Path, str]]:
    """Splits to judge, by their titles: a dataset's folder and its split.

    Raises UsageError, BrokenFile for what cannot be asked, before anything is trained.
    """
    questions = {split: (asked.data, split) for split in asked.splits}
    if asked.swap:
        if not (asked.swap / "split.json").is_file():
            raise UsageError(f"--swap {asked.swap}: no dataset of scenes is there")
        splits = read_table(open_folder(asked.swap), "split.json")
        questions |= {f"swap {split}": (asked.swap, split) for split, names in splits.items() if names}
    for data, split in questions.values():
        fewest = min(len(sample.extrinsics) for sample in list_scenes(open_folder(data), split))
        if most := [views for views in asked.views if views > fewest]:
            raise UsageError(f"--views {most[0]}: a scene of {split} in {data} has {fewest}; give as many or fewer")
    return questions


def study(made: Sequence[Arm], asked: Asked, out: Path, runtime: Runtime, jobs: int, rounds: int) -> dict[str, Any]:
    """All figures of all arms, and on each split the difference of each to the last of `made`."""
    folder = out / asked.data.name
    questions = questions_of(asked)
    fit_all([recipe for arm in made for recipe in arm.recipes], asked.data, folder, runtime, jobs)
    runs = {arm.name: [fit(recipe, asked.data, folder, runtime) for recipe in arm.recipes] for arm in made}
    finds = {arm.name: make_objective(arm.recipes[0]) for arm in made}
    found: dict[str, Any] = {}
    for title, (data, split) in questions.items():
        answers = {
            name: [judged(run, Question(data, split), runtime) for run in of_arm] for name, of_arm in runs.items()
        }
        told = {name: figures_of(cast(Any, given), rounds) for name, given in answers.items()}
        for name, of_arm in runs.items():
            ways = ("own",) if finds[name].finds else finds[name].ways
            for way in ways:
                boxes = "" if way == "own" else way
                given = [judged(run, Question(data, split, boxes), runtime) for run in of_arm]
                told[name].setdefault("found_boxes", {})[way] = boxes_of(cast(Any, given), rounds)
            for views in asked.views:
                seen = [judged(run, Question(data, split, views=views), runtime) for run in of_arm]
                told[name].setdefault("per_views", {})[str(views)] = mean_of_seeds(cast(Any, seen), pooled, rounds)
        last = made[-1].name
        for name, given in answers.items():
            if name != last:
                told[name]["last_minus"] = difference(cast(Any, answers[last]), cast(Any, given), rounds)
        found[title] = told
    plain: dict[str, Any] = without_nan(found)
    return plain


def main(arguments: Sequence[str]) -> None:
    """Parse, run, write, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m datagen.train.tasks.detector.study", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a dataset of scenes")
    parser.add_argument("--swap", type=Path, help="a build of swapped majorities")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--arms", nargs="+", default=list(ARMS))
    parser.add_argument("--splits", nargs="+", default=["unseen-test", "seen-test"])
    parser.add_argument("--views", type=from_one, nargs="*", default=[], help="numbers of views to judge by besides")
    parser.add_argument("--seeds", type=from_one, default=2, help="how many, from 0")
    parser.add_argument("--jobs", type=from_one, default=1, help="runs trained at a time")
    parser.add_argument("--rounds", type=from_one, default=2000, help="rounds of the bootstrap")
    parser.add_argument("--set", dest="overrides", action="append", default=[], help="section.key=value, or NAME:...")
    parser.add_argument("--device")
    given = parser.parse_args(arguments)
    made = arms(given.arms, range(given.seeds), given.overrides)
    asked = Asked(given.data, tuple(given.splits), tuple(given.views), given.swap)
    with open_runtime(given.device) as runtime:
        found = study(made, asked, given.out, runtime, given.jobs, given.rounds)
    (given.out / "study.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (given.out / "study.md").write_text(table(found), encoding="utf-8")
    sys.stdout.write(table(found))


if __name__ == "__main__":
    run_command(main)
