"""What the reference is worth, on and off the grid of views, with natural labels and with pairs.

`python -m datagen.train.tasks.matching.paired_study --data DIR [--off-grid DIR] --out DIR` trains every network for
every seed, on natural labels and, where it is asked for, on pairs, and puts the same questions to all on the shapes of
the test split. It writes paired_study.json and paired_study.md. Runs, and what they answered, are kept: a study that
was ended goes on, and one with more seeds or networks trains those alone.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from datagen.core.command import from_one, run_command
from datagen.core.errors import UsageError
from datagen.core.statistics import auc
from datagen.datasets.config import Against
from datagen.datasets.samples import list_samples, open_dataset
from datagen.train.recipes import load_train_recipe
from datagen.train.report import Figure, shapes_of, without_nan
from datagen.train.runtime import Runtime, open_runtime
from datagen.train.seeds import difference, fit, fit_all, mean_of_seeds
from datagen.train.tasks.matching.judged import Question, judged
from datagen.train.tasks.matching.paired import by_relation, pair_figures
from datagen.train.tasks.matching.paired_table import table
from datagen.train.tasks.matching.predictions import MatchingPredictions
from datagen.train.tasks.matching.recipe import COMPARES, NO_PAIRS, MatchingRecipe, require_matching
from datagen.train.tasks.matching.rendered import rendered_by
from datagen.train.tasks.matching.report import angle_groups, map_figures, partitions, pose_figures

ON_GRID = ("query_64", "residual", "cmt_64", "cmt_residual_64", "comparator_64", "oracle_64")
OFF_GRID = ("query_64", "comparator_64", "render_64")
WITH_PAIRS = ("comparator_64",)
BASELINE = "query_64"
PAIRS = "data.pairs=counterfactual"


@dataclass(frozen=True)
class Arm:
    """A network trained in one way on one dataset, once a seed."""

    name: str
    recipes: tuple[MatchingRecipe, ...]
    data: Path

    @property
    def compares(self) -> bool:
        """Whether it can be compared with more than one thing."""
        return self.recipes[0].model.network in COMPARES


@dataclass(frozen=True, eq=False)
class Answers:
    """Predictions of every seed to each question, by the question's name."""

    arm: Arm
    by_question: dict[str, list[MatchingPredictions]]


def arms(
    names: Sequence[str], with_pairs: Sequence[str], data: Path, seeds: Sequence[int], overrides: Sequence[str]
) -> list[Arm]:
    """Every network on natural labels, and those of `with_pairs` on pairs too.

    A name is a recipe's, and may go on with values of its own, `comparator_64+model.stems=shared+loss.view=0`: an
    ablation. An override is for all recipes, or after `NAME:` for one. Raises RecipeError, UsageError.
    """

    if unknown := [name for name in with_pairs if name not in names]:
        raise UsageError(f"--with-pairs {', '.join(unknown)}: not among --networks; add it there too")

    def arm(name: str, label: str, *more: str) -> Arm:
        recipe, *values = name.split("+")
        told = [(value.partition("=")[0].rpartition(":")[0], value) for value in overrides]
        own = [value.removeprefix(f"{only}:") for only, value in told if only in ("", recipe)]
        made = [load_train_recipe(recipe, overrides=[*own, *values, *more], seed=seed) for seed in seeds]
        require_matching(made[0])
        return Arm(label, tuple(made), data)

    found = []
    for name in names:
        found.append(arm(name, name))
        if name in with_pairs:
            if found[-1].recipes[0].model.network in (*NO_PAIRS, "residual"):
                raise UsageError(f"{name} does not learn from pairs; take it out of --with-pairs")
            found.append(arm(name, f"{name}, pairs", PAIRS))
    return found


