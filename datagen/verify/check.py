"""What a check is: a named function with a level and one sentence on what it protects."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datagen.verify.evidence import Evidence

ERROR, WARNING = "error", "warning"
PASS, FAIL, SKIPPED = "pass", "fail", "skipped"
EXAMPLES = 20
"""Findings kept word for word; the count goes on."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `subject` is a path below the dataset's folder, an id, or a table's name."""

    subject: str
    message: str


@dataclass(frozen=True)
class Check:
    """A registered check. `of` names the population it looks at, `needs` what it cannot do without."""

    name: str
    level: str
    protects: str
    of: str
    needs: tuple[str, ...]
    run: "Callable[[Evidence], Iterator[Finding]]"


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


REGISTRY: dict[str, Check] = {}
"""Every check by name, in the order in which the modules define them."""

Decorated = "Callable[[Evidence], Iterator[Finding]]"


def check(
    level: str, protects: str, of: str = "dataset", needs: tuple[str, ...] = ()
) -> "Callable[[Callable[[Evidence], Iterator[Finding]]], Callable[[Evidence], Iterator[Finding]]]":
    """Register a function as a check under its own name."""

    def register(
        function: "Callable[[Evidence], Iterator[Finding]]",
    ) -> "Callable[[Evidence], Iterator[Finding]]":
        name = function.__name__
        if name in REGISTRY:
            raise ValueError(f"two checks are called {name}")
        REGISTRY[name] = Check(name, level, protects, of, needs, function)
        return function

    return register
