"""What a build of scenes did: views, objects by kind, and what was refused on the way."""

from collections import Counter

from datagen.formats.oddoneout import in_order
from datagen.kinds.oddoneout.plan import ScenePlan
from datagen.pipeline.summary import Summary, Tally
from datagen.store.dataset import Dataset


def summarise(plan: ScenePlan, dataset: Dataset) -> Summary:
    """Figures over every committed job: images are views, kinds those of objects; a shape's slot counts once."""
    weights = plan.recipe.anomaly.kinds
    kinds: dict[str, Tally] = {kind: Tally() for kind in in_order(weights) if weights.get(kind)}
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
