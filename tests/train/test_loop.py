"""The loop's promises beside resume: refusals, failures with a usable checkpoint, accumulation, EMA, DDP."""

import errno
import json
import os
import shutil
import socket
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import torch

from datagen.core.errors import BrokenFile, OtherRecipe, StoppedEarly, UsageError
from datagen.train import checkpoint
from datagen.train.checkpoint import best_checkpoint, newest_checkpoint, read_checkpoint
from datagen.train.errors import BadCheckpoint, Diverged, OutOfMemory
from datagen.train.load import load_network
from datagen.train.log import read_log
from datagen.train.loop import train
from datagen.train.optim import learning_rate, total_steps
from datagen.train.run import open_run
from datagen.train.runtime import Runtime, full_memory_as_error
from datagen.train.tasks.matching.networks import make_objective
from tests.conftest import ROOT
from tests.helpers.forked_commands import TRAIN, fork
from tests.train.conftest import tiny

CPU = Runtime(0, 1, torch.device("cpu"))


def fit(run, data, recipe, resume=False):
    run.mkdir(exist_ok=True)
    events = []
    return train(run, data, recipe, CPU, events.append, resume), events


def test_a_run_leaves_logs_checkpoints_and_best(dataset, tmp_path):
    done, events = fit(tmp_path, dataset, tiny(log={"tensorboard": True}))
    assert [event.step for event in events] == list(range(1, 7))
    assert events[0].samples_per_s > 0 and events[0].memory_gib > 0
    rows = read_log(tmp_path / "train.csv")
    assert {"bce", "box_l1", "box_giou", "query_view", "view_view", "loss", "grad_norm", "lr"} <= set(rows[0])
    steps = sorted(path.name for path in (tmp_path / "checkpoints").glob("step_*"))
    assert steps == ["step_00000004.safetensors", "step_00000006.safetensors"]
    assert best_checkpoint(tmp_path).name == "best.safetensors"
    assert list((tmp_path / "tensorboard").iterdir())
    loaded = load_network(tmp_path, torch.device("cpu"))
    assert loaded.threshold == done.progress.threshold


def nan_loss(monkeypatch, step):
    from datagen.train.tasks.matching.objective import CMTObjective

    forward = CMTObjective.forward
    seen = []

    def poisoned(self, *arguments):
        losses = forward(self, *arguments)
        seen.append(1)
        return {name: loss * float("nan") for name, loss in losses.items()} if len(seen) == step else losses

    monkeypatch.setattr(CMTObjective, "forward", poisoned)


def test_a_nan_loss_ends_with_a_clear_error_and_a_usable_checkpoint(dataset, tmp_path, monkeypatch):
    nan_loss(monkeypatch, 4)
    with pytest.raises(Diverged, match=r"step 3 .*lower optim\.lr") as error:
        fit(tmp_path, dataset, tiny())
    assert error.value.exit_code == 2
    last = read_checkpoint(newest_checkpoint(tmp_path))
    assert last.progress.step == 2
    assert all(t.isfinite().all() for t in last.tensors.values() if t.is_floating_point())
    monkeypatch.undo()
    done, _ = fit(tmp_path, dataset, tiny(), resume=True)
    assert done.progress.step == 6


def test_a_full_disk_keeps_the_checkpoint_before(dataset, tmp_path, monkeypatch):
    save, seen = checkpoint.save_file, []

    def full(tensors, path, metadata):
        save(tensors, path, metadata)
        seen.append(path)
        if len(seen) == 2:
            path.write_bytes(path.read_bytes()[:1000])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(StoppedEarly, match="make room and run again with --resume") as error:
        fit(tmp_path, dataset, tiny(log={"validate_epochs": 9}))
    assert error.value.exit_code == 75
    assert read_checkpoint(newest_checkpoint(tmp_path)).progress.step == 2
    assert not list((tmp_path / "checkpoints").glob(".*"))


