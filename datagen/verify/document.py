"""What `datagen verify` says, as one value: the JSON document and what the report is drawn from."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from datagen.verify.audit import Audit
from datagen.verify.check import ERROR, SKIPPED, WARNING, Result
from datagen.verify.conformance import Line, conformance
from datagen.verify.digests import byte_digest, content_digest
from datagen.verify.evidence import Evidence
from datagen.verify.funnel import Funnel, funnels
from datagen.verify.rebuild import Rebuild, rebuild
from datagen.verify.runner import failed, run_checks

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class Document:
    """Everything that was found out about a dataset."""

    evidence: Evidence
    results: tuple[Result, ...]
    lines: tuple[Line, ...]
    funnels: Mapping[str, Funnel]
    audit: Audit
    rebuild: Rebuild | None
    content_digest: str
    byte_digest: str
    cpu_s: float
    """CPU-seconds that the verification took."""

    @property
    def ok(self) -> bool:
        """No check of level error failed."""
        return failed(self.results, ERROR) == 0

    @property
    def counts(self) -> dict[str, Any]:
        """Images by label, kind and split; shapes; rows."""
        queries = self.evidence.queries
        split_of = self.evidence.tree.split_of
        return {
            "images": len(queries),
            "anomalous": sum(query.name.label for query in queries),
            "shapes": len({query.name.shape for query in queries}),
            "bundles": len(self.evidence.bundles),
            "by_kind": dict(sorted(Counter(query.kind for query in queries).items())),
            "by_split": dict(sorted(Counter(split_of.get(q.name.shape, "none") for q in queries).items())),
            "rows": len(self.evidence.tree.rows),
            "rows_from": self.evidence.tree.rows_from,
        }

    @property
    def stand_in(self) -> bool:
        """Whether the shapes were made by this project in place of real data."""
        source = self.evidence.source
        name = str((self.evidence.tree.run or {}).get("source", ""))
        return source.plan.source.stand_in if source is not None else name == "datagen-procedural"

    def to_json(self) -> dict[str, Any]:
        """The document of `--json` (docs/verify.md)."""
        tree, run = self.evidence.tree, self.evidence.tree.run or {}
        return {
            "schema": SCHEMA,
            "ok": self.ok,
            "errors": failed(self.results, ERROR),
            "warnings": failed(self.results, WARNING),
            "skipped": sum(result.status == SKIPPED for result in self.results),
            "dataset": {
                "name": tree.name,
                "source": run.get("source"),
                "stand_in": self.stand_in,
                "renderer": tree.renderer,
                "seed": run.get("seed"),
                "recipe_hash": run.get("recipe_hash"),
            },
            "counts": self.counts,
            "sampled": {
                "full": self.evidence.full,
                "replayed": len(self.evidence.replays),
                "bundles": len(self.evidence.deep),
            },
            "checks": [_result_json(result) for result in self.results],
            "digest": {"content": self.content_digest, "bytes": self.byte_digest},
            "conformance": [line.to_json() for line in self.lines],
            "funnel": {kind: funnel.to_json() for kind, funnel in self.funnels.items()},
            "audit": self.audit.to_json(),
            "rebuild": self.rebuild.to_json() if self.rebuild else None,
            "cost_cpu_s": tree.cost,
            "versions": tree.versions,
            "verify_cpu_s": round(self.cpu_s, 2),
        }


def _result_json(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "level": result.level,
        "status": result.status,
        "count": result.count,
        "checked": result.checked,
        "population": result.population,
        "of": result.of,
        "protects": result.protects,
        "why": result.why,
        "examples": [{"subject": f.subject, "message": f.message} for f in result.examples],
    }


def examine(
    evidence: Evidence, fraction: float | None = None, note: Callable[[str], None] = lambda t: None
) -> Document:
    """Run everything. `fraction` of the jobs is rebuilt and compared when it is given."""
    start = time.process_time()
    results = run_checks(evidence)
    again = rebuild(evidence, fraction, note) if fraction else None
    if again is not None:
        results = (*results, again.result())
    kinds, _ = funnels(evidence.tree.rows)
    return Document(
        evidence=evidence,
        results=results,
        lines=conformance(evidence),
        funnels=kinds,
        audit=evidence.audit,
        rebuild=again,
        content_digest=content_digest(evidence),
        byte_digest=byte_digest(evidence),
        cpu_s=time.process_time() - start,
    )
