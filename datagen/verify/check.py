"""What a check is, and how one is run: a named function with a level and one sentence on what it protects.

The engine knows no kind of dataset. A kind has a list of checks over its own evidence; each check says itself what it
needs and what it counts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

ERROR, WARNING = "error", "warning"
PASS, FAIL, SKIPPED = "pass", "fail", "skipped"
EXAMPLES = 20
"""Findings kept word for word; the count goes on."""
SUBJECTS = 2000
"""Failing subjects kept for the contact sheet."""

E = TypeVar("E")
Need = Callable[[E], str]
"""What a check cannot do without: '' where it is there, else why it is not."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `subject` is a path below the dataset's folder, an id, or a table's name."""

    subject: str
    message: str


@dataclass(frozen=True)
class Population(Generic[E]):
    """What a check looks at: `sizes` tells how many were looked at, and how many there are."""

    name: str
    sizes: Callable[[E], tuple[int, int]]


def all_of(name: str, things: Callable[[E], Any]) -> Population[E]:
    """A population that is looked at whole."""
    return Population(name, lambda evidence: (len(things(evidence)), len(things(evidence))))


DATASET: Population[Any] = Population("dataset", lambda evidence: (1, 1))


@dataclass(frozen=True)
class Check(Generic[E]):
    """A registered check."""

    name: str
    level: str
    protects: str
    of: Population[E]
    needs: tuple[Need[E], ...]
    run: Callable[[E], Iterator[Finding]]


@dataclass(frozen=True)
class Result:
    """What a check said. `checked` is how many of the population were looked at; `why` explains a skip."""

    name: str
    level: str
    protects: str
    status: str
    of: str
    checked: int = 0
    population: int = 0
    count: int = 0
    examples: tuple[Finding, ...] = ()
    subjects: tuple[str, ...] = field(default=(), repr=False)
    why: str = ""

    @property
    def failed_as_error(self) -> bool:
        """Whether this result makes the verdict negative."""
        return self.status == FAIL and self.level == ERROR

    def to_json(self) -> dict[str, Any]:
        """Plain values, for `--json`."""
        told = {key: getattr(self, key) for key in ("name", "level", "status", "count", "checked", "population", "of")}
        examples = [{"subject": f.subject, "message": f.message} for f in self.examples]
        return {**told, "protects": self.protects, "why": self.why, "examples": examples}


class CheckList(Generic[E]):
    """Checks over one kind of evidence, in the order of the report."""

    def __init__(self, *parts: "CheckList[E]") -> None:
        self.checks: dict[str, Check[E]] = {}
        for part in parts:
            for check in part.checks.values():
                self._add(check)

    def _add(self, check: Check[E]) -> None:
        if check.name in self.checks:
            raise ValueError(f"two checks are called {check.name}")
        self.checks[check.name] = check

    def check(
        self, level: str, protects: str, of: Population[E] = DATASET, needs: tuple[Need[E], ...] = ()
    ) -> Callable[[Callable[[E], Iterator[Finding]]], Callable[[E], Iterator[Finding]]]:
        """Register a function as a check under its own name; two of one name are a ValueError."""

        def register(function: Callable[[E], Iterator[Finding]]) -> Callable[[E], Iterator[Finding]]:
            self._add(Check(function.__name__, level, protects, of, needs, function))
            return function

        return register

    def run(self, evidence: E, names: Sequence[str] = ()) -> tuple[Result, ...]:
        """Results of every check, or of those named."""
        return tuple(run_check(c, evidence) for c in self.checks.values() if not names or c.name in names)


def run_check(check: Check[E], evidence: E) -> Result:
    """One check: skipped with a word when something it needs is absent, else its findings counted."""
    why = next((why for need in check.needs if (why := need(evidence))), "")
    checked, population = (0, 0) if why else check.of.sizes(evidence)
    if not why and checked == 0:
        why = f"there are no {check.of.name}"
    if why:
        return Result(check.name, check.level, check.protects, SKIPPED, check.of.name, why=why)
    findings = list(check.run(evidence))
    return Result(
        check.name,
        check.level,
        check.protects,
        FAIL if findings else PASS,
        check.of.name,
        checked,
        population,
        len(findings),
        tuple(findings[:EXAMPLES]),
        tuple(finding.subject for finding in findings[:SUBJECTS]),
    )


def failed(results: Sequence[Result], level: str) -> int:
    """How many checks of a level failed."""
    return sum(result.status == FAIL and result.level == level for result in results)


def verdict(results: Sequence[Result]) -> str:
    """One sentence for people: PASS or FAIL, and the counts."""
    errors, warnings = failed(results, ERROR), failed(results, WARNING)
    skipped = sum(result.status == SKIPPED for result in results)
    passed = sum(result.status == PASS for result in results)
    words = f"{passed} checks passed, {errors} failed, {warnings} warned, {skipped} skipped"
    return f"{'FAIL' if errors else 'PASS'}: {words}"
