"""The study of pairs and cameras: complete on a tiny build, kept, and its figures those of an evaluation."""

import json
from dataclasses import replace

import pytest
import torch
import yaml

from datagen.train.evaluate import evaluate
from datagen.train.load import load_network
from datagen.train.runtime import Runtime
from datagen.train.tasks.matching.paired_study import arms, paired_study
from datagen.train.tasks.matching.paired_table import table
from tests.datasets.conftest import build_paired, of_one_test_shape
from tests.train.conftest import TINY

CPU = Runtime(0, 1, torch.device("cpu"))
NETWORKS = {
    "query_64": {"name": "resnet_fpn"},
    "compares": {"name": "comparator", "blocks": 1},
    "residual": {"name": "residual", "box": False},
}


@pytest.fixture(scope="module")
def paired(tmp_path_factory):
    return build_paired(tmp_path_factory)


@pytest.fixture
def recipes(tmp_path):
    paths = []
    for name, model in NETWORKS.items():
        data = {**TINY["data"], "views": 4, "flip": False, "crop": 1.0}
        recipe = {**TINY, "name": name, "model": {**TINY["model"], **model}, "data": data}
        paths.append(tmp_path / f"{name}.yaml")
        paths[-1].write_text(yaml.safe_dump({**recipe, "optim": {**TINY["optim"], "max_steps": 2}}))
    return [str(path) for path in paths]


def test_every_arm_is_asked_everything_and_nothing_twice(paired, recipes, tmp_path):
    every = arms(recipes, [recipes[1]], paired, (0, 1), ["optim.batch=4"])
    assert len(every) == 4 and every[2].recipes[0].data.pairs == "counterfactual"
    # Two seeds of one network are enough to ask twice.
    made = [arm if arm.name == recipes[1] else replace(arm, recipes=arm.recipes[:1]) for arm in every]
    found = paired_study(made, tmp_path / "runs", CPU, rounds=20)
    told = found[paired.name]["arms"]
    compares = told[recipes[1]]
    assert set(compares["auc"]) == {"natural", "shuffled", *(f"natural, {w}" for w in ("mesh", "points", "own_camera"))}
    assert set(told[recipes[0]]["auc"]) == {"natural", "shuffled"}
    assert told[recipes[0]]["pairs"]["pairs"]["auc"]["value"] == 0.5
    assert compares["poses"]["natural, mesh"]["pose_error_deg"]["value"] >= 0
    assert len(compares["auc"]["natural"]["seeds"]) == 2
    text = table(found)
    assert "natural AUC, compared with" in text and "degrees to the nearest view" in text
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*") if path.is_file()}
    assert paired_study(made, tmp_path / "runs", CPU, rounds=20) == found
    assert kept == {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*") if path.is_file()}
    run = next((tmp_path / "runs" / paired.name).glob(f"compares-{made[1].recipes[0].hash[:8]}"))
    alone = evaluate(load_network(run, CPU.device, ["data.against=view"]), paired, "test", CPU, rounds=20).report
    assert alone["auc"] == compares["auc"]["natural"]["seeds"][0]
    assert alone["pairs"]["figures"]["group_score"]["value"] == compares["pairs"]["pairs"]["group_score"]["seeds"][0]


def test_other_datasets_are_asked_of_too_and_short_asks_less(paired, recipes, tmp_path):
    other = tmp_path / "other"
    other.symlink_to(paired)
    made = arms(recipes[:2], (), paired, (0,), ["optim.batch=4"])
    found = paired_study(made, tmp_path / "runs", CPU, rounds=20, short=True, tests=[other], baseline=recipes[0])
    assert list(found) == [paired.name, f"other, trained on {paired.name}"]
    here, there = found.values()
    assert here["arms"][recipes[1]]["auc"] == there["arms"][recipes[1]]["auc"]
    assert set(here["arms"][recipes[1]]["auc"]) == {"natural", "shuffled"}
    assert set(here["arms"][recipes[1]]["pairs"]) == {"pairs"}
    assert "natural" in there["arms"][recipes[1]]["minus_baseline"]


def test_one_test_shape_has_no_references_of_others(paired, recipes, tmp_path):
    one = of_one_test_shape(paired, tmp_path / "one")
    made = arms(recipes[:2], (), paired, (0,), ["optim.batch=4"])
    found = paired_study(made, tmp_path / "runs", CPU, rounds=20, tests=[one], baseline=recipes[0])
    told = found[f"one, trained on {paired.name}"]
    assert told["test_shapes"] == 1 and told["arms"][recipes[1]]["auc"]["natural"]["value"] is not None
    assert "shuffled" not in told["arms"][recipes[1]]["auc"]
    assert "pairs, blank" in told["arms"][recipes[1]]["pairs"]
    assert "| - |" in table(found)


def test_a_network_that_learned_without_references_is_asked_without_them(paired, recipes, tmp_path):
    made = arms([f"{recipes[1]}+data.blank_references=true"], (), paired, (0,), ["optim.batch=4"])
    (told,) = paired_study(made, tmp_path / "runs", CPU, rounds=20, short=True)[paired.name]["arms"].values()
    assert told["auc"]["natural"] == told["auc"]["shuffled"]
    assert told["pairs"]["pairs"]["auc"]["value"] == 0.5


def test_a_table_names_a_long_list_by_its_length(paired, recipes, tmp_path):
    held = [shape for name in ("val", "test") for shape in json.loads((paired / "split.json").read_text())[name]]
    ids = ",".join(f'"{shape}"' for shape in (held * 20)[:20])
    made = arms([f"{recipes[0]}+data.skip=[{ids}]"], (), paired, (0,), ["optim.batch=4"])
    text = table(paired_study(made, tmp_path / "runs", CPU, rounds=20, short=True))
    assert "data.skip=[20 values] (1)" in text and f'"{held[0]}",' not in text


def test_values_are_set_for_all_or_for_one(recipes, paired):
    made = arms(recipes, (), paired, (0,), ["optim.epochs=3", f"{recipes[0]}:optim.epochs=5"])
    assert [arm.recipes[0].optim.epochs for arm in made] == [5, 3, 3]
    ablated = arms([f"{recipes[1]}+model.stems=shared+loss.view=0"], (), paired, (3,), ["seed=1"])[0]
    recipe = ablated.recipes[0]
    assert (recipe.model.stems, recipe.loss.view, recipe.seed) == ("shared", 0.0, 3) and "stems" in ablated.name
