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
from datagen.core.statistics import psnr
from datagen.pipeline.assets import open_library
from datagen.pipeline.context import Context
from datagen.pipeline.jobs import run_job
from datagen.render.protocol import open_renderer
from datagen.verify.check import ERROR, FAIL, PASS, SKIPPED, Finding, Result
from datagen.verify.evidence import BaseEvidence
from datagen.verify.pictures import open_picture
from datagen.verify.tree import Tree

PSNR_DB, MASK_IOU = 30.0, 0.98
"""What another CPU family or library version may change at most."""
MASKS = ("/mask_", "/masks/", "/segmentations/", "/binary_labels/", "/anomaly_masks/")
"""Parts of the paths of masks."""


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

    def result(self) -> Result:
        """As one more check."""
        protects = "A dataset that its own manifest does not make again is not the one that was described."
        if self.skipped:
            return Result("rebuild", ERROR, protects, SKIPPED, "files", why=self.skipped)
        findings = tuple(Finding(d.path, d.message) for d in self.faults)
        return Result(
            "rebuild",
            ERROR,
            protects,
            status=FAIL if findings else PASS,
            of="files",
            checked=self.files,
            population=self.files,
            count=len(findings),
            examples=findings[:20],
            subjects=tuple(f.subject for f in findings),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain figures."""
        found = asdict(self)
        found["differences"] = [asdict(d) for d in self.differences[:50]]
        return {**found, "ok": not self.faults and not self.skipped}


def rebuild(evidence: BaseEvidence, fraction: float, note: Callable[[str], None] = lambda text: None) -> Rebuild:
    """Run that share of the committed jobs again, chosen by hash. Raises MissingDependency without the renderer."""
    plan = evidence.plan
    if plan is None or not evidence.tree.rows:
        return Rebuild(fraction, skipped=evidence.source_note or "there is no manifest to rebuild from")
    done = {row["job_id"] for row in evidence.tree.rows if row["row_type"] in ("sample", "reference")}
    made = [job for job in evidence.planned() if job.job_id in done]
    chosen = sorted(made, key=lambda job: fraction_of_hash([evidence.seed, "rebuild", job.job_id]))
    # At least one job of each type: references and pictures go wrong in different ways.
    wanted = chosen[: max(1, round(fraction * len(chosen)))]
    for job_type in sorted({job.job_type for job in chosen} - {job.job_type for job in wanted}):
        wanted += [job for job in chosen if job.job_type == job_type][:1]
    stated = str(evidence.tree.rows[0]["versions"])
    name = "fake" if evidence.tree.renderer == "fake" else "cycles"
    renderer = open_renderer(name, len(os.sched_getaffinity(0)))
    try:
        context: Context = plan.building.context(plan, open_library(plan), name, renderer)
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


def _compare_job(tree: Tree, job: Job, context: Context) -> Iterator[tuple[str, str, bool]]:
    """(path, what differs or '', whether other versions may do that) of each file of a job."""
    try:
        bundle = run_job(job, context)
    except DatagenError as error:
        yield job.job_id, f"the job fails now: {error}", False
        return
    for path, data in sorted(bundle.files.items()):
        if path not in tree.files.sizes:
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
    changed = int((a != b).any(axis=-1).sum()) if a.ndim == 3 else int((a != b).sum())
    if any(word in path for word in MASKS):
        a, b = (x[..., 0] > 127 if x.ndim == 3 else x > 127 for x in (a, b))
        union = int((a | b).sum())
        iou = float((a & b).sum() / union) if union else 1.0
        return f"mask IoU {iou:.4f}", iou >= MASK_IOU
    if a.dtype != np.uint8:
        share = 1 - changed / (a.shape[0] * a.shape[1])
        return f"{changed} values of 16 bit differ", share >= MASK_IOU
    value = psnr(a, b)
    return f"{changed} pixels differ, PSNR {value:.1f} dB", value >= PSNR_DB
