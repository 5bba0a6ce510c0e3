"""Run the checks over the evidence and gather their results."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from datagen.verify.check import EXAMPLES, FAIL, PASS, REGISTRY, SKIPPED, WARNING, Check, Result
from datagen.verify.evidence import Evidence

ROOMS = ("files", "labels", "boxes", "pictures", "references", "splits", "replayed", "balance")
"""Modules of checks in the order of the report."""
SUBJECTS = 2000
"""Failing subjects kept for the contact sheet."""


@dataclass(frozen=True)
class Population:
    """How many things a check looked at, of how many there are."""

    checked: int
    population: int


NEEDS: dict[str, tuple[Callable[[Evidence], bool], str]] = {
    "manifest": (lambda e: bool(e.tree.rows), "there is no manifest.parquet and no log"),
    "split": (lambda e: e.tree.split is not None, "there is no readable split.json"),
    "masks": (lambda e: any(q.mask_new or q.mask_old for q in e.anomalies), "there are no masks"),
    "references": (lambda e: bool(e.tree.bundles), "there are no reference views"),
    "reference cameras": (
        lambda e: any(v.camera for b in e.bundles for v in b.views),
        "the reference views have no K, RT, RT_ JSON",
    ),
    "depth": (lambda e: any(n.endswith("_depth.npy") for n in e.tree.files.sizes), "there are no depth files"),
    "models": (lambda e: any(e.model_of.values()), "there is no model_id.txt and no shapes.json"),
    "meshes": (lambda e: any(b.has_mesh for b in e.bundles), "there is no model.obj"),
    "source": (lambda e: e.source is not None, "the source shapes are not here (give --shapes)"),
    "replays": (lambda e: bool(e.replays), "neither the source shapes (--shapes) nor model.obj can be replayed"),
    "audit": (lambda e: not e.audit.note, "there are too few pictures or shapes to probe"),
    "recipe": (lambda e: e.recipe is not None, "there is no run.json with a recipe"),
}
"""What a check may need -> (is it there, the word to say when it is not)."""

COUNTS: dict[str, Callable[[Evidence], Population]] = {
    "dataset": lambda e: Population(1, 1),
    "rows": lambda e: _all(e.tree.rows),
    "files": lambda e: _all(e.tree.files.sizes),
    "queries": lambda e: _all(e.queries),
    "anomalies": lambda e: _all(e.anomalies),
    "bundles": lambda e: _all(e.bundles),
    "deep bundles": lambda e: Population(len(e.deep), len(e.bundles)),
    "meshes": lambda e: Population(len(e.mesh_prints), len(e.bundles)),
    "replays": lambda e: Population(len(e.replays), len(e.queries)),
}
"""Population of a check -> its size and how much of it was looked at."""


def _all(things: Sequence[object] | object) -> Population:
    size = len(things)  # type: ignore[arg-type]
    return Population(size, size)


def run_checks(evidence: Evidence, names: Sequence[str] = ()) -> tuple[Result, ...]:
    """Every registered check (or those named), in the order of the report."""
    from datagen.verify import checks  # noqa: F401  fills the registry

    ordered = sorted(REGISTRY.values(), key=lambda c: ROOMS.index(c.run.__module__.rpartition(".")[2]))
    return tuple(run_check(c, evidence) for c in ordered if not names or c.name in names)


def run_check(check: Check, evidence: Evidence) -> Result:
    """One check: skipped with a word when something it needs is absent, else its findings counted."""
    for need in check.needs:
        there, word = NEEDS[need]
        if not there(evidence):
            why = evidence.source_note or word if need in ("source", "replays") else word
            return Result(check.name, check.level, check.protects, SKIPPED, check.of, why=why)
    size = COUNTS[check.of](evidence)
    if size.checked == 0 and check.of != "dataset":
        why = f"there are no {check.of}"
        return Result(check.name, check.level, check.protects, SKIPPED, check.of, why=why)
    findings = list(check.run(evidence))
    return Result(
        check.name,
        check.level,
        check.protects,
        FAIL if findings else PASS,
        check.of,
        size.checked,
        size.population,
        len(findings),
        tuple(findings[:EXAMPLES]),
        tuple(finding.subject for finding in findings[:SUBJECTS]),
    )


def failed(results: Sequence[Result], level: str) -> int:
    """How many checks of a level failed."""
    return sum(result.status == FAIL and result.level == level for result in results)


def verdict(results: Sequence[Result]) -> str:
    """One sentence for people."""
    errors = sum(result.failed_as_error for result in results)
    warnings = failed(results, WARNING)
    skipped = sum(result.status == SKIPPED for result in results)
    passed = sum(result.status == PASS for result in results)
    words = f"{passed} checks passed, {errors} failed, {warnings} warned, {skipped} skipped"
    return f"{'trust it' if not errors else 'do not trust it'}: {words}"
