"""What a build did: images, and for each kind and part class proposals, acceptances and reasons."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from datagen.pipeline.warned import EXAMPLES, Warned, warned_json


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
    categories: dict[str, dict[str, Tally]] = field(default_factory=dict)
    """Category -> kind -> proposals; {} where no row says a category."""

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
            **({"proposals_by_category": self._by_category()} if self.categories else {}),
            "rejected_views": self.rejected_views,
            "jobs_without_sample": self.empty_jobs,
            "quarantined": self.quarantined,
            "warnings": warned_json(self.warnings),
        }

    def _by_category(self) -> dict[str, Any]:
        return {
            name: {kind: tally.to_json() for kind, tally in table.items()}
            for name, table in sorted(self.categories.items())
        }


def without_anomaly(summary: Summary) -> tuple[Warned, ...]:
    """A warning where anomalies were proposed and none of them came into a picture, with the commonest reasons."""
    tried = {kind: tally for kind, tally in summary.kinds.items() if tally.proposals}
    if summary.anomalous or not tried:
        return ()
    kind = "no picture of an anomaly came out, see docs/acceptance.md for what each reason asks for"
    told = (
        f"{name}: {tally.proposals} proposals, "
        + (", ".join(f"{why} {n}" for why, n in tally.reasons.most_common(2)) or "whose pictures were rejected")
        for name, tally in tried.items()
    )
    return (Warned(kind, len(tried), tuple(told)[:EXAMPLES]),)
