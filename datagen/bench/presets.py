"""What a query image costs and how good it is, preset by preset, beside a plain bpy script on the same objects."""

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from datagen.bench.quality import Judgement, judge, summary
from datagen.bench.references import CONVERGED, Settings, reference
from datagen.bench.targets import MeasuredObject, Target
from datagen.core.errors import RenderError
from datagen.core.scene import Scene
from datagen.recipe.render import PRESETS, RenderRecipe
from datagen.render.blender.client import BlenderProcess

PLAIN_SAMPLES = (16, 32, 64, 128)
"""Sample counts of the plain script: its cost at our quality is read off between them."""
WORKER_JOBS = 200
"""Jobs that a worker's start is spread over (`datagen build` renews its workers after as many)."""


@dataclass
class Contender:
    """One way to render: what its pictures cost and how good they are."""

    cpu_s: list[float] = field(default_factory=list)
    """CPU-seconds a picture, one entry a render job."""
    judgements: list[Judgement] = field(default_factory=list)

    def add(
        self,
        cpu_s: float,
        kind: str,
        targets: Sequence[Target],
        pictures: Sequence[np.ndarray],
        converged: Sequence[np.ndarray],
    ) -> None:
        """Count a render job of `cpu_s` in all."""
        self.cpu_s.append(cpu_s / len(pictures))
        for target, picture, wanted in zip(targets, pictures, converged, strict=True):
            self.judgements.append(judge(picture, wanted, target, kind))

    def figures(self) -> dict[str, float]:
        """Cost and quality; `cpu_s_per_image` is the mean over render jobs."""
        cost = np.array(self.cpu_s)
        spread = {"cpu_s_per_image": float(cost.mean()), "cpu_s_per_image_std": float(cost.std())}
        return {**{name: round(value, 3) for name, value in spread.items()}, **summary(self.judgements)}


def settings_of(preset: str) -> dict[str, Any]:
    """The engine settings of a preset, as a render job has them."""
    return RenderRecipe.model_validate({"preset": preset}).model_dump(mode="json")


def settings_by_preset() -> dict[str, dict[str, Any]]:
    """The engine settings of every preset, by name."""
    return {name: settings_of(name) for name in PRESETS}


Contenders = Mapping[str, Contender]


def compare(
    objects: Sequence[MeasuredObject],
    presets: Mapping[str, dict[str, Any]] | None = None,
    workers: int = 1,
    converged: Settings = CONVERGED,
) -> dict[str, dict[str, float]]:
    """Figures of every preset (name -> engine settings), side by side on the same objects, in turning order.

    `workers` Blender processes share the objects out and keep as many cores busy, as in a build. Converged
    pictures come from disk or are rendered first. Raises RenderError.
    """
    chosen = presets or settings_by_preset()
    return _figures(_shared_out(objects, workers, lambda some: _compare(some, chosen, converged)))


def net_of_noise(
    objects: Sequence[MeasuredObject], presets: Mapping[str, dict[str, Any]], workers: int, converged: Settings
) -> dict[str, dict[str, float]]:
    """PSNR over the objects in dB, median and 5th percentile, with the noise of the converged pictures taken off.

    Each is made once more with its own seed: half the squared difference of the two is the noise of one, and what a
    preset differs by beyond that is its own (at least a tenth of the noise: below it nothing is told). `noise` is the
    PSNR of that noise. Raises RenderError.
    """
    again = {**next(iter(presets.values())), **converged}
    found = _shared_out(objects, workers, lambda some: _compare(some, {**presets, "again": again}, converged))
    squares = {name: np.array([10 ** (-j.psnr_db / 10) for j in one.judgements]) for name, one in found.items()}
    noise = squares.pop("again") / 2
    own = {name: np.maximum(square - noise, noise / 10) for name, square in squares.items()}
    decibel = {name: -10 * np.log10(square) for name, square in {**own, "noise": noise}.items()}
    return {
        name: {"psnr_db": float(np.median(values)), "psnr_p5_db": float(np.percentile(values, 5))}
        for name, values in decibel.items()
    }