def questions(arm: Arm, data: Path, short: bool = False) -> dict[str, Question]:
    """What an arm is asked of a dataset: natural labels by everything it can be compared with, controls, and pairs.

    `short` compares with the chosen view alone, which costs a tenth, and leaves out controls of pairs.
    """
    files = open_dataset(data)
    sample = list_samples(files, "test")[0]
    found = {"natural": Question(data), "shuffled": Question(data, shuffled=True)}
    if arm.compares and not short:
        ways: list[Against] = [*rendered_by(files, f"shapes/shape_{sample.bundle}")]
        ways += ["own_camera"] if sample.own_view else []
        found |= {f"natural, {way}": Question(data, against=way) for way in ways}
    if files.has("pairs.parquet"):
        found["pairs"] = Question(data, pairs=True)
    if files.has("pairs.parquet") and not short:
        found |= {
            "pairs, shuffled": Question(data, pairs=True, shuffled=True),
            "pairs, blank": Question(data, pairs=True, blank=True),
        }
        if arm.compares and sample.own_view:
            found["pairs, own_camera"] = Question(data, pairs=True, against="own_camera")
    return found


def answers(arm: Arm, data: Path, out: Path, runtime: Runtime, short: bool = False) -> Answers:
    """Train what is not there, and ask about `data`, which may be another dataset than the arm was trained on."""
    runs = [fit(recipe, arm.data, out / arm.data.name, runtime) for recipe in arm.recipes]
    found: dict[str, list[MatchingPredictions]] = {}
    for name, question in questions(arm, data, short).items():
        asked = [judged(run, question, runtime) for run in runs]
        if all(one is not None for one in asked):
            found[name] = cast(list[MatchingPredictions], asked)
    return Answers(arm, found)


def natural_auc(found: MatchingPredictions) -> Figure:
    """AUC of all samples."""
    return (lambda rows: auc(found.label[rows], found.score[rows])), np.arange(len(found.samples))


def figures_of(found: Answers, rounds: int) -> dict[str, Any]:
    """Every figure of one arm as plain data."""
    told: dict[str, Any] = {"seeds": len(found.arm.recipes), "auc": {}, "pairs": {}}
    for name, founds in found.by_question.items():
        if name.startswith("pairs"):
            told["pairs"][name] = {
                key: mean_of_seeds(founds, lambda one, key=key: pair_figures(one).get(key), rounds)  # type: ignore[misc]
                for key in (pair_figures(founds[0]) if name in ("pairs", "pairs, own_camera") else ("auc",))
            }
        else:
            told["auc"][name] = mean_of_seeds(founds, natural_auc, rounds)
            if founds[0].pose_error is not None:
                for key in ("pose_error_deg", "pose_within_2_deg"):
                    told.setdefault("poses", {}).setdefault(name, {})[key] = mean_of_seeds(
                        founds,
                        lambda one, key=key: pose_figures(cast(np.ndarray, one.pose_error))[key],  # type: ignore[misc]
                        rounds,
                    )
    natural = found.by_question["natural"]
    for group, rows in _groups(natural[0]):
        told.setdefault("groups", {})[group] = _mean_auc(natural, rows)
    told["angles"] = {
        name: {step: _mean_auc(founds, rows) for step, rows, _ in angle_groups(founds[0].angle, founds[0].label)}
        for name, founds in found.by_question.items()
        if name.startswith("natural")
    }
    if natural[0].pixels is not None:
        keys = map_figures(natural[0])
        told["maps"] = {
            key: mean_of_seeds(natural, lambda one, key=key: map_figures(one)[key], rounds)  # type: ignore[misc]
            for key in keys
        }
    if "pairs" in found.by_question:
        relations = by_relation(found.by_question["pairs"][0])
        told["relations"] = {
            name: float(np.mean([by_relation(one)[name][0](rows) for one in found.by_question["pairs"]]))
            for name, (_, rows) in relations.items()
        }
    return told


def _groups(found: MatchingPredictions) -> Iterator[tuple[str, np.ndarray]]:
    for column, groups in partitions(found):
        if column in ("per_kind", "per_severity", "per_changed_px"):
            for name, rows, _ in groups:
                yield f"{column.removeprefix('per_').replace('_', ' ')} {name}", rows


