"""Probability of detection: a simulation with known truth, bounds that hold, and data that no curve fits."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from datagen.train.pod import PodCurve, fit, pod_figures, probability_of_detection, size_found, threshold_for

TRUTH = PodCurve(intercept=2.0, slope=3.0)
A90 = float(np.exp((np.log(9) - 2.0) / 3.0))


def simulated(rng, n=400, shapes=100):
    size = np.exp(rng.uniform(np.log(0.1), np.log(4), n))
    return size, rng.random(n) < TRUTH.at(size), rng.integers(shapes, size=n).astype(str)


def test_a_curve_of_known_truth_is_found_again():
    size, hit, _ = simulated(np.random.default_rng(0), 20_000)
    curve = fit(size, hit)
    assert curve.slope == pytest.approx(3.0, rel=0.05) and curve.intercept == pytest.approx(2.0, rel=0.05)
    assert curve.size_found() == pytest.approx(A90, rel=0.03)
    assert TRUTH.size_found() == pytest.approx(A90) and float(TRUTH.at(np.array([A90]))[0]) == pytest.approx(0.9)


def test_the_bound_holds_as_often_as_it_says():
    """Of forty studies the 95 % bound is above the truth in nearly all, and a90 is on either side."""
    rng = np.random.default_rng(1)
    found = [probability_of_detection(*simulated(rng, 150), rounds=100) for _ in range(40)]
    assert np.mean([one.a90_95 >= A90 for one in found]) >= 0.85
    assert 0.2 < np.mean([one.a90 >= A90 for one in found]) < 0.8
    assert all(one.a90_95 >= one.a90 for one in found)


def test_shapes_that_fail_as_a_whole_widen_the_bound():
    """Defects of one shape are alike: drawn by shapes the bound is further out than drawn one by one."""
    rng = np.random.default_rng(2)
    shape = np.repeat(np.arange(20), 20)
    skill = rng.normal(0, 2.0, 20)[shape]
    size = np.exp(rng.uniform(np.log(0.1), np.log(4), 400))
    hit = rng.random(400) < 1 / (1 + np.exp(-(2 + 3 * np.log(size) + skill)))
    by_shape = probability_of_detection(size, hit, shape.astype(str), rounds=300)
    alone = probability_of_detection(size, hit, np.arange(400).astype(str), rounds=300)
    assert by_shape.a90_95 > alone.a90_95


def test_what_no_curve_fits():
    size = np.linspace(1, 10, 10)
    each = np.arange(10).astype(str)
    parted = probability_of_detection(size, size > 4.5, each, rounds=50)
    assert parted.separated and parted.curve is None and parted.a90 == 5.0
    assert size_found(size, np.zeros(10, bool)) == np.inf
    tied = np.array([1, 1, 2, 2, 3, 3, 4, 4.0])
    assert size_found(tied, np.arange(8) == 7) == np.inf, "of the two largest one was missed"
    assert size_found(tied, np.arange(8) > 4) == 4.0
    assert probability_of_detection(size, np.ones(10, bool), each, rounds=10).a90 == 1.0
    assert probability_of_detection(size[:5], size[:5] > 2, each[:5]) is None
    backwards = fit(size, np.array([1, 1, 1, 1, 0, 1, 0, 0, 1, 0], bool))
    assert backwards.slope < 0 and backwards.size_found() == np.inf


def test_parts_of_one_drawing_are_of_one_size():
    size = np.r_[675.27786 + 1e-5 * np.arange(10), np.full(10, 9000.0)]
    hit = np.r_[np.arange(10) == 9, np.ones(10, bool)]
    found = probability_of_detection(size, hit, np.arange(20).astype(str), rounds=20)
    assert found.separated and found.a90 == 9000.0


def test_nothing_is_told_beyond_the_largest_defect_that_was_tried():
    rng = np.random.default_rng(3)
    size = np.exp(rng.uniform(np.log(0.1), np.log(1.0), 300))
    hit = rng.random(300) < PodCurve(0.0, 1.0).at(size)  # a90 would be 9
    found = probability_of_detection(size, hit, np.arange(300).astype(str), rounds=50)
    assert found.curve.size_found() > 2 and found.a90 == found.a90_95 == np.inf
    assert PodCurve(-5.0, 1e-9).size_found() > 1e100


def test_a_threshold_keeps_false_calls_at_the_wanted_share():
    scores = np.random.default_rng(0).random(1000)
    for share in (0.0, 0.01, 0.1):
        assert np.mean(scores > threshold_for(scores, share)) <= share
    assert np.mean(scores > threshold_for(scores, 0.1)) == pytest.approx(0.1, abs=0.002)


def test_figures_of_an_evaluation_by_kind():
    rng = np.random.default_rng(3)
    size, hit, shape = simulated(rng, 300)
    label = np.concatenate([np.zeros(200, int), np.ones(300, int)])
    score = np.concatenate([rng.random(200) * 0.5, np.where(hit, 0.9, 0.01)])
    kinds = np.array(["normal"] * 200 + ["dent"] * 292 + ["burr"] * 8)
    kinds[-1] = "rare"
    found = pod_figures(label, score, kinds, np.r_[np.zeros(200), size], np.r_[np.full(200, "a"), shape], 0.02)
    assert found["false_calls"] == pytest.approx(0.02) and set(found["per_kind"]) == {"dent"}
    assert list(found["thresholds"].values()) == sorted(found["thresholds"].values(), reverse=True)
    units = np.where(label == 1, "mm", "")
    told = pod_figures(label, score, kinds, np.r_[np.zeros(200), size], np.r_[np.full(200, "a"), shape], 0.02, units)
    assert told["per_kind"]["dent"] == {**found["per_kind"]["dent"], "unit": "mm"}
    dent = found["per_kind"]["dent"]
    assert dent["a90"] == pytest.approx(A90, rel=0.4) and dent["a90_95"] >= dent["a90"] and dent["n"] == 292
