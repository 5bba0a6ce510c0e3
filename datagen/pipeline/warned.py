"""What a build was warned about: by kind, counted, each shape's warning once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from datagen.materials.library import MaterialLibrary
from datagen.shapes.source import Source
from datagen.store.log import LogEntry

EXAMPLES = 3


@dataclass(frozen=True)
class Warned:
    """One kind of warning: how often, and the first few, by what they are about."""

    kind: str
    count: int
    examples: tuple[str, ...]

    @property
    def line(self) -> str:
        """One line for the console and the card."""
        more = f" and {self.count - len(self.examples)} more" if self.count > len(self.examples) else ""
        return f"{self.kind} ({self.count}): {'; '.join(self.examples)}{more}"


def warned(entries: Iterable[LogEntry], source: Source, library: MaterialLibrary) -> tuple[Warned, ...]:
    """Warnings of the collection, the shapes that were used and the material libraries, by kind, sorted.

    A warning is `kind: what it is about`.
    """
    found: dict[str, set[str]] = {}
    for entry in entries:
        for row in entry.rows:
            for text in row.warnings:
                _add(found, text, f"{row.shape_id}: ")
    left_out = (f"material left out: {name}: {reason}" for name, reason in library.left_out)
    for text in (*source.warnings, *library.warnings, *left_out):
        _add(found, text, "")
    return tuple(
        Warned(kind, len(details), tuple(sorted(details)[:EXAMPLES])) for kind, details in sorted(found.items())
    )


def _add(found: dict[str, set[str]], text: str, about: str) -> None:
    kind, _, detail = text.partition(": ")
    found.setdefault(kind, set()).add(f"{about}{detail or kind}")


def warned_json(warnings: Iterable[Warned]) -> Mapping[str, object]:
    """Kind -> count and examples, for the summary's document."""
    return {w.kind: {"count": w.count, "examples": list(w.examples)} for w in warnings}


def card_section(warnings: Iterable[Warned]) -> list[str]:
    """Lines of the dataset card; none without warnings."""
    lines = [f"- {w.line}" for w in warnings]
    return (
        ["## Warnings", "", "What was left out or replaced while the shapes and materials were read:", "", *lines, ""]
        if lines
        else []
    )
