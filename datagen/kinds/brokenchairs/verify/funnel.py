"""The rejection funnel: from proposals to images, by kind and part class, with the reasons on the way."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from datagen.formats.brokenchairs import in_order
from datagen.verify.tree import Record


@dataclass
class Funnel:
    """One kind (or one kind on one part class). Reasons are counted by where they fell."""

    proposals: int = 0
    accepted: int = 0
    images: int = 0
    proposal_reasons: Counter[str] = field(default_factory=Counter)
    view_reasons: Counter[str] = field(default_factory=Counter)
    picture_reasons: Counter[str] = field(default_factory=Counter)

    @property
    def rate(self) -> float | None:
        """Accepted over proposals."""
        return self.accepted / self.proposals if self.proposals else None

    def reasons(self, count: int = 3) -> str:
        """The commonest reasons, in words."""
        joined = self.proposal_reasons + self.view_reasons + self.picture_reasons
        return ", ".join(f"{reason.replace('_', ' ')} {n}" for reason, n in joined.most_common(count))

    def to_json(self) -> dict[str, Any]:
        """Plain figures."""
        return {
            "proposals": self.proposals,
            "accepted": self.accepted,
            "rate": None if self.rate is None else round(self.rate, 4),
            "images": self.images,
            "rejected": {
                "proposal": dict(sorted(self.proposal_reasons.items())),
                "view": dict(sorted(self.view_reasons.items())),
                "picture": dict(sorted(self.picture_reasons.items())),
            },
        }


def funnels(rows: Iterable[Record]) -> tuple[dict[str, Funnel], dict[tuple[str, str], Funnel]]:
    """Funnels by kind (normal included) and by (kind, part class)."""
    rows = list(rows)
    tried = {row["kind"] for row in rows if row["row_type"] in ("sample", "rejection")}
    kinds = {kind: Funnel() for kind in ("normal", *in_order(tried))}
    classes: dict[tuple[str, str], Funnel] = {}
    taken: set[tuple[str, str]] = set()
    for row in rows:
        if row["kind"] not in kinds or row["row_type"] not in ("sample", "rejection"):
            continue
        both = [kinds[row["kind"]]]
        if row["kind"] != "normal":
            both.append(classes.setdefault((row["kind"], row["part_class"]), Funnel()))
        for funnel in both:
            _count(funnel, row, (row["job_id"], row["spec"]) not in taken)
        if row["stage"] != "proposal":
            taken.add((row["job_id"], row["spec"]))
    return kinds, classes


def _count(funnel: Funnel, row: Mapping[str, Any], is_new: bool) -> None:
    if row["row_type"] == "sample":
        funnel.images += 1
    elif row["stage"] == "view":
        funnel.view_reasons[row["reason"]] += 1
    elif row["stage"] == "picture":
        funnel.picture_reasons[row["reason"]] += 1
    else:
        funnel.proposals += 1
        funnel.proposal_reasons[row["reason"]] += 1
        return
    if is_new and row["kind"] != "normal":
        funnel.proposals += 1
        funnel.accepted += 1
