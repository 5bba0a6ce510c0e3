"""What an exporter is: one format that other tools read, as a plug-in that knows no kind of dataset."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from datagen.core.errors import UsageError
from datagen.export.counts import Exported
from datagen.export.journal import Journal
from datagen.formats.instances import Instances, Picture, Record
from datagen.formats.posed import Posed
from datagen.formats.solids import Compared, Depth
from datagen.formats.stages import Stage
from datagen.store.reader import DatasetReader
from datagen.store.rows import Chosen

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
    journal: Journal = field(default_factory=Journal)
    """What an earlier, interrupted try finished, and where this one notes what it does."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """A value for each key of the exporter's `settings`, where it has that attribute."""

    def pictures(self, reader: DatasetReader, rows: Sequence[Record]) -> Iterator[Picture]:
        """The samples among the rows that the journal does not hold, sorted by name.

        Raises UsageError where the kind has no masks or gives two pictures one name, BrokenFile.
        """
        left = rows
        if self.journal:
            left = Chosen(rows, (k for k, row in enumerate(rows) if row["sample_id"] not in self.journal))
        for picture in self._instances().pictures(reader, left):
            if not self.journal.takes(picture.name):
                raise UsageError(
                    f"two pictures are named {picture.name} (one is {picture.path}); the kind of dataset has to give "
                    "each a name of its own"
                )
            yield picture

    def depths(self, reader: DatasetReader, rows: Sequence[Record]) -> Callable[[Picture], Depth]:
        """What gives each picture's depth. Raises UsageError where the kind has none, or the shapes are not here."""
        depths = self._instances().depths
        if depths is None:
            raise UsageError(f"datasets of kind {self.kind} have no depth of pictures; choose another --to")
        return depths(reader, rows, str(self.settings.get("shapes", "")))

    def solids(self, reader: DatasetReader, rows: Sequence[Record]) -> Iterator[Compared]:
        """Things that the journal does not hold. Raises UsageError where the kind has no meshes, or as `depths`."""
        solids = self._instances().solids
        if solids is None:
            raise UsageError(f"datasets of kind {self.kind} have no meshes of anomalies; choose another --to")
        return solids(reader, rows, str(self.settings.get("shapes", "")), self.journal)

    def stages(self, reader: DatasetReader, rows: Sequence[Record]) -> Iterator[Stage]:
        """Scenes that the journal does not hold. Raises UsageError where the kind has none, or as `depths`."""
        stages = self._instances().stages
        if stages is None:
            raise UsageError(f"datasets of kind {self.kind} have no scenes of several objects; choose another --to")
        return stages(reader, rows, str(self.settings.get("shapes", "")), self.journal)

    def posed(self, reader: DatasetReader, rows: Sequence[Record]) -> Iterator[Posed]:
        """Bundles of views that the journal does not hold. Raises UsageError where the kind has none, BrokenFile."""
        posed = self._instances().posed
        if posed is None:
            raise UsageError(f"datasets of kind {self.kind} have no posed views; choose another --to")
        return posed(reader, rows, self.journal)

    def _instances(self) -> Instances:
        if self.instances is None:
            raise UsageError(f"datasets of kind {self.kind} have no masks of anomalies; choose another exporter")
        return self.instances


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
        """Write into the folder `out` and count. `rows` are those committed, sorted by (job_id, index).

        `out` is empty, and so is `options.journal`. A built-in exporter may also find what it wrote and noted before
        it was interrupted. Raises BrokenFile for a file of the dataset that cannot be read, OSError where `out`
        cannot be written.
        """
        ...

    def read_back(self, out: Path) -> Exported | None:
        """What the format holds, read from its files alone; None where it cannot be told. Raises BrokenFile."""
        ...