def test_a_really_full_disk(dataset, tmp_path):
    """A file-size limit in a process of its own: the kernel refuses the write, as a full disk does."""
    code = (
        "import resource, signal, sys, torch; from pathlib import Path\n"
        "from datagen.train import checkpoint as c; from datagen.train.tasks.matching.recipe import MatchingRecipe\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "run = Path(sys.argv[1]); r = MatchingRecipe()\n"
        "c.write_checkpoint(c.checkpoint_path(run, 1), r, c.Progress(1), {'model.a': torch.zeros(10)})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200000, 200000))\n"
        "try: c.write_checkpoint(c.checkpoint_path(run, 2), r, c.Progress(2), {'model.a': torch.zeros(10**6)})\n"
        "except c.StoppedEarly as e: print(e); sys.exit(e.exit_code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 75, done.stderr
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step_00000001.safetensors"]
    assert read_checkpoint(newest_checkpoint(tmp_path)).progress.step == 1


def test_out_of_memory_is_told_with_advice():
    with pytest.raises(OutOfMemory, match="lower the batch") as error, full_memory_as_error("lower the batch"):
        torch.empty(10**15)
    assert error.value.exit_code == 75
    with pytest.raises(OutOfMemory), full_memory_as_error("x"):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
    with pytest.raises(RuntimeError, match="shape"), full_memory_as_error("x"):
        raise RuntimeError("shape mismatch")


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"PK" + b, lambda b: b""])
def test_a_torn_checkpoint_is_named(tmp_path, damage):
    path = checkpoint.checkpoint_path(tmp_path, 1)
    checkpoint.write_checkpoint(path, tiny(), checkpoint.Progress(1), {"model.a": torch.zeros(5)})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BadCheckpoint, match="step_00000001"):
        read_checkpoint(path)


def test_a_run_folder_is_not_shared(dataset, tmp_path):
    run = open_run(tmp_path / "run", dataset, tiny(), 1, False)
    (run / "train.csv").write_text("step,loss\n0,1.0\n")
    with pytest.raises(OtherRecipe) as error:
        open_run(run, dataset, tiny(optim={"lr": 1.0}), 1, False)
    assert error.value.exit_code == 6
    checkpoint.write_checkpoint(checkpoint.checkpoint_path(run, 1), tiny(), checkpoint.Progress(1), {})
    with pytest.raises(UsageError, match="--resume"):
        open_run(run, dataset, tiny(), 1, False)
    assert open_run(run, dataset, tiny(), 1, True) == run
    with pytest.raises(OtherRecipe, match=r"another optim\.lr \(asked for 1\.0, there 0\.001\); choose"):
        open_run(run, dataset, tiny(optim={"lr": 1.0}, data={"workers": 7}, log={"keep": 5}), 1, True)
    with pytest.raises(OtherRecipe, match="by 1 processes, here are 4"):
        open_run(run, dataset, tiny(), 4, True)


def test_a_run_that_ended_before_its_first_step_is_nobodys(dataset, tmp_path):
    run = open_run(tmp_path / "run", dataset, tiny(), 1, False)
    for log in (None, "", "step,loss\n"):
        if log is not None:
            (run / "train.csv").write_text(log)
        other = tiny(optim={"lr": 1.0 if log else 2.0})
        open_run(run, dataset, other, 2, False)
        assert json.loads((run / "run.json").read_text())["recipe_hash"] == other.hash
    (run / "train.csv").write_text("step,loss\n0,1.0\n")
    with pytest.raises(OtherRecipe):
        open_run(run, dataset, tiny(), 1, False)


def test_a_run_knows_its_data_by_their_content(dataset, tmp_path):
    """The dataset may lie elsewhere when training goes on; another one, or one built on, is refused."""
    run = open_run(tmp_path / "run", dataset, tiny(), 1, False)
    (run / "train.csv").write_text("step,loss\n0,1.0\n")
    moved = tmp_path / "moved"
    shutil.copytree(dataset, moved)
    assert open_run(run, moved, tiny(), 1, True) == run
    table = pq.read_table(moved / "manifest.parquet")
    pq.write_table(table.slice(0, table.num_rows - 1), moved / "manifest.parquet")
    with pytest.raises(OtherRecipe, match="on other data"):
        open_run(run, moved, tiny(), 1, True)


