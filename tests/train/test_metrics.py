"""Metrics against independent implementations and against hand-made cases."""

import numpy as np
import pytest

from datagen.core.statistics import auc, bootstrap
from datagen.train.metrics import (
    accuracy,
    average_precision,
    best_threshold,
    box_iou,
    roc_curve,
)
from datagen.train.report import severity_bins


def draw(seed, n=200, ties=False):
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.4).astype(int)
    score = rng.random(n) * 0.7 + 0.3 * label
    return label, np.round(score, 1) if ties else score


@pytest.mark.parametrize("ties", [False, True])
def test_auc_and_roc_against_scikit_learn(ties):
    reference = pytest.importorskip("sklearn.metrics")
    for seed in range(5):
        label, score = draw(seed, ties=ties)
        assert auc(label, score) == pytest.approx(reference.roc_auc_score(label, score))
        false, true = roc_curve(label, score)
        assert np.trapz(true, false) == pytest.approx(auc(label, score))


def test_auc_of_one_class_is_undefined():
    assert np.isnan(auc(np.ones(3), np.arange(3)))


def test_best_threshold_is_the_best_of_all():
    for seed in range(5):
        label, score = draw(seed, 60, ties=True)
        cuts = [*np.unique(score), 0.0, 0.5, *(np.unique(score) + 1e-3), score.min() - 1]
        assert accuracy(label, score, best_threshold(label, score)) == max(accuracy(label, score, c) for c in cuts)


def test_iou():
    a = np.array([[0.5, 0.5, 0.2, 0.2], [0.1, 0.1, 0.2, 0.2], [0.5, 0.5, 0.4, 0.4], [np.nan] * 4])
    b = np.array([[0.6, 0.5, 0.2, 0.2], [0.9, 0.9, 0.1, 0.1], [0.5, 0.5, 0.2, 0.2], [0.5, 0.5, 0.1, 0.1]])
    assert box_iou(a, b) == pytest.approx([1 / 3, 0, 0.25, 0])


def test_average_precision_by_hand():
    label = np.array([1, 0, 1, 1])
    score = np.array([0.9, 0.8, 0.7, 0.1])
    iou = np.array([0.6, 0.0, 0.7, 0.2])
    # Hits at ranks 1 and 3: precision 1 to recall 1/3, 2/3 to recall 2/3, then nothing.
    assert average_precision(label, score, iou) == pytest.approx(1 / 3 + 1 / 3 * 2 / 3)
    assert average_precision(label, score, np.ones(4)) == pytest.approx(1 / 3 + 1 / 3 * 3 / 4 + 1 / 3 * 3 / 4)


def test_average_precision_does_not_depend_on_the_order_of_equal_scores():
    label, iou = np.array([1, 0, 1, 0]), np.array([0.9, 0.0, 0.9, 0.0])
    score = np.array([0.7, 0.7, 0.2, 0.2])
    for order in ([0, 1, 2, 3], [1, 0, 3, 2]):
        assert average_precision(label[order], score[order], iou[order]) == pytest.approx(0.5)


def test_average_precision_against_scikit_learn_when_every_box_hits():
    """With all hits the interpolated AP is at least sklearn's stepwise one and equal where precision falls."""
    reference = pytest.importorskip("sklearn.metrics")
    for seed in range(5):
        label, score = draw(seed)
        ours = average_precision(label, score, np.ones(len(label)))
        assert 0 <= ours - reference.average_precision_score(label, score) < 0.03


def test_bootstrap_covers_and_draws_whole_shapes():
    """Nominal 95 % intervals hold the truth in about that share; with one value a shape views add nothing."""
    inside = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        shapes = np.repeat(np.arange(30), 5)
        values = np.repeat(rng.normal(size=30), 5)
        low, high = bootstrap(shapes, lambda rows, v=values: float(v[rows].mean()), rounds=200, seed=seed)
        inside += low <= 0 <= high
    assert 85 <= inside <= 100
    values = np.repeat(np.random.default_rng(0).normal(size=30), 5)
    one = bootstrap(np.arange(30), lambda rows: float(values[::5][rows].mean()), rounds=500)
    many = bootstrap(np.repeat(np.arange(30), 5), lambda rows: float(values[rows].mean()), rounds=500)
    assert one == pytest.approx(many, abs=1e-9)


def test_bootstrap_is_the_same_every_time():
    label, score = draw(1)
    shapes = np.arange(200) // 10
    first, second = (bootstrap(shapes, lambda rows: auc(label[rows], score[rows]), 100) for _ in range(2))
    assert first == second


def test_severity_thirds_are_per_kind():
    kind = np.array(["a"] * 6 + ["b"] * 3 + ["normal"])
    severity = np.array([1, 2, 3, 4, 5, 6, 100, 300, 200, 0], dtype=float)
    bins = severity_bins(kind, severity, np.array([1] * 9 + [0]))
    assert bins.tolist() == ["low"] * 2 + ["middle"] * 2 + ["high"] * 2 + ["low", "high", "middle", ""]
