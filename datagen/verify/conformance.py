"""How a dataset compares with the published one: a line a figure."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Line:
    """One figure: what the published set would have at this size, what the recipe plans, what is there.

    `holds` is whether |actual - target| <= tolerance; `why` explains a deviation.
    """

    table: str
    name: str
    target: float
    actual: float
    tolerance: float
    planned: float | None = None
    why: str = ""

    @property
    def holds(self) -> bool:
        """Within the tolerance."""
        return abs(self.actual - self.target) <= self.tolerance + 1e-9

    def to_json(self) -> dict[str, Any]:
        """Plain figures."""
        return {**{k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}, "holds": self.holds}