def test_where_and_how_fast_may_change_on_resume(dataset, tmp_path):
    fit(tmp_path, dataset, tiny(optim={"max_steps": 2}, data={"pack": True}))
    assert tiny(log={"keep": 9}, data={"workers": 3, "pack": True, "eval_batch": 1}).hash == tiny().hash
    assert tiny(data={"views": 4}).hash != tiny().hash
    done, events = fit(tmp_path, dataset, tiny(optim={"max_steps": 2}, log={"keep": 1}), resume=True)
    assert done.progress.step == 2 and not events


def test_a_run_ended_before_its_first_checkpoint_starts_again(dataset, tmp_path):
    done, events = fit(tmp_path, dataset, tiny(), resume=True)
    assert done.progress.step == 6 and len(events) == 6


def test_a_run_begins_with_another_s_weights(dataset, tmp_path):
    fit(tmp_path / "first", dataset, tiny())
    other = tiny(optim={"lr": 1e-9, "max_steps": 1, "ema": 0.5})
    (tmp_path / "second").mkdir()
    second = train(tmp_path / "second", dataset, other, CPU, lambda event: None, init=tmp_path / "first")
    learnt = read_checkpoint(best_checkpoint(tmp_path / "first")).network()
    assert torch.allclose(second.objective.weights_dict()["token"], learnt["token"], atol=1e-6)
    assert torch.allclose(second.average.tensors["token"], learnt["token"], atol=1e-6)
    with pytest.raises(
        BadCheckpoint, match=r"of another model\.dim \(asked for 32, there 16\); --init needs the same model"
    ):
        train(tmp_path / "third", dataset, tiny(model={"dim": 32}), CPU, lambda event: None, init=tmp_path / "first")


def test_what_cannot_be_evaluated_as_a_detector_keeps_its_own_best(dataset, tmp_path):
    """The viewpoint network answers no anomaly: AUC is one half for ever, and its first epoch would stay the best."""
    recipe = tiny(model={"name": "viewpoint"}, data={"flip": False}, optim={"epochs": 3, "max_steps": None})
    done, events = fit(tmp_path, dataset, recipe)
    rows = read_log(tmp_path / "val.csv")
    assert [set(row) for row in rows] == [{"step", "viewpoint"}] * 3
    assert {event.measure for event in events} == {"viewpoint"}
    best = max(rows, key=lambda row: row["viewpoint"])
    assert (done.progress.best_score, done.progress.best_step) == (best["viewpoint"], best["step"])


