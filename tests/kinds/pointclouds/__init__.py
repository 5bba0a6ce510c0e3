"""A third kind of dataset, as somebody else would add it: clouds of a shape's surface, some without one part."""

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from datagen.core.ids import content_hash
from datagen.core.rng import stream
from datagen.core.row import Job
from datagen.core.shape import Shape, concatenate
from datagen.formats.encode import json_bytes, npy_bytes
from datagen.formats.pictures import Shown
from datagen.geometry.sample import sample_surface
from datagen.kinds.registry import Kind
from datagen.pipeline.building import Building
from datagen.pipeline.context import Context
from datagen.pipeline.plan import Plan
from datagen.pipeline.prepared import Prepared, job_row
from datagen.pipeline.summary import Summary
from datagen.recipe.section import DatasetRecipe
from datagen.store.dataset import Dataset
from datagen.store.reader import DatasetReader
from datagen.verify.check import ERROR, CheckList, Finding, all_of
from datagen.verify.document import Examination
from datagen.verify.evidence import BaseEvidence, hash_the_rest
from datagen.verify.report.render import draw

LABELS = ("normal", "missing")


class CloudRecipe(DatasetRecipe):
    """Clouds of `points` points each."""

    name: str = "clouds"
    kind: Literal["pointclouds"] = "pointclouds"
    points: int = 256


@dataclass(frozen=True)
class CloudPlan(Plan[CloudRecipe]):
    """One normal and one anomalous cloud a shape."""

    @property
    def shapes(self) -> Sequence[Any]:
        return self.entries[: self.limit]

    def jobs(self) -> Iterator[Job]:
        for number, entry in enumerate(self.shapes):
            known = [self.recipe.model_dump(), self.source.digest(entry.shape_id)]
            split = ("train", "val", "test")[number % 3]
            for slot, label in enumerate(LABELS):
                yield Job(content_hash([*known, slot]), "cloud", entry.shape_id, slot, label, 1, split, number)


def cloud_job(job: Job, context: Context, shape: Shape, before: Prepared) -> Prepared:
    """Points on the surface, of all parts or of all but one."""
    rng = stream(context.plan.recipe.seed, "cloud", job.shape_id, job.slot)
    gone = shape.parts[int(rng.integers(len(shape.parts)))] if job.kind == "missing" else None
    mesh = concatenate([part.mesh for part in shape.parts if part is not gone])
    points, _ = sample_surface(mesh, context.plan.recipe.points, rng)
    path, part = f"clouds/{job.public_id}-{job.kind}.npy", gone.path if gone else ""
    row = job_row(job, context, query_path=path, label=int(gone is not None), part=part, sha256={path: ""})
    return Prepared(job, (row,), {path: npy_bytes(points.astype(np.float32))})


def summarise(plan: CloudPlan, dataset: Dataset) -> Summary:
    """Clouds by kind and split."""
    rows = [row for entry in dataset.entries.values() for row in entry.rows if row.row_type == "sample"]
    kinds, splits = (dict(sorted(Counter(getattr(row, key) for row in rows).items())) for key in ("kind", "split"))
    odd, count = sum(row.label for row in rows), len({row.shape_id for row in rows})
    return Summary(len(rows), odd, count, kinds, splits, {}, {}, {}, {}, 0, plan.source.stand_in, plan.source.name)


class NoAudit:
    """Nothing is probed."""

    note = "clouds have no metadata to probe"

    def to_json(self) -> dict[str, Any]:
        return {}


class CloudEvidence(BaseEvidence):
    """Hashes of all clouds."""

    plan, source_note, audit = None, "clouds are not replayed", NoAudit()

    @cached_property
    def file_hashes(self) -> Mapping[str, str]:
        return hash_the_rest(self.tree, {})


CHECKS = CheckList[CloudEvidence]()


@CHECKS.check(ERROR, "A cloud that is not what was committed is another one.", all_of("files", lambda e: e.file_hashes))
def cloud_hashes(evidence: CloudEvidence) -> Iterator[Finding]:
    """Every cloud has the digest that its row states."""
    for path, digest in evidence.tree.hashes.items():
        if evidence.file_hashes.get(path) != digest:
            yield Finding(path, "is not what was committed")


def counts(evidence: CloudEvidence) -> dict[str, Any]:
    rows = evidence.tree.samples
    splits = dict(sorted(Counter(row["split"] for row in rows).items()))
    return {"images": len(rows), "anomalous": sum(row["label"] for row in rows), "by_split": splits}


def sheet(reader: DatasetReader, rows: Sequence[Mapping[str, Any]], wanted: Sequence[str], count: int | None) -> Shown:
    """Clouds seen from the front, a column each."""
    picture = np.full((64, 64 * (count or 1), 3), 255, np.uint8)
    for k, row in enumerate(rows[: count or 1]):
        x, _, z = (np.load(io.BytesIO(reader.read(row["query_path"]))).clip(-1, 1) * 31 + 32).astype(int).T
        picture[63 - z, 64 * k + x] = 0
    return Shown(picture, f"{count or 1} clouds")


def plan(recipe: CloudRecipe, source: Any, limit: int | None = None) -> CloudPlan:
    """Nothing that it holds is a lambda: it travels to other processes."""
    return CloudPlan(recipe, source, limit, building=BUILDING)


def check_assets(plan: CloudPlan) -> tuple[()]:
    """The recipe names nothing, so there is nothing to tell."""
    return ()


def root_files(plan: CloudPlan, *_: Any) -> dict[str, bytes]:
    """The shapes."""
    return {"split.json": json_bytes({"shapes": [entry.shape_id for entry in plan.shapes]})}


def estimate(plan: CloudPlan, renderer: str) -> dict[str, Any]:
    """How many clouds."""
    return {"clouds": 2 * len(plan.shapes)}


def page(document: Any) -> str:
    """The report's page, without blocks of its own."""
    return draw(document, Path(__file__).parent, "page.html.j2", [], stand_in_note="Stand-ins.")


JOBS = {"cloud": cloud_job}
ROOT = (check_assets, root_files, estimate, summarise)
BUILDING = Building(CloudRecipe, False, "Stand-ins.", ("clouds",), plan, Context, JOBS, *ROOT)
TOLD = {"content": lambda e: {"clouds": dict(e.file_hashes)}, "conformance": lambda e: (), "more": lambda e: {}}
EXAMINATION = Examination(evidence=CloudEvidence, checks=CHECKS, counts=counts, stand_in=bool, page=page, **TOLD)
KIND = Kind("pointclouds", BUILDING, EXAMINATION, sheet, None, tasks=("clouds",))
