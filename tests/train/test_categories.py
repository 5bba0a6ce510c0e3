"""A network that was trained on one category and is measured on another; one trained on a category of one's own."""

import json

import yaml

from tests.conftest import run_build, shared
from tests.helpers.forked_commands import TRAIN, run_forked
from tests.kinds.brokenchairs.test_categories import CHAIRS_AND_TABLES, TWO, mills
from tests.train.conftest import TINY

SETS = (*TWO, "split.test=100", "split.val=60")


def trained(data, folder):
    """A tiny network trained on a dataset; the folder of its run."""
    recipe = folder / "tiny.yaml"
    recipe.write_text(yaml.safe_dump(TINY))
    arguments = (
        "train",
        "--data",
        data,
        "--recipe",
        recipe,
        "--out",
        folder / "run",
        "--device",
        "cpu",
        "--unverified",
    )
    done = run_forked(arguments, {"COLUMNS": "200"}, modules=TRAIN)
    assert done.returncode == 0, done.stderr
    return folder / "run"


def evaluated(run, data, split):
    """The figures of `datagen evaluate --json`."""
    arguments = ("evaluate", run, "--data", data, "--split", split, "--json", "--device", "cpu")
    done = run_forked(arguments, {"COLUMNS": "200"}, modules=TRAIN)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_unseen_categories_are_measured_by_category(tmp_path, tmp_path_factory):
    collection = f"{CHAIRS_AND_TABLES},partnet/faucet"
    sets = [*(one for one in SETS if "unseen" not in one), "split.unseen=[table, faucet]"]
    data = shared(tmp_path_factory, "three", lambda folder: run_build(folder, 14, sets=sets, collection=collection))
    report = evaluated(trained(data, tmp_path), data, "unseen")
    assert set(report["per_category"]) == {"table", "faucet"}
    groups = report["per_category"].values()
    assert all(group["anomalies"] > 0 for group in groups)
    assert report["split"] == "unseen" and report["n"] > sum(group["anomalies"] for group in groups)
    assert set(evaluated(tmp_path / "run", data, "test")["per_category"]) == {"chair"}


def test_a_category_of_ones_own_is_trained_on(tmp_path):
    mills(tmp_path)
    report = evaluated(trained(tmp_path / "data", tmp_path), tmp_path / "data", "test")
    assert set(report["per_part_class"]) <= {"Sail", "Tower"} and report["n"] > 0
