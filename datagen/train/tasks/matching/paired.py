"""Figures of pairs: what a network makes of query and reference where neither alone tells the label."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from datagen.core.statistics import auc
from datagen.datasets.pairs import PairSample
from datagen.train.infer import predict_split
from datagen.train.report import Figure, measured, shapes_of, without_nan
from datagen.train.runtime import Runtime
from datagen.train.task import Loaded
from datagen.train.tasks.matching.data import open_pairs
from datagen.train.tasks.matching.predictions import MatchingPredictions
from datagen.train.tasks.matching.recipe import MatchingRecipe, with_data

CONTROLS: Mapping[str, Mapping[str, bool]] = {
    "auc_shuffled": {"shuffle_references": True},
    "auc_blank": {"blank_references": True},
}
"""AUC of the balanced pairs with bundles of another shape, and with white pictures, in place of the reference."""


def pairs_report(loaded: Loaded, folder: Path, split: str, runtime: Runtime, rounds: int) -> dict[str, Any]:
    """`pairs`: the figures of a split's pairs and controls with intervals over shapes; nothing where pairs.parquet
    lists none of the split. The control with bundles of another shape is None in a split of one shape.

    Raises BrokenFile for a table that does not fit the manifest.
    """
    recipe: MatchingRecipe = loaded.recipe

    def scored(**values: Any) -> MatchingPredictions | None:
        data = open_pairs(folder, split, with_data(recipe, **values))
        if data is None:
            return None
        if not values:
            data = loaded.task.prepare(loaded, data, runtime)
        return cast(MatchingPredictions, predict_split(loaded.task, loaded.objective, data, runtime, recipe))

    found = scored()
    if found is None:
        return {}
    figures, told = {name: measured(found, *figure, rounds) for name, figure in pair_figures(found).items()}, {}
    alone = len(set(shapes_of(found).tolist())) < 2
    for name, values in CONTROLS.items():
        control = None if alone and values.get("shuffle_references") else scored(**values)
        told[name] = {"value": None, "interval": [None, None], "n": 0}
        if control is not None:
            told[name] = measured(control, *balanced_auc(control), rounds)
    relations = {name: measured(found, *figure, rounds) for name, figure in by_relation(found).items()}
    report: dict[str, Any] = without_nan({"pairs": {"figures": figures | told, "per_relation": relations}})
    return report


def balanced_auc(found: MatchingPredictions) -> Figure:
    """AUC of the balanced pairs."""
    return _auc(found), np.flatnonzero([sample.balanced for sample in _cells(found)])


def pair_figures(found: MatchingPredictions) -> dict[str, Figure]:
    """The figures of pairs, by name.

    `auc`: of the balanced pairs. `auc_clean`: of anomalous pictures alone, against another anomaly's bundle and against
    their own, of each picture both; here no side looks normal. The scores take a picture and its twin against both
    bundles: `reference_score`, for both pictures the other's bundle scores higher (chance 1/4); `query_score`, for both
    bundles the other's picture does (1/4); `group_score`, both anomalous pairs score above both normal ones (1/6).
    Equal scores are none of these. `swap_difference` is the mean of |s(A', A) - s(A, A')|.
    """
    cells = _cells(found)
    of_two = {cell.query_path for cell in cells if cell.relation == "two"}
    clean = np.flatnonzero([bool(cell.reference_state) and cell.query_path in of_two for cell in cells])
    figures: dict[str, Figure] = {"auc": balanced_auc(found), "auc_clean": (_auc(found), clean)}
    first, score_nqr = quads(found)
    same, other = (score_nqr[:, (0, 1), places] for places in ((0, 1), (1, 0)))
    won = {
        "reference_score": (other > same).all(axis=1),
        "query_score": (other[:, ::-1] > same).all(axis=1),
        "group_score": other.min(axis=1) > same.max(axis=1),
        "swap_difference": np.abs(other[:, 0] - other[:, 1]),
    }
    for name, values in won.items():
        by_row = np.full(len(cells), np.nan)
        by_row[first] = values
        figures[name] = (_mean(by_row), first)
    return figures


def quads(found: MatchingPredictions) -> tuple[np.ndarray, np.ndarray]:
    """Of every picture and twin the first row (n,) and the scores (n, 2, 2) by query and reference, each normal (0) or
    anomalous (1)."""
    rows: dict[str, dict[tuple[bool, bool], int]] = {}
    for row, cell in enumerate(_cells(found)):
        if cell.balanced:
            rows.setdefault(cell.drawn_by, {})[bool(cell.query_state), bool(cell.reference_state)] = row
    at = np.array([[[q[i, j] for j in (False, True)] for i in (False, True)] for q in rows.values()])
    return at.reshape(len(at), 4).min(axis=1), found.score[at]


def by_relation(found: MatchingPredictions) -> dict[str, Figure]:
    """AUC of the pairs of each relation against the balanced pairs of one state with the same pictures."""
    cells = _cells(found)
    relation = np.array([cell.relation for cell in cells])
    picture = np.array([cell.query_path for cell in cells])
    figures: dict[str, Figure] = {}
    for name in sorted(set(relation[found.label == 1].tolist())):
        rows = np.flatnonzero(relation == name)
        against = np.flatnonzero((relation == "same") & np.isin(picture, picture[rows]))
        figures[name] = (_auc(found), np.sort(np.concatenate([rows, against])))
    return figures


def _cells(found: MatchingPredictions) -> tuple[PairSample, ...]:
    return cast(tuple[PairSample, ...], found.samples)


def _auc(found: MatchingPredictions) -> Callable[[np.ndarray], float]:
    return lambda rows: auc(found.label[rows], found.score[rows])


def _mean(values: np.ndarray) -> Callable[[np.ndarray], float]:
    return lambda rows: float(values[rows].mean()) if len(rows) else float("nan")
