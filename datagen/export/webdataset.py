"""WebDataset: tar shards whose members of one sample stand together, for streaming readers."""

import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from datagen.core.errors import BrokenFile
from datagen.export.files import write_card
from datagen.export.protocol import Exported, Options
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
        told: list[dict[str, Any]] = []
        with ExitStack() as shards:
            writers: dict[str, _Shards] = {}
            for picture in options.pictures(reader, rows):
                if picture.split not in writers:
                    writers[picture.split] = shards.enter_context(_Shards(out, picture.split, self.shard_bytes))
                members = _members(reader, picture)
                writers[picture.split].add(picture.name, members)
                told.append(json.loads(members["json"]))
        write_card(reader, out)
        return _counted(told)

    def read_back(self, out: Path) -> Exported:
        """Counts of an export as its members state them, samples put together as readers do. Raises BrokenFile."""
        return _counted([sample for path in sorted(out.glob("*.tar")) for sample in _samples(path)])


class _Shards:
    """The shards of one split; a sample never lies in two."""

    def __init__(self, out: Path, split: str, most: int) -> None:
        self._out, self._split, self._most = out, split, most
        self._number, self._shard = 0, self._open(0)

    def __enter__(self) -> "_Shards":
        return self

    def __exit__(self, *_: object) -> None:
        self._shard.close()

    def _open(self, number: int) -> tarfile.TarFile:
        return tarfile.open(self._out / f"{self._split}-{number:06d}.tar", "w", format=tarfile.USTAR_FORMAT)

    def add(self, key: str, members: Mapping[str, bytes]) -> None:
        """The members of a sample, without owners and times: an export repeats to the byte."""
        size = sum(1024 + len(data) for data in members.values())
        if self._shard.offset and self._shard.offset + size > self._most:
            self._shard.close()
            self._number += 1
            self._shard = self._open(self._number)
        for suffix, data in members.items():
            header = tarfile.TarInfo(f"{key}.{suffix}")
            header.size, header.mode = len(data), 0o644
            self._shard.addfile(header, io.BytesIO(data))


def _members(reader: DatasetReader, picture: Picture) -> dict[str, bytes]:
    """Suffix after the key -> bytes."""
    found = {"query.png": reader.read(picture.path)}
    if picture.instances:
        found["mask.png"] = png_bytes(picture.mask)
    found |= {f"ref_{k:02d}.png": reader.read(path) for k, path in enumerate(picture.references)}
    record = {
        "label": picture.label,
        "kind": picture.kind,
        "split": picture.split,
        "category": picture.category,
        "shape_id": picture.shape_id,
        "sample_id": picture.sample_id,
        "source_path": picture.path,
        "instances": [
            {"kind": i.kind, "bbox": list(i.box_xywh), "area": i.area, "attributes": dict(i.attributes)}
            for i in picture.instances
        ],
    }
    return {**found, "json": json_bytes(record)}


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


def _counted(samples: Sequence[dict[str, Any]]) -> Exported:
    instances = [instance for sample in samples for instance in sample["instances"]]
    return Exported(
        pictures=len(samples),
        anomalous=sum(sample["label"] for sample in samples),
        instances=len(instances),
        mask_px=sum(instance["area"] for instance in instances),
        by_split=dict(sorted(Counter(sample["split"] for sample in samples).items())),
        by_kind=dict(sorted(Counter(instance["kind"] for instance in instances).items())),
    )
