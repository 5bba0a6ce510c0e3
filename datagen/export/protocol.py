"""What an exporter is: one format that other tools read, as a plug-in that knows no kind of dataset."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from datagen.core.errors import UsageError
from datagen.formats.instances import Instances, Picture, Record
from datagen.store.reader import DatasetReader

NEEDS = ("masks", "boxes", "depth", "pose", "mesh")
"""What an exporter may need of a kind of dataset."""


@dataclass(frozen=True)
class Options:
    """What an exporter is told beside the rows: the dataset's name, its kind, and how that kind tells its pictures."""

    dataset: str
    kind: str
    instances: Instances | None
    kinds: tuple[str, ...] = ()
    """Every kind of anomaly that the dataset may show, sorted."""

    def pictures(self, reader: DatasetReader, rows: Sequence[Record]) -> Iterator[Picture]:
        """The samples among the rows, sorted by name. Raises UsageError where the kind has no masks, BrokenFile."""
        return self._instances().pictures(reader, rows)

    def _instances(self) -> Instances:
        if self.instances is None:
            raise UsageError(f"datasets of kind {self.kind} have no masks of anomalies; choose another exporter")
        return self.instances


@dataclass(frozen=True)
class Exported:
    """Counts of what was written, or of what was found on reading it back; both are to be equal.

    `anomalous` counts pictures of label 1, `mask_px` the pixels of all instances, `by_split` pictures and `by_kind`
    instances.
    """

    pictures: int = 0
    anomalous: int = 0
    instances: int = 0
    mask_px: int = 0
    by_split: Mapping[str, int] = field(default_factory=dict)
    by_kind: Mapping[str, int] = field(default_factory=dict)


@runtime_checkable
class Exporter(Protocol):
    """A format. Built-in ones are in `datagen.export.registry`, others are entry points of `datagen.exporters`."""

    @property
    def name(self) -> str:
        """The word of `--to`, which is also the name of the entry point."""
        ...

    @property
    def about(self) -> str:
        """One sentence: what is written."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """Those of NEEDS without which there is nothing to write; kinds of dataset that lack one are refused."""
        ...

    def write(self, reader: DatasetReader, rows: Sequence[Record], out: Path, options: Options) -> Exported:
        """Write into the empty folder `out` and count. `rows` are those committed, sorted by (job_id, index).

        Raises BrokenFile for a file of the dataset that cannot be read, OSError where `out` cannot be written.
        """
        ...

    def read_back(self, out: Path) -> Exported | None:
        """What the format holds, read from its files alone; None where it cannot be told. Raises BrokenFile."""
        ...
