"""What a build did: images, and for each kind and part class proposals, acceptances and reasons."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

from datagen.core.anomaly import KINDS
from datagen.core.oddity import ODDITIES
from datagen.core.row import Row
from datagen.pipeline.plan import Plan
from datagen.pipeline.plans import AnyPlan
from datagen.pipeline.scene_plan import ScenePlan
from datagen.pipeline.warned import Warned, warned_json
from datagen.store.dataset import Dataset


@dataclass
class Tally:
    """Proposals of one kind (or one kind on one part class)."""

    proposals: int = 0
    accepted: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """Plain figures; `rate` is accepted over proposals."""
        return {
            "proposals": self.proposals,
            "accepted": self.accepted,
            "rate": round(self.accepted / self.proposals, 4) if self.proposals else None,
            "reasons": dict(sorted(self.reasons.items())),
            "methods": dict(sorted(self.methods.items())),
        }


@dataclass(frozen=True)
class Summary:
    """The closing figures of a build."""

    images: int
    anomalous: int
    shapes: int
    families: dict[str, int]
    """How many of `counted` each kind has."""
    splits: dict[str, int]
    kinds: dict[str, Tally]
    classes: dict[str, dict[str, Tally]]
    rejected_views: dict[str, int]
    quarantined: dict[str, str]
    empty_jobs: int
    stand_in: bool
    source: str
    counted: str = "images"
    warnings: tuple[Warned, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The document that `datagen build --json` prints."""
        return {
            "images": self.images,
            "anomalous": self.anomalous,
            "normal": self.images - self.anomalous,
            "shapes": self.shapes,
            f"{self.counted}_by_kind": self.families,
            "images_by_split": self.splits,
            "source": self.source,
            "stand_in": self.stand_in,
            "proposals": {kind: tally.to_json() for kind, tally in self.kinds.items()},
            "proposals_by_class": {
                kind: {name: tally.to_json() for name, tally in sorted(table.items())}
                for kind, table in self.classes.items()
            },
            "rejected_views": self.rejected_views,
            "jobs_without_sample": self.empty_jobs,
            "quarantined": self.quarantined,
            "warnings": warned_json(self.warnings),
        }


@singledispatch
def summarise(plan: AnyPlan, dataset: Dataset) -> Summary:
    """Figures over every committed job of the dataset."""
    raise TypeError(type(plan).__name__)


@summarise.register
def _summarise_chairs(plan: Plan, dataset: Dataset) -> Summary:
    kinds: dict[str, Tally] = {kind: Tally() for kind in KINDS}
    classes: dict[str, dict[str, Tally]] = {kind: {} for kind in KINDS}
    rows = [row for entry in dataset.entries.values() for row in entry.rows]
    empty = 0
    for entry in dataset.entries.values():
        empty += not _count_job(entry.rows, kinds, classes)
    samples = [row for row in rows if row.row_type == "sample"]
    return Summary(
        images=len(samples),
        anomalous=sum(row.label for row in samples),
        shapes=len({row.shape_id for row in samples}),
        families=dict(sorted(Counter(row.kind for row in samples).items())),
        splits=dict(sorted(Counter(row.split for row in samples).items())),
        kinds=kinds,
        classes=classes,
        rejected_views=dict(sorted(Counter(r.reason for r in rows if r.stage in ("view", "picture")).items())),
        quarantined={row.shape_id: f"{row.reason}: {row.detail}" for row in rows if row.row_type == "quarantine"},
        empty_jobs=empty,
        stand_in=plan.source.stand_in,
        source=plan.source.name,
    )


@summarise.register
def _summarise_scenes(plan: ScenePlan, dataset: Dataset) -> Summary:
    """The same for scenes: images are views, kinds are those of objects; a proposal counts once a shape's slot."""
    kinds: dict[str, Tally] = {kind: Tally() for kind in ODDITIES if plan.recipe.anomaly.kinds.get(kind)}
    rows = [row for entry in dataset.entries.values() for row in entry.rows]
    seen: set[tuple[str, str, str, str]] = set()
    for row in rows:
        odd = row.row_type == "object" and row.label
        key = (row.shape_id, row.kind, row.spec or row.detail, row.reason)
        if not (odd or row.stage == "proposal") or row.kind not in kinds or key in seen:
            continue
        seen.add(key)
        tally = kinds[row.kind]
        tally.proposals += 1
        if odd:
            tally.accepted += 1
            tally.methods[row.method] += 1
        else:
            tally.reasons[row.reason] += 1
    views = [row for row in rows if row.row_type == "sample"]
    objects = Counter(row.kind for row in rows if row.row_type == "object")
    return Summary(
        images=len(views),
        anomalous=sum(row.label for row in views),
        shapes=len({row.shape_id for row in views}),
        families=dict(sorted(objects.items())),
        splits=dict(sorted(Counter(row.split for row in views).items())),
        kinds=kinds,
        classes={},
        rejected_views={},
        quarantined={row.shape_id: f"{row.reason}: {row.detail}" for row in rows if row.row_type == "quarantine"},
        empty_jobs=0,
        stand_in=plan.source.stand_in,
        source=plan.source.name,
        counted="objects",
    )


def _count_job(rows: Iterable[Row], kinds: dict[str, Tally], classes: dict[str, dict[str, Tally]]) -> bool:
    """Add one job's proposals; False for an anomaly job that gave no sample."""
    accepted: dict[str, Row] = {}
    sampled = True
    for row in rows:
        if row.kind not in kinds or row.row_type not in ("sample", "rejection"):
            continue
        sampled = False
        if row.stage == "proposal":
            for tally in (kinds[row.kind], classes[row.kind].setdefault(row.part_class, Tally())):
                tally.proposals += 1
                tally.reasons[row.reason] += 1
        else:
            accepted[row.spec] = row
    for row in accepted.values():
        for tally in (kinds[row.kind], classes[row.kind].setdefault(row.part_class, Tally())):
            tally.proposals += 1
            tally.accepted += 1
            tally.methods[row.method] += 1
    return sampled or any(row.row_type == "sample" for row in accepted.values())
