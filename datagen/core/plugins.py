"""Objects of other packages, found by entry points: a broken one is told by its name, and stops nobody else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any


@dataclass(frozen=True)
class Plugins:
    """What entry points gave, by the word they stand under, and why others gave nothing."""

    found: Mapping[str, Any]
    broken: Mapping[str, str]

    @property
    def hint(self) -> str:
        """What to add to "there is no such thing": ' (...)' where an entry point is broken, else ''."""
        told = "; ".join(f"the entry point {name} {why}" for name, why in self.broken.items())
        return f" ({told}; repair or uninstall its package)" if told else ""


def load(points: Iterable[EntryPoint]) -> Plugins:
    """Every object that loads. Never raises: a broken package of somebody else is no fault of a command."""
    found: dict[str, Any] = {}
    broken: dict[str, str] = {}
    for point in points:
        try:
            found[point.name] = point.load()
        except Exception as error:  # a package of another author may fail in any way
            broken[point.name] = f"= {point.value} cannot be loaded ({type(error).__name__}: {error})"
    return Plugins(found, broken)
