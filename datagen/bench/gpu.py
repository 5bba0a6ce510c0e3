"""Everything that a lent GPU can show, in one script of ten minutes: `python -m datagen.bench.gpu --out DIR`.

Training: the three forms of CMT's attention, whole steps of cmt, comparator and the detector of scenes at the papers'
sizes in float32 and bfloat16, one network against the CPU to a tolerance, and, with `--packed FILE` of
`datagen.train.tasks.matching.gpu_study pack`, steps on real data. Rendering, where Blender is here: the presets on the
device against the CPU, by time and by PSNR. Writes gpu.json and gpu.md; `--tiny` runs all of it on a CPU in a minute.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from datagen.core.command import run_command
from datagen.core.statistics import psnr
from datagen.shapes.built_in import STAND_INS
from datagen.train.objective import Batch, Objective
from datagen.train.recipes import load_train_recipe
from datagen.train.runtime import choose_device, open_runtime
from datagen.train.tasks.detector.costs import random_batch as random_scene
from datagen.train.tasks.matching.gpu_study import seconds_a_step, unpack
from datagen.train.tasks.matching.measure import FORMS, measure_attention, measured, random_batch
from datagen.train.tasks.registry import find_task

TOLERANCE = 2e-3
"""By which the losses of a step may differ between device and CPU in float32."""
NETWORKS = ("cmt", "comparator", "oddoneout")
PRESETS = ("draft", "standard")
SMALL = {
    "cmt": ("data.image_px=64", "data.views=2", "model.dim=32", "model.encoder_width=8", "model.heads=2", "model.k=8"),
    "comparator": ("data.image_px=64", "data.views=2", "model.dim=16", "model.encoder_width=8"),
    "oddoneout": (
        *("data.image_px=64", "data.views=2", "data.most_objects=4", "model.dim=8", "model.encoder.name=resnet18"),
        *("model.encoder.width=8", "model.render_px=16", "model.samples=8", "model.roi=4", "model.k=4"),
        *("model.attention_dim=16", "model.heads=2", "model.feature_dim=8"),
        "model.volume={size: [16, 16, 8], voxel_m: 0.1, low_m: [-0.8, -0.8, -0.1], widths: [8], down: [1], up: []}",
    ),
}
"""Values of `--tiny`."""


def network(name: str, device: str, tiny: bool) -> tuple[Objective, Batch]:
    """A network of a recipe and one random sample, on a device."""
    recipe = load_train_recipe(name, overrides=SMALL[name] if tiny else ())
    objective = find_task(recipe.task).make_objective(recipe).to(device)
    if recipe.task == "detector":
        batch = random_scene(recipe)
    else:
        batch = random_batch(recipe.data.views, recipe, "cpu")
        batch["nearest"], batch["shape"] = torch.zeros(1, dtype=torch.long), torch.zeros(1, dtype=torch.long)
    return objective, {key: value.to(device) for key, value in batch.items()}


def step_of(objective: Objective, batch: Batch, amp: bool, device: str) -> Callable[[], None]:
    """A whole training step."""
    optimiser = torch.optim.AdamW(objective.parameters(), lr=1e-5)

    def step() -> None:
        optimiser.zero_grad()
        with torch.autocast(device, torch.bfloat16) if amp else nullcontext():
            total = objective.total(objective(batch, 0, torch.Generator().manual_seed(0)))
        total.backward()
        optimiser.step()

    return step


def training(device: str, tiny: bool) -> dict[str, Any]:
    """Seconds and MiB of the attention's forms and of whole steps of one sample, in both precisions."""
    told: dict[str, Any] = {"attention": {form: measure_attention(form, 1 if tiny else 10, device) for form in FORMS}}
    told["steps"] = {}
    for name in NETWORKS:
        for amp in (False, True):
            objective, batch = network(name, device, tiny)
            objective.train()
            found = measured(step_of(objective, batch, amp, device), device, 1 if tiny else 5)
            word = f"{name}, {'bfloat16' if amp else 'float32'}"
            told["steps"][word] = found | {"samples_a_second": 1 / max(found["seconds"], 1e-9)}
    return told


