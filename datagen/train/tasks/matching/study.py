"""What the reference is worth: a network with references against a query-only one of the same budget, with controls.

`python -m datagen.train.tasks.matching.study --data DIR --out DIR` trains both for every seed, evaluates on the
test split's unseen shapes, and adds two controls: the trained network with references shuffled among test shapes, and a
learning curve over the number of training shapes. It writes study.json and study.md; a run that is there is not
repeated.
`--jobs N` trains N of the runs at a time.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datagen.core.command import from_one, run_command
from datagen.core.statistics import auc, bootstrap
from datagen.train.infer import predict_split
from datagen.train.load import load_network
from datagen.train.recipes import apply_overrides, load_train_recipe
from datagen.train.runtime import Runtime, open_runtime
from datagen.train.seeds import fit, fit_all
from datagen.train.tasks.matching.data import open_split
from datagen.train.tasks.matching.predictions import MatchingPredictions
from datagen.train.tasks.matching.recipe import MatchingRecipe, require_matching

CURVE = (50, 100, 200, 300)


def paired_difference(
    ours: Sequence[MatchingPredictions], theirs: Sequence[MatchingPredictions], rounds: int
) -> dict[str, Any]:
    """AUC of `ours` minus `theirs`, mean over seeds, and its 95 % interval.

    Every round draws the same test shapes for both and for every seed, so what shapes have in common cancels.
    """
    shapes = np.array([sample.shape for sample in ours[0].samples])
    label = ours[0].label

    def difference(rows: np.ndarray) -> float:
        pairs = zip(ours, theirs, strict=True)
        return float(np.mean([auc(label[rows], a.score[rows]) - auc(label[rows], b.score[rows]) for a, b in pairs]))

    low, high = bootstrap(shapes, difference, rounds)
    return {"difference": difference(np.arange(len(label))), "interval": [low, high]}


def predict_test(
    recipe: MatchingRecipe, data: Path, out: Path, runtime: Runtime, *, shuffled: bool
) -> MatchingPredictions:
    """The test split by the run of a recipe, with its own or with other shapes' references."""
    loaded = load_network(fit(recipe, data, out, runtime), runtime.device)
    tested = apply_overrides(loaded.recipe, ["data.shuffle_references=true"] if shuffled else [])
    found: MatchingPredictions = predict_split(
        loaded.task, loaded.objective, open_split(data, "test", tested), runtime, tested
    )
    return found


@dataclass(frozen=True)
class Design:
    """How much is trained: seeds of every network, and a learning curve over numbers of training shapes.

    The curve takes the first `curve_seeds` seeds, by default all. With `curve_overrides` it is one of other recipe
    values, and its last point is the whole split. `rounds` of bootstrap; `jobs` runs are trained at a time.
    """

    seeds: Sequence[int]
    curve: Sequence[int]
    curve_seeds: int | None = None
    curve_overrides: Sequence[str] = ()
    rounds: int = 2000
    jobs: int = 1


def study(
    data: Path, out: Path, recipe: MatchingRecipe, baseline: MatchingRecipe, design: Design, runtime: Runtime
) -> dict[str, Any]:
    """All figures as plain data."""
    seeds, rounds = design.seeds, design.rounds
    train_shapes = len({sample.shape for sample in open_split(data, "train", recipe).samples})
    counts = [count for count in design.curve if count <= train_shapes]
    if design.curve_overrides:
        counts.append(train_shapes)

    def seeded(base: MatchingRecipe, seed: int, shapes: int | None = None) -> MatchingRecipe:
        part = [f"data.shapes={shapes}"] if shapes and shapes < train_shapes else []
        values = [f"seed={seed}", *part, *(design.curve_overrides if shapes else ())]
        return apply_overrides(base, values)

    def scores(base: MatchingRecipe, shapes: int | None = None, shuffled: bool = False) -> list[MatchingPredictions]:
        used = seeds[: design.curve_seeds] if shapes else seeds
        return [predict_test(seeded(base, s, shapes), data, out, runtime, shuffled=shuffled) for s in used]

    whole = [seeded(base, s) for s in seeds for base in (recipe, baseline)]
    parts = [seeded(base, s, n) for n in counts for s in seeds[: design.curve_seeds] for base in (recipe, baseline)]
    fit_all(whole + parts, data, out, runtime, design.jobs)
    network, query_only, wrong = scores(recipe), scores(baseline), scores(recipe, shuffled=True)
    judged = {"network": network, "baseline": query_only, "network_shuffled": wrong}
    found: dict[str, Any] = {
        "data": str(data),
        "train_shapes": train_shapes,
        "test_shapes": len({sample.shape for sample in network[0].samples}),
        "test_images": len(network[0].samples),
        "seeds": list(seeds),
        "device": str(runtime.device),
        "recipes": {"network": recipe.model_dump(mode="json"), "baseline": baseline.model_dump(mode="json")},
        "auc": {name: _aucs(p) for name, p in judged.items()},
        "auc_interval": {name: mean_interval(p, rounds) for name, p in judged.items()},
        "auc_by_kind": {name: _by_kind(p) for name, p in (("network", network), ("baseline", query_only))},
        "network_minus_baseline": paired_difference(network, query_only, rounds),
        "network_minus_shuffled": paired_difference(network, wrong, rounds),
        "shuffled_minus_baseline": paired_difference(wrong, query_only, rounds),
        "curve_overrides": list(design.curve_overrides),
        "learning_curve": {},
    }
    for count in counts:
        pair = {"network": scores(recipe, count), "baseline": scores(baseline, count)}
        found["learning_curve"][str(count)] = {name: _aucs(p) for name, p in pair.items()}
    return found


