"""Make a share of the jobs again and compare: bytes where the versions are the same, else PSNR and mask IoU."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from datagen.core.errors import DatagenError
from datagen.core.ids import canonical_json, fraction_of_hash
from datagen.core.row import Job
from datagen.pipeline.context import Context
from datagen.pipeline.stages import run_job
from datagen.pipeline.worker import open_library
from datagen.render.protocol import open_renderer
from datagen.verify.evidence import Evidence
from datagen.verify.pictures import open_picture
from datagen.verify.source import OpenSource
from datagen.verify.tree import Tree

PSNR_DB, MASK_IOU = 30.0, 0.98
"""What another CPU family or library version may change at most."""


@dataclass(frozen=True)
class Difference:
    """One file that came out otherwise. `allowed` within other versions, never within the same ones."""

    path: str
    message: str
    allowed: bool


@dataclass(frozen=True)
class Rebuild:
    """What was made again. `skipped` says why nothing was, if so."""

    fraction: float
    jobs: int = 0
    files: int = 0
    equal: int = 0
    same_versions: bool = False
    differences: tuple[Difference, ...] = ()
    skipped: str = ""

    @property
    def faults(self) -> tuple[Difference, ...]:
        """Differences that are no difference of versions."""
        return tuple(d for d in self.differences if self.same_versions or not d.allowed)

    def to_json(self) -> dict[str, Any]:
        """Plain figures."""
        found = asdict(self)
        found["differences"] = [asdict(d) for d in self.differences[:50]]
        return {**found, "ok": not self.faults and not self.skipped}


def rebuild(evidence: Evidence, fraction: float, note: Callable[[str], None] = lambda text: None) -> Rebuild:
    """Run that share of the committed jobs again, chosen by hash. Raises MissingDependency without the renderer."""
    source = evidence.source
    if source is None or not evidence.tree.rows:
        return Rebuild(fraction, skipped=evidence.source_note or "there is no manifest to rebuild from")
    made = _committed(evidence, source)
    chosen = sorted(made, key=lambda job: fraction_of_hash([evidence.seed, "rebuild", job.job_id]))
    # At least one job of each type: references and pictures go wrong in different ways.
    wanted = chosen[: max(1, round(fraction * len(chosen)))]
    for job_type in ("reference", "normal", "anomaly"):
        if fraction > 0 and all(job.job_type != job_type for job in wanted):
            wanted += [job for job in chosen if job.job_type == job_type][:1]
    stated = str(evidence.tree.rows[0]["versions"])
    name = renderer_of(stated)
    renderer = open_renderer(name, len(os.sched_getaffinity(0)))
    try:
        context = Context(source.plan, open_library(source.plan), name, renderer)
        same = canonical_json(json.loads(context.versions)) == canonical_json(json.loads(stated or "{}"))
        files = equal = 0
        differences: list[Difference] = []
        for count, job in enumerate(wanted):
            note(f"rebuilding job {count + 1} of {len(wanted)}: {job.job_type} of shape {job.public_id}")
            for path, message, allowed in _compare_job(evidence.tree, job, context):
                files += 1
                equal += not message
                if message:
                    differences.append(Difference(path, message, allowed))
    finally:
        renderer.close()
    return Rebuild(fraction, len(wanted), files, equal, same, tuple(differences))


def renderer_of(versions: str) -> str:
    """The name that `open_renderer` knows, from a row's versions."""
    try:
        text = str(json.loads(versions).get("renderer", "")).lower()
    except ValueError:
        text = ""
    return "fake" if text.startswith("fake") else "cycles"


def _committed(evidence: Evidence, source: OpenSource) -> list[Job]:
    done = {row["job_id"] for row in evidence.tree.rows if row["row_type"] in ("sample", "reference")}
    shapes = sorted({row["shape_id"] for row in evidence.tree.rows} & set(source.place))
    return [job for shape in shapes for job in source.jobs_of(shape) if job.job_id in done]


def _compare_job(tree: Tree, job: Job, context: Context) -> Iterator[tuple[str, str, bool]]:
    """(path, what differs or '', whether other versions may do that) of each file of a job."""
    try:
        bundle = run_job(job, context)
    except DatagenError as error:
        yield job.job_id, f"the job fails now: {error}", False
        return
    for path, data in sorted(bundle.files.items()):
        if path not in tree.files.names:
            yield path, "is made by this job and not in the dataset", False
            continue
        found = tree.files.read(path)
        if found == data:
            yield path, "", True
        else:
            message, allowed = compare_bytes(path, found, data)
            yield path, message, allowed
    for row in tree.rows:
        if row["job_id"] == job.job_id:
            for path in row["sha256"]:
                if path not in bundle.files:
                    yield path, "is not made by its job any more", False


def compare_bytes(path: str, found: bytes, made: bytes) -> tuple[str, bool]:
    """How two files differ, and whether another build of the libraries may do that."""
    if not path.endswith(".png"):
        return f"differs ({len(found)} bytes there, {len(made)} made)", not path.endswith((".obj", ".txt"))
    try:
        a, b = np.asarray(open_picture(found)), np.asarray(open_picture(made))
    except (OSError, ValueError) as error:
        return f"cannot be compared: {error}", False
    if a.shape != b.shape:
        return f"is {a.shape}, made again {b.shape}", False
    if "/mask_" in path:
        union = int(((a > 127) | (b > 127)).sum())
        iou = float(((a > 127) & (b > 127)).sum() / union) if union else 1.0
        return f"mask IoU {iou:.4f}", iou >= MASK_IOU
    value = psnr(a, b)
    changed = int((a != b).any(axis=-1).sum()) if a.ndim == 3 else int((a != b).sum())
    return f"{changed} pixels differ, PSNR {value:.1f} dB", value >= PSNR_DB


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of two 8-bit pictures; infinite for equal ones."""
    error = float(((a.astype(float) - b.astype(float)) ** 2).mean())
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))
