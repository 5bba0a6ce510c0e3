"""Where the CPU-seconds of a render go: the same calls as a render makes, timed, some of them twice."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from datagen.core.material import PartMaterial
from datagen.core.scene import Scene
from datagen.render.blender import engine, picture, uv
from datagen.render.blender.stage import Stage, set_stage


def profile(job: Scene, threads: int) -> dict[str, float]:
    """CPU-seconds a picture of a scene in two passes, by phase.

    Cycles does its work in one call: what it spends on what is told apart by leaving things out. A first
    sample without denoiser pays for sync and BVH, a second one for what every picture costs; all samples
    pay for path tracing, and the denoiser for the rest.
    """
    with tempfile.TemporaryDirectory(prefix="datagen-") as folder:
        start = time.process_time()
        stage = set_stage(job, threads, Path(folder))
        cost = {"scene": time.process_time() - start}
        cost["uv"] = _timed(lambda: _unwrap_again(stage))
        cost["scene"] -= cost["uv"]
        stage.show_ground()
        for k, view in enumerate(job.views):
            stage.aim_at_ground(view)
            _add_pass(cost, stage, Pass("ground", "RGB", "none", stage.settings["ground_samples"]), first=k == 0)
        stage.show_object()
        for k, view in enumerate(job.views):
            stage.aim_at_object(view)
            prefilter, samples = stage.settings["prefilter"], stage.settings["samples"]
            _add_pass(cost, stage, Pass("object", "RGB_ALBEDO_NORMAL", prefilter, samples), first=k == 0)
            size = view.camera.size_px
            _add(cost, "composing", _timed(partial(_compose, stage, size)))
    return {name: value / len(job.views) for name, value in cost.items()}


@dataclass(frozen=True)
class Pass:
    """One of the two passes of a picture: what the denoiser is given, and samples a pixel."""

    name: str
    guides: str
    prefilter: str
    samples: int


def _add_pass(cost: dict[str, float], stage: Stage, told: Pass, first: bool) -> None:
    def take() -> None:
        picture.render_linear(stage.scene, stage.folder)

    scene, settings = stage.scene, stage.settings
    engine.denoise(scene, "none", told.guides)
    engine.sample(scene, 1)
    new = _timed(take)
    fixed = _timed(take)
    if first:
        _add(cost, "sync and BVH", max(new - fixed, 0.0))
    _add(cost, "files and a first sample", fixed)
    engine.sample(scene, told.samples, settings["adaptive_threshold"], settings["min_samples"])
    traced = _timed(take)
    _add(cost, f"path tracing, {told.name}", max(traced - fixed, 0.0))
    if settings["denoiser"] != "none":
        engine.denoise(scene, settings["denoiser"], told.guides, told.prefilter)
        _add(cost, f"denoising, {told.name}", max(_timed(take) - traced, 0.0))


def _compose(stage: Stage, size: int) -> None:
    picture.shown(stage.scene, picture.enlarged(np.ones((size // 2, size // 2, 3), np.float32), size), stage.folder)


def _unwrap_again(stage: Stage) -> None:
    surfaces = {f"part_{part.part_id}": part.surface for thing in stage.job.objects for part in thing.parts}
    for made in stage.objects:
        worn = surfaces.get(made.data.name)
        if isinstance(worn, PartMaterial):
            uv.unwrap(made, worn.projection, stage.job.materials[worn.material_id].tile_size, worn.offset)


def _add(cost: dict[str, float], name: str, value: float) -> None:
    cost[name] = cost.get(name, 0.0) + value


def _timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
