"""Chairs as the engine of `datagen verify` examines them."""

from collections import Counter
from typing import Any

from datagen.kinds.brokenchairs.verify.categories import by_category
from datagen.kinds.brokenchairs.verify.checks import CHECKS
from datagen.kinds.brokenchairs.verify.conformance import conformance
from datagen.kinds.brokenchairs.verify.digests import content
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.report.page import chair_page
from datagen.verify.document import Examination


def _counts(evidence: ChairEvidence) -> dict[str, Any]:
    """Images by label, kind and split; shapes; rows."""
    queries = evidence.queries
    split_of = evidence.tree.split_of
    return {
        "images": len(queries),
        "anomalous": sum(query.name.label for query in queries),
        "shapes": len({query.name.shape for query in queries}),
        "bundles": len(evidence.bundles),
        "by_kind": dict(sorted(Counter(query.kind for query in queries).items())),
        "by_split": dict(sorted(Counter(split_of.get(q.name.shape, "none") for q in queries).items())),
        "rows": len(evidence.tree.rows),
        "rows_from": evidence.tree.rows_from,
    }


def _stand_in(evidence: ChairEvidence) -> bool:
    """Whether the shapes were made by this project in place of real data."""
    name = str((evidence.tree.run or {}).get("source", ""))
    return evidence.source.plan.source.stand_in if evidence.source is not None else name == "datagen-procedural"


def _more(evidence: ChairEvidence) -> dict[str, Any]:
    return {
        "sampled": {"full": evidence.full, "replayed": len(evidence.replays), "bundles": len(evidence.deep)},
        "funnel": {kind: funnel.to_json() for kind, funnel in evidence.funnels.items()},
        "categories": {figures.name: figures.to_json() for figures in by_category(evidence)},
    }


CHAIRS = Examination(
    evidence=ChairEvidence,
    checks=CHECKS,
    counts=_counts,
    stand_in=_stand_in,
    content=content,
    conformance=conformance,
    more=_more,
    page=chair_page,
)
