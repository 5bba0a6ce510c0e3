"""Sums over an export: what is told of it, and what two readings of it have to agree on."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Exported:
    """Counts of what was written, or of what was found on reading it back; both are to be equal.

    `anomalous` counts pictures of label 1, `mask_px` the pixels of all instances, `by_split` pictures and `by_kind`
    instances. Formats of clouds count clouds as pictures and marked points as pixels.
    """

    pictures: int = 0
    anomalous: int = 0
    instances: int = 0
    mask_px: int = 0
    by_split: Mapping[str, int] = field(default_factory=dict)
    by_kind: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What whoever runs the export should know, in a line each; no count, and not read back."""


class Counts:
    """Running sums; nothing of what was counted is kept."""

    def __init__(self) -> None:
        self.pictures = self._anomalous = self._mask_px = 0
        self._splits: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()

    def add(self, split: str, label: int = 0, marks: Iterable[tuple[str, int]] = (), pictures: int = 1) -> None:
        """A picture, or several alike: its split, its label, and (kind, pixels of the mask) of each instance."""
        self.pictures += pictures
        self._anomalous += label
        if pictures:
            self._splits[split] += pictures
        for kind, pixels in marks:
            self._kinds[kind] += 1
            self._mask_px += pixels

    @property
    def instances(self) -> int:
        """How many instances so far."""
        return self._kinds.total()

    @property
    def splits(self) -> tuple[str, ...]:
        """Splits that pictures were counted of, sorted."""
        return tuple(sorted(self._splits))

    def exported(self, notes: Iterable[str] = ()) -> Exported:
        """The sums so far."""
        return Exported(
            pictures=self.pictures,
            anomalous=self._anomalous,
            instances=self.instances,
            mask_px=self._mask_px,
            by_split=dict(sorted(self._splits.items())),
            by_kind=dict(sorted(self._kinds.items())),
            notes=tuple(notes),
        )
