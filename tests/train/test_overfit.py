"""The network can learn what references are for: it fits eight shapes, and shuffled references undo it.

The eight are four chairs, each with and without its back. A picture of a chair without a back is normal beside its own
references and anomalous beside those of the complete chair, so that queries learned by heart go only so far.
"""

import json
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from datagen.core.rng import stream
from datagen.datasets.chairs import Chairs
from datagen.shapes.procedural.families import FAMILIES, chair
from datagen.shapes.procedural.quirks import no_quirks
from datagen.shapes.procedural.write import write_chair
from datagen.train import loop
from datagen.train.data import eval_loader, open_split
from datagen.train.loop import train
from datagen.train.metrics import auc
from datagen.train.runtime import Runtime
from tests.conftest import run_build
from tests.train.conftest import tiny

CPU = Runtime(0, 1, torch.device("cpu"))
PAIRS = 4


class Pairs(Chairs):
    """Every picture beside its own references (label 0), and those of shapes without a back beside their twin's (1).

    `shuffled`: every shape's references are those of its twin, the labels stay.
    """

    shuffled = False

    @property
    def _items(self):
        own = [(number, 0) for number in range(len(self.samples))]
        return own + [(number, 1) for number, _ in own if not complete(self.samples[number].shape)]

    def __len__(self):
        return len(self._items)

    @property
    def shapes(self):
        return [self.samples[number].shape for number, _ in self._items]

    def __getitem__(self, key):
        epoch, place = key if isinstance(key, tuple) else (0, key)
        number, label = self._items[place]
        shape = self.samples[number].shape
        self._reference = {shape: twin(shape) if bool(label) != self.shuffled else shape}
        return super().__getitem__((epoch, number)) | {"label": torch.tensor(float(label))}


def complete(shape):
    return int(shape) % 2 == 1


def twin(shape):
    return str(int(shape) + (1 if complete(shape) else -1))


def paired(data, shuffled=False):
    made = Pairs(data.source, data.samples, data.config, train=data.train, seed=data.seed, plan=data.plan)
    made.shuffled = shuffled
    return made


def with_backs():
    """Chairs of every family that has a back."""
    for number, family in enumerate(FAMILIES):
        made = chair(family, stream(0, "pair", number))
        bare = [piece for piece in made.pieces if not piece.path.startswith("chair_back")]
        if len(bare) < len(made.pieces):
            yield made, replace(made, pieces=type(made.pieces)(bare))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Eight pictures of every shape. A pair is one model, undivided by splits; three go to val and test."""
    root = tmp_path_factory.mktemp("pairs")
    for number, both in enumerate(islice(with_backs(), PAIRS + 3)):
        for shape, made in enumerate(both, 1001 + 2 * number):
            write_chair(root / "chairs" / str(shape), made, str(shape), f"{number:032x}", no_quirks(made))
    card = {"source": "pairs", "licence": "none", "stand_in": True, "note": "with and without a back"}
    (root / "chairs" / "collection.json").write_text(json.dumps(card))
    sets = ["anomaly.slots_per_shape=0", "normal.views={8: 1}", "split.train=1000", "split.val=1", "split.test=1"]
    run_build(root / "data", limit=None, sets=sets, collection=root / "chairs")
    return root / "data"


def answers(objective, data):
    """Labels and scores of all items, in order."""
    objective.eval()
    with torch.no_grad():
        found = [(batch["label"], objective.predict(batch).logit_B) for batch in eval_loader(data, 16, 0)]
    return tuple(torch.cat(column).numpy() for column in zip(*found, strict=True))


def test_it_fits_eight_shapes_and_shuffled_references_undo_it(pairs, tmp_path, monkeypatch):
    def opened(folder, split, recipe, *rest):
        data = open_split(folder, split, recipe, *rest)
        return paired(data) if split == "train" else data

    monkeypatch.setattr(loop, "open_split", opened)
    recipe = tiny(
        model={"dim": 32, "encoder_width": 16, "heads": 4, "blocks": 2, "k": 32, "box": False},
        data={"views": 4, "eval_views": 8, "flip": False, "crop": 1.0, "pack": True},
        loss={"points": 16},
        optim={"lr": 1e-3, "batch": 16, "epochs": 40, "max_steps": None, "clip_norm": 1.0, "schedule": "cosine"},
        log={"checkpoint_steps": 10**6, "validate_epochs": 10**6},
    )
    losses = []
    done = train(tmp_path, pairs, recipe, CPU, lambda event: losses.append(event.loss))
    data = open_split(pairs, "train", recipe)
    assert len({sample.shape for sample in data.samples}) == 2 * PAIRS
    right, shuffled = (auc(*answers(done.objective, paired(data, wrong))) for wrong in (False, True))
    print(f"training AUC {right:.3f}, with the twins' references {shuffled:.3f}")
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])
    assert right >= 0.95
    assert shuffled <= 0.75
