"""CMT learns to compare: eight shapes, each query once with its own reference and once with another's.

The query alone tells nothing, so a training AUC near 1 is the reference's doing, and shuffling the references
has to destroy it.
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


class Matching(Chairs):
    """Sample 2i is query i with its own reference (label 0), 2i + 1 the same with another's (label 1)."""

    @classmethod
    def of(cls, base: Chairs, step: int = 0) -> "Matching":
        normal = [sample for sample in base.samples if not sample.label]
        made = cls(base.source, normal, base.config, train=base.train, seed=base.seed, plan=base.plan)
        shapes = sorted(made._reference)
        made.others = {shape: shapes[(k + 3) % len(shapes)] for k, shape in enumerate(shapes)}
        made.shift = {shape: shapes[(k + step) % len(shapes)] for k, shape in enumerate(shapes)}
        return made

    def __len__(self) -> int:
        return 2 * len(self.samples)

    def __getitem__(self, key):
        epoch, number = key if isinstance(key, tuple) else (0, key)
        sample = self.samples[number // 2]
        shape = self.others[sample.shape] if number % 2 else sample.shape
        self._reference[sample.shape] = self.shift[shape]
        item = super().__getitem__((epoch, number // 2))
        return item | {"label": torch.tensor(float(number % 2))}


def scores(objective, data, recipe):
    """One score an item, in the items' order."""
    objective.eval()
    with torch.no_grad():
        batches = eval_loader(data, 16, 0)
        return torch.cat([objective.predict(batch).logit_B for batch in batches]).numpy()


@pytest.fixture(scope="module")
def eight(tmp_path_factory):
    out = tmp_path_factory.mktemp("eight") / "chairs"
    sets = ["anomaly.slots_per_shape=1", "anomaly.views={1: 1}", "normal.views={4: 1}", "split.train=1000"]
    run_build(out, limit=11, sets=[*sets, "split.val=1", "split.test=2"])
    return out


def test_overfit_needs_the_right_references(eight, tmp_path, monkeypatch):
    recipe = tiny(
        model={"dim": 32, "encoder_width": 16, "heads": 4, "blocks": 1, "k": 32, "box": False},
        data={"views": 4, "eval_views": 4, "flip": False, "crop": 1.0, "pack": True, "shapes": 8},
        loss={"points": 16},
        optim={"lr": 2e-3, "batch": 16, "epochs": 60, "max_steps": None, "clip_norm": 1.0, "schedule": "cosine"},
        log={"checkpoint_steps": 10**6, "validate_epochs": 10**6},
    )
    monkeypatch.setattr(
        loop, "open_split", lambda *a, **k: Matching.of(open_split(*a, **k)) if a[1] == "train" else open_split(*a, **k)
    )
    losses: list[float] = []
    done = train(tmp_path, eight, recipe, CPU, lambda event: losses.append(event.loss))
    base = open_split(eight, "train", recipe)
    assert len({sample.shape for sample in base.samples}) == 8
    values = {}
    for name, step in (("right", 0), ("shuffled", 1)):
        score = scores(done.objective, Matching.of(base, step), recipe)
        values[name] = auc(np.arange(len(score)) % 2, score)
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])
    assert values["right"] >= 0.95, values
    assert values["shuffled"] <= values["right"] - 0.2, values
