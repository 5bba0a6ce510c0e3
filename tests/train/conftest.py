"""A small verified build, tiny recipes and a place for caches."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("kornia")
pytest.importorskip("safetensors")

import torch

from datagen.train.config import TrainRecipe
from tests.conftest import run_build

TINY = {
    "name": "tiny",
    "model": {"dim": 16, "encoder_width": 8, "heads": 2, "blocks": 2, "k": 16},
    "data": {"image_px": 64, "views": 3, "eval_views": 4},
    "loss": {"points": 8, "pairs": 1},
    "optim": {"lr": 1e-3, "batch": 4, "epochs": 1, "max_steps": 6},
    "log": {"checkpoint_steps": 2, "tensorboard": False},
}


@pytest.fixture(autouse=True)
def one_thread(monkeypatch, tmp_path_factory):
    """The machine is shared, and a cache in the user's home is no test's business."""
    torch.set_num_threads(1)
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def tiny(**sections) -> TrainRecipe:
    """The tiny recipe with some values changed, section by section."""
    data = {key: dict(value) if isinstance(value, dict) else value for key, value in TINY.items()}
    for name, values in sections.items():
        data[name] = {**data[name], **values} if isinstance(values, dict) else values
    return TrainRecipe.model_validate(data)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """Six chairs, few views, fake renderer; two shapes in test."""
    out = tmp_path_factory.mktemp("chairs") / "small"
    sets = ["anomaly.slots_per_shape=2", "normal.views={4: 1}", "split.test=100", "split.val=60"]
    run_build(out, limit=6, sets=sets)
    return out
