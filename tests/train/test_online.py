"""Pairs made while training: a function of seed and number, labels of pairs, resume exact, nothing held out seen."""

import pickle
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

from datagen.cli.online import keep_apart
from datagen.core.errors import OtherRecipe, UsageError
from datagen.datasets.config import DataConfig
from datagen.datasets.online import InOrder, OnlineDataset, of_all
from datagen.kinds.brokenchairs.groups import online_groups
from datagen.kinds.registry import kinds, load_recipe
from datagen.recipe.loader import find_recipe
from datagen.shapes.collections import open_collection
from datagen.train.loop import train
from datagen.train.run import open_run
from datagen.train.runtime import Runtime
from tests.datasets.conftest import PAIRED, build_paired
from tests.helpers.box_chairs import write_plain_chairs
from tests.train.conftest import TINY, tiny
from tests.train.test_commands import datagen

CPU = Runtime(0, 1, torch.device("cpu"))
COMPARATOR = {"name": "comparator", "dim": 16, "encoder_width": 8, "blocks": 1}
DATA = {"views": 6, "eval_views": 6, "queries_per_shape": 8, "flip": False, "crop": 1.0, "pairs": "counterfactual"}


@pytest.fixture(scope="module")
def paired(tmp_path_factory):
    return build_paired(tmp_path_factory)


@pytest.fixture(scope="module")
def chairs(tmp_path_factory):
    return write_plain_chairs(tmp_path_factory.mktemp("chairs"), 6)


@pytest.fixture(scope="module")
def plan(chairs):
    recipe = load_recipe(find_recipe("quickstart"), PAIRED)
    return kinds()["brokenchairs"].building.plan(recipe, open_collection(str(chairs)))


def test_a_group_is_a_function_of_seed_and_number_in_every_process(plan):
    maker = online_groups(plan, 3, 64, 2)
    first = maker(5)
    maker(1)
    again = pickle.loads(pickle.dumps(maker))(5)
    assert first.shape == again.shape and np.array_equal(first.bundles, again.bundles)
    for a, b in zip(first.cameras, again.cameras, strict=True):
        assert np.array_equal(a.queries, b.queries) and np.array_equal(a.masks, b.masks)
    assert plan.splits[first.shape] == "train"
    other = online_groups(plan, 4, 64, 2)(5)
    assert not np.array_equal(first.cameras[0].queries, other.cameras[0].queries)


def test_twins_differ_where_the_masks_say_and_bundles_by_the_anomaly(plan):
    for number in range(4):
        group = online_groups(plan, 0, 64, 2)(number)
        assert (group.bundles[0] != group.bundles[1]).any()
        for camera in group.cameras:
            apart = np.abs(camera.queries[0].astype(int) - camera.queries[1]).max(axis=2) > 60
            covered = camera.masks.any(axis=0)
            assert covered.any() and apart[covered].any()
            assert np.abs(camera.own[0].astype(int) - camera.own[1])[covered].max() > 20


def test_items_have_the_labels_of_pairs(plan):
    config = DataConfig(image_px=64, **{**DATA, "own_camera": 0.5, "thin_views": 0.5, "flip_together": True})
    data = OnlineDataset(online_groups(plan, 0, 64, 2), config, 0, changed=True)
    keys = data.batches(16, 0).batch_at(0, 0)
    batch = torch.utils.data.default_collate([data[key] for key in keys])
    assert batch["label"].tolist() == [0, 1, 1, 0] * 4 and len(batch["unit"].unique()) == 4
    for name in ("picture", "reference"):
        sums = {int(n): batch["label"][batch[name] == n].mean() for n in batch[name].unique()}
        assert set(map(float, sums.values())) == {0.5}
    assert not batch["changed"][batch["label"] == 0].any() and (batch["box"][batch["label"] == 1].sum(1) > 0).all()
    assert batch["views"].shape == (16, 6, 64, 64) and (batch["angle"] < 181).all()
    again = [data[key] for key in keys][7]
    assert all(torch.equal(torch.nan_to_num(again[k]), torch.nan_to_num(batch[k][7])) for k in again)


def test_no_group_comes_twice_whatever_the_processes():
    seen = [key for rank in range(2) for step in range(3) for key in InOrder(8, 16, rank, 2).batch_at(1, step)]
    assert len(set(seen)) == len(seen) == 96
    with pytest.raises(ValueError, match="multiple"):
        InOrder(8, 12, 0, 1)
    assert of_all(1, 2) == (0, 0) and of_all(5, 2) == (0, 2)


