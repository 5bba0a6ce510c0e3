"""WebDataset: tar shards whose members of one sample stand together, for streaming readers."""

import contextlib
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from datagen.core.errors import BrokenFile
from datagen.export.counts import Counts, Exported
from datagen.export.files import write_card
from datagen.export.journal import Journal, Note, note_of
from datagen.export.protocol import Options
from datagen.formats.encode import json_bytes, png_bytes
from datagen.formats.instances import Picture, Record
from datagen.store.reader import DatasetReader

SHARD_BYTES = 1 << 30
"""A shard ends before it outgrows this."""


class WebDataset:
    """The exporter. Readers cut a member's key at the first dot of its name, so keys hold none.

    Members of a sample: KEY.query.png; for an anomalous one KEY.mask.png (all its anomalies, 0 and 255); for kinds with
    reference views KEY.ref_00.png and on, by azimuth; KEY.json.
    """

    name = "webdataset"
    about = "WebDataset tar shards of at most 1 GiB: query, mask, reference views and JSON of each sample together."
    needs = frozenset({"masks"})

    def __init__(self, shard_bytes: int = SHARD_BYTES) -> None:
        self.shard_bytes = shard_bytes

    def write(self, reader: DatasetReader, rows: Sequence[Record], out: Path, options: Options) -> Exported:
        """<split>-<number>.tar, samples in the order of their names. Raises BrokenFile, OSError."""
        with ExitStack() as shards:
            writers: dict[str, _Shards] = {}
            for picture in options.pictures(reader, rows):
                if picture.split not in writers:
                    writers[picture.split] = shards.enter_context(
                        _Shards(out, picture.split, self.shard_bytes, options.journal)
                    )
                writers[picture.split].add(note_of(picture), _members(reader, picture))
        write_card(reader, out)
        return options.journal.counts.exported()

    def read_back(self, out: Path) -> Exported:
        """Counts of an export as its members state them, samples put together as readers do. Raises BrokenFile."""
        counts = Counts()
        for path in sorted(out.glob("*.tar")):
            for sample in _samples(path):
                marks = ((instance["kind"], instance["area"]) for instance in sample["instances"])
                counts.add(sample["split"], sample["label"], marks)
        return counts.exported()


class _Shards:
    """The shards of one split; a sample never lies in two. Samples are noted once their shard is whole."""

    def __init__(self, out: Path, split: str, most: int, journal: Journal) -> None:
        self._out, self._split, self._most, self._journal = out, split, most, journal
        self._number = journal.first_free(f"shard {split}")
        self._notes: list[Note] = []
        self._shard: IO[bytes] | None = None

    def __enter__(self) -> "_Shards":
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        if failed is None:
            self._close()
        elif self._shard is not None:
            with contextlib.suppress(OSError):
                self._shard.close()
            self._part.unlink(missing_ok=True)

    @property
    def _part(self) -> Path:
        return self._out / f"{self._split}.part"

    def _close(self) -> None:
        """The shard gets its name, then its samples are noted."""
        if self._shard is None:
            return
        self._shard.write(bytes(2 * tarfile.BLOCKSIZE))
        self._shard.write(bytes(-self._shard.tell() % tarfile.RECORDSIZE))
        self._shard.close()
        self._part.rename(self._out / f"{self._split}-{self._number:06d}.tar")
        self._journal.note(*self._notes, Note(f"shard {self._split} {self._number}"))
        self._number, self._shard, self._notes = self._number + 1, None, []

    def add(self, note: Note, members: Mapping[str, bytes]) -> None:
        """The members of a sample, without owners and times: an export repeats to the byte.

        tarfile would keep the header of every member until the shard is whole.
        """
        size = sum(1024 + len(data) for data in members.values())
        if self._shard is not None and self._shard.tell() + size > self._most:
            self._close()
        if self._shard is None:
            self._shard = self._part.open("wb")
        for suffix, data in members.items():
            header = tarfile.TarInfo(f"{note.name}.{suffix}")
            header.size, header.mode = len(data), 0o644
            self._shard.write(header.tobuf(tarfile.USTAR_FORMAT))
            self._shard.write(data + bytes(-len(data) % tarfile.BLOCKSIZE))
        self._notes.append(note)


def _members(reader: DatasetReader, picture: Picture) -> dict[str, bytes]:
    """Suffix after the key -> bytes."""
    found = {"query.png": reader.read(picture.path)}
    if picture.instances:
        found["mask.png"] = png_bytes(picture.mask)
    found |= {f"ref_{k:02d}.png": reader.read(path) for k, path in enumerate(picture.references)}
    return {**found, "json": json_bytes(picture.to_json())}


def _samples(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON of every sample of a shard. Raises BrokenFile where a key comes back after another began."""
    seen: set[str] = set()
    current = ""
    try:
        with tarfile.open(path) as shard:
            for member in shard:
                key, _, suffix = member.name.partition(".")
                if key != current and key in seen:
                    raise BrokenFile(f"{path}: the members of {key} do not stand together; export the dataset again")
                current = key
                seen.add(key)
                if suffix == "json":
                    stream = shard.extractfile(member)
                    assert stream is not None
                    yield json.load(stream)
    except (OSError, ValueError, tarfile.TarError) as error:
        raise BrokenFile(f"{path}: {error}; export the dataset again") from error