def compare_plain(
    objects: Sequence[MeasuredObject], samples: Sequence[int] = PLAIN_SAMPLES, workers: int = 1
) -> dict[str, dict[str, float]]:
    """Figures of the plain script by samples: one process an object, its start-up included. Raises RenderError."""
    return _figures(_shared_out(objects, workers, lambda some: _compare_plain(some, samples)))


def _figures(contenders: Contenders) -> dict[str, dict[str, float]]:
    return {name: contender.figures() for name, contender in contenders.items()}


def _shared_out(
    objects: Sequence[MeasuredObject], workers: int, measure: Callable[[Sequence[MeasuredObject]], Contenders]
) -> Contenders:
    """What `workers` threads find on every so manieth object, put together."""
    count = max(1, min(workers, len(objects)))
    with ThreadPoolExecutor(count) as pool:
        found = list(pool.map(lambda k: measure(objects[k::count]), range(count)))
    return {name: joined([part[name] for part in found]) for name in found[0]}


def joined(parts: Sequence[Contender]) -> Contender:
    """All render jobs of several."""
    return Contender([c for p in parts for c in p.cpu_s], [j for p in parts for j in p.judgements])


def _compare(
    objects: Sequence[MeasuredObject], presets: Mapping[str, dict[str, Any]], settings: Settings
) -> Contenders:
    names = list(presets)
    contenders = {name: Contender() for name in names}
    blender = BlenderProcess(threads=1)
    try:
        blender.versions()
        start = blender.cpu_seconds()
        for number, (measured, job, targets, converged) in enumerate(_with_converged(objects, settings)):
            for name in names if number % 2 == 0 else names[::-1]:
                before = blender.cpu_seconds()
                pictures = blender.render(replace(job, settings=presets[name]))
                cost = blender.cpu_seconds() - before + start / WORKER_JOBS
                contenders[name].add(cost, measured.kind, targets, pictures, converged)
    finally:
        blender.close()
    return contenders


def _compare_plain(objects: Sequence[MeasuredObject], samples: Sequence[int]) -> Contenders:
    contenders = {str(count): Contender() for count in samples}
    for measured in objects:
        converged = [picture for *_, found in _with_converged([measured]) for picture in found]
        job = replace(measured.job, views=tuple(target.view for target in measured.targets))
        for count in samples:
            cost, pictures = _run_plain(job, count)
            contenders[str(count)].add(cost, measured.kind, measured.targets, pictures, converged)
    return contenders


def _with_converged(
    objects: Sequence[MeasuredObject], settings: Settings = CONVERGED
) -> Iterator[tuple[MeasuredObject, Scene, tuple[Target, ...], list[np.ndarray]]]:
    """Every shot with its converged pictures; a Blender of their own renders those that are missing."""
    blender = BlenderProcess(threads=1)
    try:
        for measured in objects:
            for job, targets in measured.shots():
                yield measured, job, targets, [reference(job, target, blender, settings) for target in targets]
    finally:
        blender.close()


def _run_plain(job: Scene, samples: int) -> tuple[float, list[np.ndarray]]:
    """CPU-seconds and pictures of one run of the plain script."""
    with tempfile.TemporaryDirectory(prefix="datagen-plain-") as folder:
        path = Path(folder) / "job.pickle"
        path.write_bytes(pickle.dumps((job, samples), protocol=5))
        command = [sys.executable, "-m", "datagen.render.blender.plain", str(path)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RenderError(f"the plain script ended with status {process.returncode}; its log is above")
        return usage.ru_utime + usage.ru_stime, list(np.load(path.with_suffix(".npy")))


def cost_at(figures: Sequence[tuple[float, float]], psnr_db: float) -> float:
    """CPU-seconds at a PSNR: a straight line of log cost through the two points (PSNR, CPU-seconds) about it,
    or the two nearest ones. Raises ValueError for fewer than two points."""
    ordered = sorted(figures)
    if len(ordered) < 2:
        raise ValueError("a line needs two points")
    (x0, y0), (x1, y1) = next((pair for pair in pairwise(ordered) if psnr_db <= pair[1][0]), (ordered[-2], ordered[-1]))
    return float(y0 * (y1 / y0) ** ((psnr_db - x0) / max(x1 - x0, 1e-9)))
