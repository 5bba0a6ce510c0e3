"""Time and peak memory of the three forms of top-k attention, of a training step and of evaluation.

`python -m datagen.train.tasks.matching.measure` prints one JSON object. Each figure comes from a process of its
own, so that one form's memory never hides in another's.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from datagen.core.command import run_command
from datagen.models.attention import cross_attention
from datagen.models.config import ModelConfig
from datagen.train.tasks.matching.networks import make_objective
from datagen.train.tasks.matching.recipe import MatchingRecipe

FORMS = ("dense", "sdpa", "sparse")


def attention_inputs(views: int, seed: int = 0, device: str = "cpu") -> tuple[torch.Tensor, ...]:
    """q (1, H, 1 + Q, d), k and v (1, H, V, d) and a choice (1, Q, k), at the paper's sizes."""
    config = ModelConfig()
    torch.manual_seed(seed)
    Q, V, d = 1024, views * 1024, config.dim // config.heads
    q, k, v = (torch.randn(1, config.heads, n, d, device=device) for n in (1 + Q, V, V))
    chosen = torch.rand(1, Q, V, device=device).topk(config.k, dim=-1).indices.sort(dim=-1).values
    return q, k, v, chosen


def measured(run: Callable[[], None], device: str, repeats: int = 3) -> dict[str, float]:
    """Median seconds of `run` after a warm-up, and how far memory rose above what there was before it, in MiB."""
    before = _reset_peak(device)
    run()
    extra = _peak(device) - before
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return {"seconds": sorted(times)[len(times) // 2], "extra_mib": extra / 2**20}


def _reset_peak(device: str) -> float:
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()
    # 5 resets the peak of resident memory (proc(5), clear_refs).
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak(device: str) -> float:
    return torch.cuda.max_memory_allocated() if device == "cuda" else _status("VmHWM")


def _status(key: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return float(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {key}")


def measure_attention(form: str, views: int, device: str) -> dict[str, float]:
    """Forward and backward of one form; the mask of the masked forms is part of it, as in a network."""
    q, k, v, chosen = attention_inputs(views, device=device)
    leaves = [t.requires_grad_() for t in (q, k, v)]
    target = torch.randn_like(q)
    # Libraries allocate their own workspaces on first use: not what is compared.
    small = cross_attention(q[:, :, :3], k[:, :, :8], v[:, :, :8], chosen[:, :2, :4].remainder(8), form)
    small.sum().backward()

    def run() -> None:
        for leaf in leaves:
            leaf.grad = None
        (cross_attention(q, k, v, chosen, form) * target).sum().backward()

    return measured(run, device)


def measure_step(form: str, views: int, device: str, train: bool) -> dict[str, float]:
    """A whole training step (with alignment) or an evaluation of one sample at 256 px."""
    recipe = MatchingRecipe.model_validate({"model": {"attention": form}, "data": {"views": views}})
    objective = make_objective(recipe).to(device).train(train)
    batch = random_batch(views, recipe, device)
    optimiser = torch.optim.Adam(objective.parameters(), lr=1e-5)

    def step() -> None:
        optimiser.zero_grad()
        objective.total(objective(batch, 0, torch.Generator().manual_seed(0))).backward()
        optimiser.step()

    def judge() -> None:
        with torch.no_grad():
            objective.predict(batch)

    return measured(step if train else judge, device, repeats=3)


def random_batch(views: int, recipe: MatchingRecipe, device: str) -> dict[str, torch.Tensor]:
    """One sample of noise with everything a training step reads."""
    generator = torch.Generator().manual_seed(0)
    P, S, pairs, points = recipe.data.grid**2, recipe.data.image_px, recipe.loss.pairs, recipe.loss.points
    batch = {
        "query": torch.rand(1, 3, S, S, generator=generator) * 2 - 1,
        "views": torch.randint(0, 256, (1, views, S, S), dtype=torch.uint8, generator=generator),
        "xyz": torch.rand(1, views, P, 3, generator=generator),
        "reference": torch.zeros(1, dtype=torch.int64),
        "label": torch.ones(1),
        "box": torch.tensor([[0.5, 0.5, 0.2, 0.2]]),
        "pair_views": torch.tensor([[[0, 1]] * pairs]),
        "pair_from": torch.randint(0, P, (1, pairs, points), generator=generator),
        "pair_to": torch.randint(0, P, (1, pairs, points), generator=generator),
    }
    return {name: t.to(device) for name, t in batch.items()}


WHAT = {"attention": 10, "step": 10, "evaluation": 20}
"""What is measured, and at how many views."""


def measure_all(device: str, only: str | None = None) -> dict[str, Any]:
    """Every figure, each from its own process; or those of one kind."""
    jobs = [(what, form, views) for what, views in WHAT.items() for form in FORMS if only in (None, what)]
    found: dict[str, Any] = {"device": device, "threads": torch.get_num_threads(), "torch": torch.__version__}
    for what, form, views in jobs:
        command = [sys.executable, "-m", "datagen.train.tasks.matching.measure", what, form, str(views), device]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.setdefault(f"{what}_n{views}", {})[form] = json.loads(done.stdout)
    if only not in (None, "attention"):
        return found
    alone = found["attention_n10"]
    found["attention_ratios"] = {
        "naive_over_sparse_time": alone["dense"]["seconds"] / alone["sparse"]["seconds"],
        "sdpa_over_sparse_time": alone["sdpa"]["seconds"] / alone["sparse"]["seconds"],
        "sparse_over_naive_memory": alone["sparse"]["extra_mib"] / alone["dense"]["extra_mib"],
    }
    return found


def main(arguments: Sequence[str]) -> None:
    """No argument: everything; one: attention, step or evaluation; four: what, form, views, device of one figure."""
    default = "cuda" if torch.cuda.is_available() else "cpu"
    if len(arguments) < 2:
        found: dict[str, Any] = measure_all(default, *arguments)
    else:
        what, form, views, device = arguments
        if what == "attention":
            found = measure_attention(form, int(views), device)
        else:
            found = measure_step(form, int(views), device, train=what == "step")
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    run_command(main)