def _mean_auc(founds: Sequence[MatchingPredictions], rows: np.ndarray) -> float:
    return float(np.mean([auc(one.label[rows], one.score[rows]) for one in founds]))


def paired_study(
    made: Sequence[Arm],
    out: Path,
    runtime: Runtime,
    jobs: int = 1,
    rounds: int = 2000,
    baseline: str = BASELINE,
    short: bool = False,
    tests: Sequence[Path] = (),
) -> dict[str, Any]:
    """All figures of all arms; of one dataset each against the baseline, with a paired interval over shapes.

    Arms are asked of the test split of the dataset that they were trained on, and of those of `tests`.
    """
    for data in dict.fromkeys(arm.data for arm in made):
        fit_all(
            [recipe for arm in made if arm.data == data for recipe in arm.recipes], data, out / data.name, runtime, jobs
        )
    found: dict[str, Any] = {}
    for data in dict.fromkeys(arm.data for arm in made):
        for asked in (data, *tests):
            there = [answers(arm, asked, out, runtime, short) for arm in made if arm.data == data]
            natural = there[0].by_question["natural"][0]
            found[data.name if asked == data else f"{asked.name}, trained on {data.name}"] = {
                "train_shapes": len({sample.shape for sample in list_samples(open_dataset(data), "train")}),
                "test_shapes": len(set(shapes_of(natural).tolist())),
                "test_images": len(natural.samples),
                "arms": _figures_of_all(there, rounds, baseline),
            }
    plain: dict[str, Any] = without_nan(found)
    return plain


def _figures_of_all(there: Sequence[Answers], rounds: int, baseline: str) -> dict[str, Any]:
    base = next((one for one in there if one.arm.name == baseline), None)
    told: dict[str, Any] = {}
    for one in there:
        told[one.arm.name] = figures_of(one, rounds)
        if base is not None and one is not base:
            told[one.arm.name]["minus_baseline"] = {
                name: difference(founds, base.by_question["natural"], rounds)
                for name, founds in one.by_question.items()
                if name.startswith("natural")
            }
    return told


def main(arguments: Sequence[str]) -> None:
    """Parse, run, write, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m datagen.train.tasks.matching.paired_study", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a build with reference.counterfactual")
    parser.add_argument("--off-grid", type=Path, help="a build with query.azimuth=continuous")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--networks", nargs="*", default=list(ON_GRID), help="recipes trained on --data")
    parser.add_argument(
        "--with-pairs", nargs="*", help=f"of those, trained on pairs too; by default {', '.join(WITH_PAIRS)}"
    )
    parser.add_argument("--off-grid-networks", nargs="*", default=list(OFF_GRID), help="recipes trained on --off-grid")
    parser.add_argument("--seeds", type=from_one, default=3, help="how many, from 0")
    parser.add_argument("--jobs", type=from_one, default=1, help="runs trained at a time")
    parser.add_argument("--tests", type=Path, nargs="*", default=[], help="builds that all are asked of too")
    parser.add_argument("--short", action="store_true", help="compare with the chosen view alone: for ablations")
    parser.add_argument("--rounds", type=from_one, default=2000, help="rounds of the bootstrap")
    parser.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        help="section.key=value for every recipe, or NAME:section.key=value for one",
    )
    parser.add_argument("--device")
    given = parser.parse_args(arguments)
    seeds = range(given.seeds)
    with_pairs = given.with_pairs
    if with_pairs is None:
        with_pairs = [name for name in WITH_PAIRS if name in given.networks]
    made = arms(given.networks, with_pairs, given.data, seeds, given.overrides)
    if given.off_grid:
        made += arms(given.off_grid_networks, (), given.off_grid, seeds, given.overrides)
    with open_runtime(given.device) as runtime:
        found = paired_study(made, given.out, runtime, given.jobs, given.rounds, short=given.short, tests=given.tests)
    (given.out / "paired_study.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (given.out / "paired_study.md").write_text(table(found), encoding="utf-8")
    sys.stdout.write(table(found))


if __name__ == "__main__":
    run_command(main)
