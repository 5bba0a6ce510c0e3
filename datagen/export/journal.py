"""What an export has finished so far, on the disk and not in memory: an interrupted one goes on from it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import count
from os import SEEK_END
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from datagen.export.counts import Counts
from datagen.formats.encode import json_bytes
from datagen.formats.instances import Picture


@dataclass(frozen=True)
class Note:
    """A thing that is written whole: its sums as `Counts.add` takes them, and what tables at the end say of it.

    `key` is a picture's sample_id, or another word that is unique in the export. `told` is plain JSON.
    """

    key: str
    split: str = ""
    label: int = 0
    marks: tuple[tuple[str, int], ...] = ()
    pictures: int = 0
    name: str = ""
    """A picture's name."""
    told: dict[str, Any] = field(default_factory=dict)


def note_of(
    picture: Picture,
    split: str | None = None,
    marks: Iterable[tuple[str, int]] | None = None,
    told: Mapping[str, Any] | None = None,
) -> Note:
    """A sample's note, in its own split and with each of its instances unless the format gives it others."""
    if marks is None:
        marks = ((found.kind, found.area) for found in picture.instances)
    where = picture.split if split is None else split
    return Note(picture.sample_id, where, picture.label, tuple(marks), 1, picture.name, dict(told or {}))


class Journal:
    """The notes. `counts` are the sums of all of them. A line that a killed process left torn is dropped."""

    def __init__(self, path: Path | None = None) -> None:
        """The journal at `path`, gone on with where it is there; without a path a temporary one. Raises OSError."""
        self.counts = Counts()
        # Numbers of 64 bits stand for words: a third of the memory, and two that agree by chance in no million exports.
        self._keys: set[int] = set()
        self._names: set[int] = set()
        self._stream: IO[bytes] = path.open("a+b") if path else TemporaryFile("a+b")  # noqa: SIM115
        self._stream.seek(0)
        end = 0
        for line in self._stream:
            if not line.endswith(b"\n"):
                break
            self._take(_notes(line))
            end += len(line)
        self._stream.truncate(end)

    def __contains__(self, key: object) -> bool:
        return hash(key) in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def takes(self, name: str) -> bool:
        """Keep a picture's name for it; False where another has it, noted or not yet."""
        before = len(self._names)
        self._names.add(hash(name))
        return len(self._names) > before

    def first_free(self, word: str) -> int:
        """The first number from 0 on for which no `<word> <number>` was noted."""
        return next(number for number in count() if f"{word} {number}" not in self)

    def note(self, *notes: Note) -> None:
        """These are written whole: all of the notes are kept, or none. Raises OSError."""
        self._stream.seek(0, SEEK_END)
        self._stream.write(json_bytes([asdict(note) for note in notes]))
        self._stream.flush()
        self._take(notes)

    def told(self, split: str | None = None) -> Iterator[dict[str, Any]]:
        """What was told of each thing, of one split or of all, in the order of notes; read from the disk.

        Notes may be added meanwhile.
        """
        place = 0
        while True:
            self._stream.seek(place)
            line = self._stream.readline()
            if not line:
                return
            place += len(line)
            for note in _notes(line):
                if split is None or note.split == split:
                    yield note.told

    def close(self) -> None:
        """No more notes."""
        self._stream.close()

    def _take(self, notes: Iterable[Note]) -> None:
        for note in notes:
            self._keys.add(hash(note.key))
            if note.name:
                self._names.add(hash(note.name))
            self.counts.add(note.split, note.label, note.marks, note.pictures)


def _notes(line: bytes) -> list[Note]:
    return [Note(**note) for note in json.loads(line)]
