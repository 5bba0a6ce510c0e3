"""A small verified build, tiny recipes and a place for caches."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("kornia")
pytest.importorskip("safetensors")

import torch

from datagen.train.tasks.matching.recipe import MatchingRecipe
from tests.conftest import run_build, shared

TINY = {
    "name": "tiny",
    "model": {"dim": 16, "encoder_width": 8, "heads": 2, "blocks": 2, "k": 16},
    "data": {"image_px": 64, "views": 3, "eval_views": 4},
    "loss": {"points": 8, "pairs": 1},
    "optim": {"lr": 1e-3, "batch": 4, "epochs": 1, "max_steps": 6},
    "log": {"checkpoint_steps": 2, "tensorboard": False},
}


@pytest.fixture(autouse=True)
def one_thread():
    """The machine is shared; and what is drawn without a seed does not depend on the tests before."""
    torch.set_num_threads(1)
    torch.manual_seed(0)


def tiny(**sections) -> MatchingRecipe:
    """The tiny recipe with some values changed, section by section."""
    data = {key: dict(value) if isinstance(value, dict) else value for key, value in TINY.items()}
    for name, values in sections.items():
        data[name] = {**data[name], **values} if isinstance(values, dict) else values
    return MatchingRecipe.model_validate(data)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """Six chairs, few views, fake renderer; two shapes in test."""
    sets = ["anomaly.slots_per_shape=2", "normal.views={4: 1}", "split.test=100", "split.val=60", "reference.views=8"]
    return shared(tmp_path_factory, "train", lambda folder: run_build(folder, limit=6, sets=sets))
