"""The study for a lent GPU, at tiny size on the CPU: what is packed fits and is enough, and a table comes out."""

import tarfile

import pytest
import torch

from datagen.core.errors import UsageError
from datagen.train.runtime import Runtime
from datagen.train.tasks.matching.gpu_study import NETWORKS, pack, run
from tests.datasets.conftest import build_paired

CPU = Runtime(0, 1, torch.device("cpu"))
TINY = (
    *("data.image_px=64", "data.views=3", "data.eval_views=4", "data.workers=0", "data.queries_per_shape=1"),
    *("data.pack=false", "optim.batch=4", "model.dim=16", "model.encoder_width=8", "model.heads=2", "model.blocks=1"),
    *("log.tensorboard=false", "loss.points=8"),
)


@pytest.fixture(scope="module")
def paired(tmp_path_factory):
    return build_paired(tmp_path_factory)


def test_what_is_packed_holds_whole_shapes_of_every_split_and_no_depth(paired, tmp_path):
    whole = pack(paired, tmp_path / "all.tar", 60)
    fewer = pack(paired, tmp_path / "some.tar", (tmp_path / "all.tar").stat().st_size * 0.7 / 2**20)
    assert sum(fewer.values()) < sum(whole.values()) and min(fewer.values()) >= 1
    with tarfile.open(tmp_path / "some.tar") as tar:
        names = tar.getnames()
    assert not any(n.endswith(("_depth.npy", ".obj")) or "/view_" in n or "-t0/" in n for n in names)
    assert not any(n.startswith("shapes/") and "-a" in n.split("/")[1] for n in names)
    assert (tmp_path / "some.tar").stat().st_size < (tmp_path / "all.tar").stat().st_size * 0.7 + 20_000
    with pytest.raises(UsageError, match="more --mib"):
        pack(paired, tmp_path / "none.tar", 0.001)


def test_the_study_ends_in_a_table(paired, tmp_path, monkeypatch):
    monkeypatch.setattr("datagen.train.tasks.matching.gpu_study.FOR_TRAINING", 0.01)
    pack(paired, tmp_path / "all.tar", 60)
    text = run(tmp_path / "all.tar", tmp_path / "out", 1, CPU, TINY, rounds=20)
    assert all(f"| {name} (1) |" in text for name in NETWORKS)
    assert (tmp_path / "out" / "study.json").is_file()
