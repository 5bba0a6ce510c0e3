"""Tasks are found by name, and what was made before they had names is of the matching task."""

import json
from importlib.metadata import EntryPoint

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from datagen.core.errors import OtherRecipe, RecipeError, UsageError
from datagen.train.checkpoint import Progress, checkpoint_path, read_checkpoint, write_checkpoint
from datagen.train.load import load_network
from datagen.train.recipes import load_train_recipe, parse_train_recipe
from datagen.train.run import open_run
from datagen.train.tasks import registry
from datagen.train.tasks.matching.networks import NETWORKS, make_objective
from datagen.train.tasks.matching.recipe import RULES
from datagen.train.tasks.matching.task import MATCHING, RECIPES
from tests.train.conftest import tiny


@pytest.fixture
def plant(monkeypatch):
    """Gives the registry entry points of installed packages."""

    def points(*named):
        found = [EntryPoint(name, value, registry.GROUP) for name, value in named]
        monkeypatch.setattr(registry, "entry_points", lambda group: found)
        registry.find_task.cache_clear()

    yield points
    registry.find_task.cache_clear()


def test_a_task_is_found_by_name_and_an_unknown_one_lists_the_known():
    assert registry.find_task("matching") is MATCHING
    with pytest.raises(UsageError, match="no training task odd; the tasks are detector, matching"):
        registry.find_task("odd")


def test_an_entry_point_that_is_no_task_is_named(plant):
    plant(("a", "pathlib:Path"), ("b", "nowhere:TASK"), ("matching", "pathlib:Path"))
    assert registry.task_names() == ("a", "b", "detector", "matching"), "names are known without loading"
    for name, wrong in (("a", "is no training task"), ("b", "cannot be loaded"), ("matching", "more than once")):
        with pytest.raises(UsageError, match=wrong):
            registry.find_task(name)


def test_every_network_has_a_name_in_every_table():
    assert set(RECIPES) - {""} == set(NETWORKS) - {"published"}
    assert set(RULES) <= set(NETWORKS)
    assert all(load_train_recipe(None, model).model.name == model for model in set(RECIPES) - {""})


def unnamed(recipe):
    """A recipe as it was written down before tasks had names."""
    return {key: value for key, value in recipe.model_dump(mode="json").items() if key != "task"}


def test_a_checkpoint_without_a_task_is_of_matching(tmp_path):
    recipe, path = tiny(), checkpoint_path(tmp_path, 1)
    tensors = {f"model.{name}": t for name, t in make_objective(recipe).weights_dict().items()}
    write_checkpoint(path, recipe, Progress(1), tensors)
    with safe_open(path, "pt") as opened:
        metadata = opened.metadata()
    save_file(tensors, path, {**metadata, "recipe": json.dumps(unnamed(recipe))})
    assert read_checkpoint(path).recipe == recipe
    assert load_network(path, torch.device("cpu")).task is MATCHING
    save_file(tensors, path, {**metadata, "recipe": json.dumps({**unnamed(recipe), "task": "odd"})})
    with pytest.raises(RecipeError, match=r"step_00000001.*no training task odd"):
        read_checkpoint(path)


def test_a_run_without_a_task_goes_on(dataset, tmp_path):
    run = open_run(tmp_path / "run", dataset, tiny(), 1, False)
    note = json.loads((run / "run.json").read_text())
    assert note["recipe_hash"] == parse_train_recipe(unnamed(tiny()), "").hash
    (run / "run.json").write_text(json.dumps({**note, "recipe": unnamed(tiny())}))
    (run / "train.csv").write_text("step,loss\n0,1.0\n")
    assert open_run(run, dataset, tiny(), 1, True) == run
    with pytest.raises(OtherRecipe, match=r"another optim\.lr \(asked for 1\.0, there 0\.001\); choose"):
        open_run(run, dataset, tiny(optim={"lr": 1.0}), 1, True)
