"""What `datagen verify` says, as one value: the JSON document, and what the report is drawn from."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from datagen.core.ids import content_hash
from datagen.verify.check import ERROR, SKIPPED, WARNING, CheckList, Result, failed
from datagen.verify.conformance import Line
from datagen.verify.evidence import BaseEvidence
from datagen.verify.rebuild import Rebuild, rebuild

SCHEMA = 1
E = TypeVar("E", bound=BaseEvidence)


@dataclass(frozen=True)
class Examination(Generic[E]):
    """What a kind of dataset tells the engine.

    `evidence` is called as `BaseEvidence` is. `counts`: figures with
    at least `images`, `anomalous` and `by_split`. `content`: what the content digest is of, rounded so that it compares
    across machines. `more`: further parts of the JSON. `page`: the report as HTML.
    """

    evidence: Callable[..., E]
    checks: CheckList[E]
    counts: Callable[[E], Mapping[str, Any]]
    stand_in: Callable[[E], bool]
    content: Callable[[E], Mapping[str, Any]]
    conformance: Callable[[E], tuple[Line, ...]]
    more: Callable[[E], Mapping[str, Any]]
    page: "Callable[[Document[E]], str]"


@dataclass(frozen=True, eq=False)
class Document(Generic[E]):
    """Everything that was found out about a dataset."""

    examination: Examination[E]
    evidence: E
    results: tuple[Result, ...]
    lines: tuple[Line, ...]
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
    def counts(self) -> Mapping[str, Any]:
        """Figures of the dataset."""
        return self.examination.counts(self.evidence)

    def page(self) -> str:
        """The report as one HTML page."""
        return self.examination.page(self)

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
                "stand_in": self.examination.stand_in(self.evidence),
                "renderer": tree.renderer,
                "seed": run.get("seed"),
                "recipe_hash": run.get("recipe_hash"),
            },
            "counts": self.counts,
            "checks": [result.to_json() for result in self.results],
            "digest": {"content": self.content_digest, "bytes": self.byte_digest},
            "conformance": [line.to_json() for line in self.lines],
            "audit": self.evidence.audit.to_json(),
            **self.examination.more(self.evidence),
            "rebuild": self.rebuild.to_json() if self.rebuild else None,
            "cost_cpu_s": tree.cost,
            "versions": tree.versions,
            "verify_cpu_s": round(self.cpu_s, 2),
        }


def byte_digest(evidence: BaseEvidence) -> str:
    """Of every byte below the folders of data and of the tables at the root.

    Equal only within one lock file and CPU family; the same for loose files and shards.
    """
    return content_hash({**evidence.file_hashes, **evidence.tree.root_hashes})


def examine(examination: Examination[E], evidence: E, fraction: float | None = None) -> Document[E]:
    """Run everything. `fraction` of the jobs is rebuilt and compared when it is given."""
    start = time.process_time()
    results = examination.checks.run(evidence)
    again = rebuild(evidence, fraction, evidence.note) if fraction else None
    if again is not None:
        results = (*results, again.result())
    return Document(
        examination=examination,
        evidence=evidence,
        results=results,
        lines=examination.conformance(evidence),
        rebuild=again,
        content_digest=content_hash(examination.content(evidence)),
        byte_digest=byte_digest(evidence),
        cpu_s=time.process_time() - start,
    )
