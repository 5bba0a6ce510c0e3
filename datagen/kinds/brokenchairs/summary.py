"""What a build of chairs did: images, and for each kind and part class proposals, acceptances and reasons."""

from collections import Counter
from collections.abc import Iterable

from datagen.core.row import Row
from datagen.formats.brokenchairs import in_order
from datagen.kinds.brokenchairs.plan import ChairPlan
from datagen.pipeline.summary import Summary, Tally
from datagen.store.dataset import Dataset


def summarise(plan: ChairPlan, dataset: Dataset) -> Summary:
    """Figures over every committed job of the dataset."""
    slots = plan.recipe.anomaly.slots
    known = tuple(kind for kind in in_order(slots) if slots.get(kind))
    kinds: dict[str, Tally] = {kind: Tally() for kind in known}
    classes: dict[str, dict[str, Tally]] = {kind: {} for kind in known}
    rows = [row for entry in dataset.entries.values() for row in entry.rows]
    categories: dict[str, dict[str, Tally]] = {}
    empty = 0
    for entry in dataset.entries.values():
        empty += not _count_job(entry.rows, kinds, classes, categories)
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
        categories=categories,
    )


def _count_job(
    rows: Iterable[Row],
    kinds: dict[str, Tally],
    classes: dict[str, dict[str, Tally]],
    categories: dict[str, dict[str, Tally]],
) -> bool:
    """Add one job's proposals; False for an anomaly job that gave no sample."""
    accepted: dict[str, Row] = {}
    sampled = True

    def tallies(row: Row) -> list[Tally]:
        found = [kinds[row.kind], classes[row.kind].setdefault(row.part_class, Tally())]
        if row.category:
            found.append(categories.setdefault(row.category, {}).setdefault(row.kind, Tally()))
        return found

    for row in rows:
        if row.kind not in kinds or row.row_type not in ("sample", "rejection"):
            continue
        sampled = False
        if row.stage == "proposal":
            for tally in tallies(row):
                tally.proposals += 1
                tally.reasons[row.reason] += 1
        else:
            accepted[row.spec] = row
    for row in accepted.values():
        for tally in tallies(row):
            tally.proposals += 1
            tally.accepted += 1
            tally.methods[row.method] += 1
    return sampled or any(row.row_type == "sample" for row in accepted.values())