def test_training_goes_on_as_if_never_interrupted(plan, paired, tmp_path):
    recipe = tiny(model=COMPARATOR, data=DATA, optim={"batch": 16, "max_steps": 4, "epochs": 9})
    maker = online_groups(plan, 0, 64, 2)
    (tmp_path / "once").mkdir()
    (tmp_path / "twice").mkdir()
    once = train(tmp_path / "once", paired, recipe, CPU, lambda event: None, online=maker)

    class Stop(Exception):
        pass

    def stop(event):
        if event.step == 2:
            raise Stop

    with pytest.raises(Stop):
        train(tmp_path / "twice", paired, recipe, CPU, stop, online=maker)
    again = train(tmp_path / "twice", paired, recipe, CPU, lambda event: None, resume=True, online=maker)
    for name, tensor in once.objective.weights_dict().items():
        torch.testing.assert_close(tensor, again.objective.weights_dict()[name], rtol=0, atol=1e-6)


def test_the_run_remembers_what_made_its_samples(plan, paired, tmp_path):
    recipe = tiny(model=COMPARATOR, data=DATA, optim={"batch": 16})
    open_run(tmp_path, paired, recipe, 1, False, plan.run_record())
    (tmp_path / "train.csv").write_text("step,loss\n0,1.0\n")
    open_run(tmp_path, paired, recipe, 1, True, plan.run_record())
    with pytest.raises(OtherRecipe, match="--online"):
        open_run(tmp_path, paired, recipe, 1, True)


def test_natural_labels_cannot_be_made_online(plan, paired, tmp_path):
    recipe = tiny(model=COMPARATOR, data={**DATA, "pairs": "natural"}, optim={"batch": 16})
    with pytest.raises(UsageError, match="counterfactual"):
        train(tmp_path, paired, recipe, CPU, lambda event: None, online=online_groups(plan, 0, 64, 2))


def test_the_command_trains_online(paired, chairs, tmp_path):
    values = {**TINY, "model": {**TINY["model"], **COMPARATOR}, "data": {**TINY["data"], **DATA}}
    (tmp_path / "train.yaml").write_text(yaml.safe_dump({**values, "optim": {"batch": 8, "max_steps": 2}}))
    sections = {}
    for value in PAIRED:
        key, _, text = value.partition("=")
        section, _, name = key.partition(".")
        sections.setdefault(section, {})[name] = yaml.safe_load(text)
    (tmp_path / "made.yaml").write_text(yaml.safe_dump(sections))
    common = ("train", "--data", paired, "--recipe", tmp_path / "train.yaml", "--unverified")
    online = ("--online", tmp_path / "made.yaml", "--shapes", chairs, "--out", tmp_path / "run")
    done = datagen(*common, *online)
    assert done.returncode == 0, done.stderr
    done = datagen(*common, "--online", tmp_path / "made.yaml", "--out", tmp_path / "c")
    assert done.returncode == 2 and "go together" in done.stderr


def all_trained(chairs):
    """The plan of a collection, every shape of it for training."""
    source = open_collection(str(chairs))
    return SimpleNamespace(source=source, splits={entry.shape_id: "train" for entry in source.entries()})


def test_shapes_that_a_dataset_holds_out_are_known_by_their_geometry(paired, plan, chairs, tmp_path):
    keep_apart(paired, plan)
    held = [shape for shape, split in plan.splits.items() if split != "train"]
    with pytest.raises(
        UsageError, match=r"holds out would be trained on: .*1\d+; give --online the recipe that"
    ) as told:
        keep_apart(paired, all_trained(chairs))
    assert str(told.value).startswith(f"UsageError: {len(held)} shapes")
    # Under other names, in another collection.
    for number, folder in enumerate(sorted(path for path in chairs.iterdir() if path.is_dir())):
        shutil.copytree(folder, tmp_path / "renamed" / str(5000 + number))
    with pytest.raises(UsageError, match=rf"50\d\d \(there {held[0]}\)"):
        keep_apart(paired, all_trained(tmp_path / "renamed"))


def test_other_shapes_of_the_same_names_are_trained_on(paired, plan, chairs, tmp_path):
    other = write_plain_chairs(tmp_path / "more", 12)
    for number in range(6):
        shutil.rmtree(other / str(1001 + number))
        (other / str(1007 + number)).rename(other / str(1001 + number))
    keep_apart(paired, all_trained(other))


@pytest.mark.parametrize(
    ("values", "online", "told"),
    [
        ((), "toysad_quickstart", "is a recipe of kind oddoneout"),
        ((), "quickstart", "makes no pairs; set reference.counterfactual"),
        (("--set", "data.pairs=mixed", "--set", "optim.batch=16"), "brokenchairs_paired", "data.pairs mixed has to be"),
        (("--set", "data.pairs=natural"), "brokenchairs_paired", "data.pairs natural has to be"),
    ],
)
def test_what_makes_no_pairs_is_refused_by_name(paired, chairs, tmp_path, values, online, told):
    common = ("train", "--data", paired, "--recipe", "comparator_64", "--unverified", "--out", tmp_path / "run")
    done = datagen(*common, "--online", online, "--shapes", chairs, *values)
    assert done.returncode == 2 and told in done.stderr