def mean_interval(predictions: Sequence[MatchingPredictions], rounds: int) -> list[float]:
    """95 % interval over shapes of the AUC, mean over seeds."""
    shapes = np.array([sample.shape for sample in predictions[0].samples])

    def mean(rows: np.ndarray) -> float:
        return float(np.mean([auc(p.label[rows], p.score[rows]) for p in predictions]))

    return list(bootstrap(shapes, mean, rounds))


def _aucs(predictions: Sequence[MatchingPredictions]) -> list[float]:
    return [auc(p.label, p.score) for p in predictions]


def _by_kind(predictions: Sequence[MatchingPredictions]) -> dict[str, float]:
    """AUC of each kind against all normal images, mean over seeds."""
    kind = np.array([sample.kind if sample.label else "" for sample in predictions[0].samples])
    rows = {name: (kind == name) | (kind == "") for name in sorted(set(kind) - {""})}
    return {n: float(np.mean([auc(p.label[use], p.score[use]) for p in predictions])) for n, use in rows.items()}


def table(found: dict[str, Any]) -> str:
    """The study as Markdown."""
    rows = ["| | test AUC, mean of seeds (each) | 95 % interval |", "|---|---|---|"]
    for name, values in found["auc"].items():
        low, high = found["auc_interval"][name]
        rows.append(f"| {name.replace('_', ', ')} | {_cell(values)} | {low:.3f} to {high:.3f} |")
    for count, pair in found["learning_curve"].items():
        rows += [f"| {name}, {count} training shapes | {_cell(values)} | |" for name, values in pair.items()]
    kinds = list(found["auc_by_kind"]["network"])
    rows += ["", f"| mean of seeds by kind | {' | '.join(kinds)} |", "|---" * (1 + len(kinds)) + "|"]
    for name, values in found["auc_by_kind"].items():
        rows.append(f"| {name} | {' | '.join(f'{values[kind]:.3f}' for kind in kinds)} |")
    rows += ["", "| difference | AUC | 95 % interval |", "|---|---|---|"]
    for key in ("network_minus_baseline", "network_minus_shuffled", "shuffled_minus_baseline"):
        low, high = found[key]["interval"]
        rows.append(f"| {key.replace('_', ' ')} | {found[key]['difference']:+.3f} | {low:+.3f} to {high:+.3f} |")
    if found["curve_overrides"]:
        rows += ["", f"The learning curve was trained with {', '.join(found['curve_overrides'])}."]
    head = f"{found['test_images']} test images of {found['test_shapes']} unseen shapes, "
    return head + f"{found['train_shapes']} training shapes, {found['device']}.\n\n" + "\n".join(rows) + "\n"


def _cell(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f} ({', '.join(f'{value:.3f}' for value in values)})"


def main(arguments: Sequence[str]) -> None:
    """Parse, run, write, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m datagen.train.tasks.matching.study", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", default="cmt")
    parser.add_argument("--baseline", default="resnet_fpn_sa")
    parser.add_argument("--seeds", type=from_one, default=3, help="how many, from 0")
    parser.add_argument("--curve", type=from_one, nargs="*", default=list(CURVE))
    parser.add_argument("--curve-seeds", type=from_one, help="seeds of the curve, which costs most; default: all")
    parser.add_argument("--curve-set", action="append", default=[], help="for both recipes, in the curve alone")
    parser.add_argument("--jobs", type=from_one, default=1, help="runs trained at a time")
    parser.add_argument("--set", dest="overrides", action="append", default=[], help="for both recipes")
    parser.add_argument("--device")
    given = parser.parse_args(arguments)
    recipe, baseline = (load_train_recipe(n, overrides=given.overrides) for n in (given.recipe, given.baseline))
    for one in (recipe, baseline):
        require_matching(one)
    with open_runtime(given.device) as runtime:
        design = Design(range(given.seeds), given.curve, given.curve_seeds, given.curve_set, jobs=given.jobs)
        found = study(given.data, given.out, recipe, baseline, design, runtime)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "study.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (given.out / "study.md").write_text(table(found), encoding="utf-8")
    sys.stdout.write(table(found))


if __name__ == "__main__":
    run_command(main)
