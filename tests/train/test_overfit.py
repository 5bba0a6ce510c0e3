"""The network can learn: it fits eight shapes, and what the references alone tell reaches its answer.

Eight shapes are few enough to learn by heart from the queries, and then shuffled references change nothing. So the
references' part is shown where queries tell nothing: every query is blank, and the label is the reference shape's.
"""

import numpy as np
import pytest
import torch

from datagen.datasets.chairs import Chairs
from datagen.train import loop
from datagen.train.data import eval_loader, open_split
from datagen.train.loop import train
from datagen.train.metrics import auc
from datagen.train.runtime import Runtime
from tests.conftest import run_build
from tests.train.conftest import tiny

CPU = Runtime(0, 1, torch.device("cpu"))


class Blank(Chairs):
    """White queries; the label is 1 for every other shape. `step` moves the references on by so many shapes."""

    step = 0

    def __getitem__(self, key):
        epoch, number = key if isinstance(key, tuple) else (0, key)
        shapes = sorted(self._number)
        own = shapes.index(self.samples[number].shape)
        self._reference = {shape: shapes[(k + self.step) % len(shapes)] for k, shape in enumerate(shapes)}
        item = super().__getitem__((epoch, number))
        return item | {"query": torch.ones_like(item["query"]), "label": torch.tensor(float(own % 2))}


def blank(data: Chairs, step: int = 0) -> Blank:
    made = Blank(data.source, data.samples, data.config, train=data.train, seed=data.seed, plan=data.plan)
    made.step = step
    return made


def answers(objective, data):
    """Labels and scores of all items, in order."""
    objective.eval()
    with torch.no_grad():
        found = [(batch["label"], objective.predict(batch).logit_B) for batch in eval_loader(data, 16, 0)]
    return tuple(torch.cat(column).numpy() for column in zip(*found, strict=True))


@pytest.fixture(scope="module")
def eight(tmp_path_factory):
    """Eight training shapes of a small fake build."""
    out = tmp_path_factory.mktemp("eight") / "chairs"
    sets = ["anomaly.slots_per_shape=2", "anomaly.views={2: 1}", "normal.views={4: 1}", "split.train=1000"]
    run_build(out, limit=10, sets=[*sets, "split.val=1", "split.test=1"])
    return out


def recipe_for(epochs):
    return tiny(
        model={"dim": 32, "encoder_width": 16, "heads": 4, "blocks": 2, "k": 32, "box": False},
        data={"views": 4, "eval_views": 8, "flip": False, "crop": 1.0, "pack": True, "shapes": 8},
        loss={"points": 16},
        optim={"lr": 2e-3, "batch": 16, "epochs": epochs, "max_steps": None, "clip_norm": 1.0, "schedule": "cosine"},
        log={"checkpoint_steps": 10**6, "validate_epochs": 10**6},
    )


@pytest.mark.soak
def test_it_fits_eight_shapes(eight, tmp_path):
    recipe, losses = recipe_for(50), []
    done = train(tmp_path, eight, recipe, CPU, lambda event: losses.append(event.loss))
    data = open_split(eight, "train", recipe)
    assert len({sample.shape for sample in data.samples}) == 8
    label, score = answers(done.objective, data)
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])
    assert auc(label, score) >= 0.95


def test_what_references_tell_is_learned_and_lost_by_shuffling(eight, tmp_path, monkeypatch):
    def opened(folder, split, recipe, *rest):
        data = open_split(folder, split, recipe, *rest)
        return blank(data) if split == "train" else data

    monkeypatch.setattr(loop, "open_split", opened)
    recipe = recipe_for(12)
    done = train(tmp_path, eight, recipe, CPU, lambda event: None)
    data = open_split(eight, "train", recipe)
    right, shuffled = (auc(*answers(done.objective, blank(data, step))) for step in (0, 1))
    assert right >= 0.95
    assert shuffled <= 0.5, "the label changes with the reference, so a network that follows it is now wrong"