def equality(device: str, tiny: bool) -> dict[str, Any]:
    """Losses of one step in float32 on both, with equal weights: the largest difference, and whether it is within
    `TOLERANCE` of their size."""
    told = {}
    for name in NETWORKS:
        losses = {}
        for where in ("cpu", device):
            objective, batch = network(name, where, tiny)
            objective.eval()
            with torch.no_grad():
                found = objective(batch, 0, torch.Generator().manual_seed(0))
            losses[where] = {key: float(value) for key, value in found.items()}
        away = max(abs(losses["cpu"][key] - losses[device][key]) for key in losses["cpu"])
        size = max(1.0, *(abs(value) for value in losses["cpu"].values()))
        told[name] = {"difference": away, "within": away <= TOLERANCE * size}
    return told


def real_data(packed: Path, out: Path, device: str, tiny: bool) -> dict[str, Any]:
    """Samples a second of training steps whose data are read from a packed cache."""
    data, told = unpack(packed, out), {}
    with open_runtime(device) as runtime:
        for name in NETWORKS[:2]:
            small = (*SMALL[name], "optim.batch=2", "data.workers=0") if tiny else ()
            recipe = load_train_recipe(name, overrides=["data.pack=true", *small])
            seconds = seconds_a_step(recipe, data, out / "pace" / name, runtime)
            told[name] = {"seconds": seconds, "samples_a_second": recipe.optim.batch / seconds}
    return told


def rendering(out: Path, tiny: bool) -> dict[str, Any]:
    """Seconds a picture of each preset on the CPU and on the best device here, and how alike the pictures are."""
    if find_spec("bpy") is None:
        return {"left out": "bpy is not here"}
    told: dict[str, Any] = {}
    for preset in PRESETS[:1] if tiny else PRESETS:
        pictures: dict[str, dict[str, np.ndarray]] = {}
        for device in ("cpu", "auto"):
            folder = out / f"{preset}-{device}"
            sets = [f"render.preset={preset}", f"render.device={device}"]
            sets += ["query.size_px=48", "render.samples=1"] if tiny else []
            start = time.perf_counter()
            command = [sys.executable, "-m", "datagen.cli.main", "build", "--shapes", STAND_INS, "--limit", "1"]
            command += ["--recipe", "quickstart", "--workers", "1", "--out", str(folder)]
            command += [word for one in sets for word in ("--set", one)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                told[f"{preset}, {device}"] = {"failed": done.stderr.strip().splitlines()[-1:]}
                continue
            paths = sorted((folder / "images").rglob("*.png"))
            pictures[device] = {str(p.relative_to(folder)): np.asarray(Image.open(p).convert("RGB")) for p in paths}
            seconds = (time.perf_counter() - start) / max(len(paths), 1)
            told[f"{preset}, {device}"] = {"seconds_a_picture_with_all": seconds, "pictures": len(paths)}
        shared = set(pictures.get("cpu", {})) & set(pictures.get("auto", {}))
        if shared:
            values = [psnr(pictures["cpu"][name], pictures["auto"][name]) for name in sorted(shared)]
            told[f"{preset}, device against CPU"] = {"psnr_db": float(np.median(np.minimum(values, 99.0)))}
    return told


def table(told: dict[str, Any]) -> str:
    """The document as Markdown, a row a figure."""
    lines = [f"On {told['device']}, torch {told['torch']}.", "", "| part | what | figures |", "| --- | --- | --- |"]
    for part in ("attention", "steps", "equality", "real_data", "rendering"):
        for name, figures in (told.get(part) or {}).items():
            items = figures.items() if isinstance(figures, dict) else [("", figures)]
            words = ", ".join(
                f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in items
            )
            lines.append(f"| {part} | {name} | {words} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(prog="python -m datagen.bench.gpu", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--packed", type=Path, help="a file of gpu_study pack, at most 40 MiB to travel")
    parser.add_argument("--device", help="cuda where there is one, else the CPU")
    parser.add_argument("--tiny", action="store_true", help="small networks and pictures: a test of the script itself")
    parser.add_argument("--no-rendering", action="store_true", help="training alone")
    given = parser.parse_args(arguments)
    device = choose_device(given.device).type
    given.out.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {"device": torch.cuda.get_device_name() if device == "cuda" else "CPU"}
    told["torch"] = torch.__version__
    told |= training(device, given.tiny)
    told["equality"] = equality(device, given.tiny)
    if given.packed:
        told["real_data"] = real_data(given.packed, given.out / "packed", device, given.tiny)
    if not given.no_rendering:
        told["rendering"] = rendering(given.out / "rendering", given.tiny)
    (given.out / "gpu.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    (given.out / "gpu.md").write_text(table(told), encoding="utf-8")
    sys.stdout.write(table(told))


if __name__ == "__main__":
    run_command(main)