class FullBoard:
    """TensorBoard's writer on a full disk: what fails in its thread is raised by a later call."""

    def __init__(self, *_, **__):
        self.calls = 0

    def add_scalar(self, *_):
        self.calls += 1
        if self.calls > 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    def close(self):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_met_by_tensorboard_is_told(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.utils.tensorboard.SummaryWriter", FullBoard)
    with pytest.raises(StoppedEarly, match=r"tensorboard: No space left on device; make room"):
        fit(tmp_path, dataset, tiny(log={"tensorboard": True}))
    nan_loss(monkeypatch, 1)
    with pytest.raises(Diverged):
        fit(tmp_path / "nan", dataset, tiny(log={"tensorboard": True}))


def test_a_log_that_a_full_disk_left_empty_is_begun_again(dataset, tmp_path):
    (tmp_path / "train.csv").touch()
    (tmp_path / "val.csv").touch()
    fit(tmp_path, dataset, tiny(), resume=True)
    assert [row["step"] for row in read_log(tmp_path / "train.csv")] == [0, 1, 2, 3, 4, 5]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_processes_agree_on_the_network_that_is_validated(tmp_path):
    """Batch norm's running statistics are each process's own: without this, each validates another network."""
    (tmp_path / "recipe.json").write_text(tiny(optim={"ema": 0.5}).model_dump_json())
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    running = [
        fork(
            [tmp_path / "recipe.json"],
            {**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            target="tests.train.agree:main",
            modules=TRAIN,
            stdout=tmp_path / f"out{rank}",
            stderr=tmp_path / f"err{rank}",
        )
        for rank in range(2)
    ]
    codes = [process.wait(timeout=300) for process in running]
    assert codes == [0, 0], (tmp_path / "err0").read_text()[-2000:]
    assert [(tmp_path / f"out{rank}").read_text() for rank in range(2)] == ["[True, True]\n"] * 2


def test_accumulated_batches_see_the_samples_of_one_large_batch():
    """Losses that are means over samples: four batches of one accumulate to the gradient of one batch of four."""
    recipe = tiny(model={"name": "resnet_fpn", "box": False})
    objective = make_objective(recipe).eval()
    query, label = torch.randn(4, 3, 64, 64), torch.tensor([0.0, 1, 1, 0])
    batch = {"query": query, "label": label, "box": torch.zeros(4, 4)}
    objective.total(objective(batch, 0, torch.Generator())).backward()
    whole = [p.grad.clone() for p in objective.parameters() if p.grad is not None]
    objective.zero_grad()
    for n in range(4):
        part = {name: t[n : n + 1] for name, t in batch.items()}
        (objective.total(objective(part, 0, torch.Generator())) / 4).backward()
    parts = [p.grad for p in objective.parameters() if p.grad is not None]
    assert all((a - b).abs().max() < 1e-5 for a, b in zip(whole, parts, strict=True))


def test_schedules():
    cosine = tiny(optim={"schedule": "cosine", "warmup_steps": 2, "lr": 1.0, "epochs": 3, "max_steps": None}).optim
    assert total_steps(cosine, 4) == 12
    rates = [learning_rate(cosine, step, 4) for step in range(12)]
    assert rates[:3] == [0.5, 1.0, 1.0] and rates[7] == pytest.approx(0.5) and rates == sorted(rates[:2]) + rates[2:]
    step = tiny(optim={"schedule": "step", "step_epochs": 2, "lr": 1.0}).optim
    assert [learning_rate(step, n, 3) for n in (0, 5, 6, 12)] == pytest.approx([1, 1, 0.1, 0.01])


def test_bf16_and_ema_train(dataset, tmp_path):
    _, events = fit(tmp_path, dataset, tiny(optim={"amp": "bf16", "ema": 0.5, "max_steps": 3}))
    assert all(torch.isfinite(torch.tensor(event.loss)) for event in events)
    found = read_checkpoint(newest_checkpoint(tmp_path))
    trained, average = found.part("model."), found.part("ema.")
    assert trained.keys() == average.keys()
    assert any((trained[n].float() - average[n].float()).abs().max() > 1e-6 for n in trained)
    assert torch.equal(found.network()["token"], average["token"])


def test_two_processes_by_torchrun(dataset, tmp_path):
    """gloo on two CPU processes: one log, one checkpoint, validation gathered from both."""
    recipe = tmp_path / "recipe.json"
    recipe.write_text(tiny(optim={"max_steps": 3, "batch": 2}).model_dump_json())
    run = tmp_path / "run"
    run.mkdir()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m"]
    command += ["tests.train.worker", str(run), str(dataset), str(recipe)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert [row["step"] for row in read_log(run / "train.csv")] == [0, 1, 2]
    assert read_checkpoint(newest_checkpoint(run)).progress.step == 3
    assert (run / "val.csv").is_file()


def test_a_broken_file_met_by_a_worker_is_told_in_one_line(dataset, tmp_path):
    copy = shutil.copytree(dataset, tmp_path / "copy")
    for path in (copy / "images").rglob("*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(BrokenFile) as error:
        fit(tmp_path / "run", copy, tiny(data={"workers": 1}))
    assert str(error.value.args[0]).startswith(str(copy / "images")) and "\n" not in str(error.value)
