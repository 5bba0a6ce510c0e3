"""The study of what the reference is worth: complete on a tiny build, and its statistics right."""

import numpy as np
import torch

from datagen.core.statistics import auc
from datagen.datasets.samples import Sample
from datagen.formats.brokenchairs import KINDS
from datagen.train.log import read_log
from datagen.train.recipes import apply_overrides
from datagen.train.runtime import Runtime
from datagen.train.seeds import fit
from datagen.train.tasks.matching.predictions import MatchingPredictions
from datagen.train.tasks.matching.study import Design, paired_difference, predict_test, study, table
from tests.train.conftest import tiny

CPU = Runtime(0, 1, torch.device("cpu"))


def predictions(score, shapes, label):
    samples = tuple(
        Sample(f"{n}", str(shape), "test", int(y)) for n, (shape, y) in enumerate(zip(shapes, label, strict=True))
    )
    empty = np.full((len(label), 4), np.nan)
    unknown = -np.ones(len(label))
    return MatchingPredictions(samples, label, score, empty, empty, unknown, unknown, np.zeros(len(label)))


def test_a_real_difference_has_a_positive_interval_and_none_has_not():
    rng = np.random.default_rng(0)
    shapes = np.repeat(np.arange(40), 6)
    label = rng.integers(0, 2, 240)
    good, weak = (
        [predictions(rng.normal(size=240) + lift * label, shapes, label) for _ in range(3)] for lift in (1.5, 0.3)
    )
    found = paired_difference(good, weak, 300)
    assert found["interval"][0] > 0 and found["interval"][0] < found["difference"] < found["interval"][1]
    other = [predictions(rng.normal(size=240) + 0.3 * label, shapes, label) for _ in range(3)]
    low, high = paired_difference(weak, other, 300)["interval"]
    assert low < 0 < high
    assert paired_difference(good, good, 50) == {"difference": 0.0, "interval": [0.0, 0.0]}


def test_the_whole_study_on_a_tiny_build(dataset, tmp_path):
    recipe = tiny(optim={"max_steps": 2}, data={"pack": True})
    baseline = tiny(optim={"max_steps": 2}, data={"pack": True}, model={"name": "resnet_fpn"})
    found = study(dataset, tmp_path, recipe, baseline, Design((0, 1), (1, 99), rounds=20), CPU)
    assert {name: len(values) for name, values in found["auc"].items()} == {
        "network": 2,
        "baseline": 2,
        "network_shuffled": 2,
    }
    assert list(found["learning_curve"]) == ["1"]
    assert "network minus baseline" in table(found) and "unseen shapes" in table(found)
    assert found["auc_by_kind"]["network"].keys() <= set(KINDS) and "mean of seeds by kind" in table(found)
    beside = study(dataset, tmp_path / "two", recipe, baseline, Design((0, 1), (1,), rounds=20, jobs=2), CPU)
    assert beside["auc"] == found["auc"] and beside["learning_curve"] == found["learning_curve"]
    stamps = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.safetensors")}
    again = study(dataset, tmp_path, recipe, baseline, Design((0, 1), (1, 99), rounds=20), CPU)
    assert again == found
    fewer = study(dataset, tmp_path, recipe, baseline, Design((0, 1), (1,), curve_seeds=1, rounds=20), CPU)
    assert {name: len(values) for name, values in fewer["learning_curve"]["1"].items()} == {"network": 1, "baseline": 1}
    assert len(fewer["auc"]["network"]) == 2
    done = len(list(tmp_path.glob("*/done")))
    one = Design((0,), (1,), curve_overrides=["optim.max_steps=1"], rounds=20)
    whole = study(dataset, tmp_path, recipe, baseline, one, CPU)
    assert list(whole["learning_curve"]) == ["1", str(whole["train_shapes"])]
    assert len(list(tmp_path.glob("*/done"))) == done + 4  # two points of the curve, of both networks
    brief = apply_overrides(recipe, ["seed=0", "optim.max_steps=1"])
    assert len(read_log(fit(brief, dataset, tmp_path, CPU) / "train.csv")) == 1
    tested = predict_test(brief, dataset, tmp_path, CPU, shuffled=False)
    assert whole["learning_curve"][str(whole["train_shapes"])]["network"] == [auc(tested.label, tested.score)]
    assert "learning curve was trained with optim.max_steps=1" in table(whole)
    assert stamps.items() <= {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.safetensors")}.items()
