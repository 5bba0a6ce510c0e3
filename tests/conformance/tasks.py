"""The seam `train.task.Task`: learn, repeat, resume, evaluate, refuse."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors import safe_open  # noqa: E402

from datagen.cli.train import require_task  # noqa: E402
from datagen.core.errors import BrokenFile, UsageError  # noqa: E402
from datagen.kinds.registry import Kind  # noqa: E402
from datagen.train import loop, recipes, run  # noqa: E402
from datagen.train.checkpoint import newest_checkpoint  # noqa: E402
from datagen.train.config import TrainRecipe  # noqa: E402
from datagen.train.evaluate import evaluate  # noqa: E402
from datagen.train.loop import draws, train  # noqa: E402
from datagen.train.page import write_page  # noqa: E402
from datagen.train.runtime import Runtime  # noqa: E402
from datagen.train.task import Loaded, Task  # noqa: E402

CPU = Runtime(0, 1, torch.device("cpu"))
STEPS = 4


class TaskConformance:
    """A subclass names its task, a kind that it learns from and one that it does not, and how to build a dataset.

    The dataset has samples in train, val and test.
    """

    task: Task
    kind: Kind
    other: Kind

    def build(self, out: Path) -> None:
        raise NotImplementedError

    def recipe(self) -> dict:
        """Values small enough for a test, beside those of `optim` and `log`."""
        return {}

    def made(self, **more) -> TrainRecipe:
        optim = {"lr": 1e-3, "batch": 2, "max_steps": STEPS, "epochs": 9}
        log = {"checkpoint_steps": 1, "keep": 9, "tensorboard": False}
        return self.task.recipe.model_validate({"optim": optim, "log": log, **self.recipe(), **more})

    @pytest.fixture(scope="class")
    @classmethod
    def data(cls, tmp_path_factory):
        out = tmp_path_factory.mktemp("task") / "data"
        cls().build(out)
        return out

    @pytest.fixture(autouse=True)
    def plugged(self, monkeypatch):
        """The task is found by its name, installed or not; one thread, so that sums repeat."""
        torch.set_num_threads(1)
        for module in (loop, recipes, run):
            monkeypatch.setattr(module, "find_task", lambda name: self.task)

    def trained(self, out, data, **how):
        out.mkdir(exist_ok=True)
        return train(out, data, self.made(), CPU, lambda event: None, **how)

    def test_a_step_on_a_batch_lowers_its_finite_losses(self, data):
        recipe = self.made()
        objective = self.task.make_objective(recipe)
        samples = self.task.open_data(data, "train", recipe, objective)
        batch = torch.utils.data.default_collate([samples[(0, n)] for n in (0, 1)])
        optimiser = torch.optim.SGD(objective.parameters(), lr=1e-3)

        def total(phase):
            losses = objective(batch, phase, draws(0, 0))
            assert losses and all(loss.isfinite() for loss in losses.values())
            return objective.total(losses)

        for phase in range(objective.phases):
            before = total(phase)
            optimiser.zero_grad()
            before.backward()
            optimiser.step()
            assert total(phase).item() < before.item()

    def test_a_sample_is_a_function_of_its_key(self, data):
        recipe = self.made()
        objective = self.task.make_objective(recipe)
        one, two = (self.task.open_data(data, "train", recipe, objective) for _ in range(2))
        assert len(one) == len(one.shapes) > 0
        two[(3, 0)]
        first, again = one[(1, 0)], two[(1, 0)]
        assert first.keys() == again.keys() and int(first["number"]) == 0
        assert all(np.array_equal(first[name], again[name], equal_nan=True) for name in first)

    def test_weights_are_a_function_of_the_seed(self):
        one, two, other = (self.task.make_objective(self.made(seed=seed)).weights_dict() for seed in (0, 0, 1))
        assert all(torch.equal(one[name], two[name]) for name in one)
        assert any(not torch.equal(one[name], other[name]) for name in one)

    def test_a_run_repeats_and_resumes_to_the_byte(self, data, tmp_path):
        for name in ("whole", "again"):
            self.trained(tmp_path / name, data)
        for number in (3, 4):
            (tmp_path / "again" / "checkpoints" / f"step_{number:08d}.safetensors").unlink()
        self.trained(tmp_path / "again", data, resume=True)
        whole, again = (tensors(newest_checkpoint(tmp_path / name)) for name in ("whole", "again"))
        assert whole.keys() == again.keys()
        assert all(torch.equal(whole[name], again[name]) for name in whole)
        assert (tmp_path / "whole/train.csv").read_bytes() == (tmp_path / "again/train.csv").read_bytes()

    def test_an_evaluation_is_json_and_a_page(self, data, tmp_path):
        recipe = self.made()
        loaded = Loaded(self.task, self.task.make_objective(recipe), recipe, 0.5, "fresh")
        found = evaluate(loaded, data, "test", CPU, rounds=10)
        assert json.loads(json.dumps(found.report, allow_nan=False)) == found.report
        assert {"n", "n_shapes", "threshold", "intervals", "split"} <= set(found.report)
        assert set(found.report["intervals"]) <= set(found.report) and found.report["n"] > 0
        assert "</html>" in write_page(tmp_path, "evaluation", found, loaded).read_text()

    def test_another_kind_s_folder_is_refused(self, tmp_path):
        require_task(tmp_path, self.kind, self.task.name)
        with pytest.raises(UsageError, match=f"task {self.task.name} does not learn"):
            require_task(tmp_path, self.other, self.task.name)
        with pytest.raises(UsageError):
            self.task.open_data(tmp_path / "nothing", "train", self.made(), None)

    def test_a_split_without_samples_is_told_before_anything_is_made(self, data):
        self.task.require_data(data, ("train", "val", "test"))
        with pytest.raises(BrokenFile, match="nosuch"):
            self.task.require_data(data, ("train", "nosuch"))


def tensors(path: Path) -> dict:
    with safe_open(path, "pt") as opened:
        return {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (no iterator)
