"""One import: the files of a published folder in a tree of ours, with a manifest; whole, or not there."""

import contextlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from datagen.core.errors import DISK_FULL, BrokenFile, StoppedEarly, UsageError
from datagen.core.ids import bytes_hash
from datagen.core.row import Row
from datagen.formats.published import ImportedJob, Published
from datagen.kinds.registry import kinds
from datagen.store.log import LogEntry
from datagen.store.manifest import manifest_bytes


@dataclass(frozen=True)
class Imported:
    """What an import found."""

    kind: str
    samples: int
    anomalous: int
    by_split: Mapping[str, int]
    notes: tuple[str, ...]


def import_dataset(root: Path, out: Path, split: Path | None = None) -> Imported:
    """Make a dataset at `out`, which is empty or not there yet, of the published data at `root`.

    Files are hard links where the disk allows it, else copies; each is read once for its digest. `split` names the
    split file where it does not lie in `root`. Raises UsageError for a folder of no published form, BrokenFile, and
    StoppedEarly where the disk is full.
    """
    if not root.is_dir():
        raise UsageError(f"{root} is no folder; give the folder of a published dataset")
    target = out.resolve()
    if target.is_relative_to(root.resolve()):
        raise UsageError(f"--out {out} lies in the published data {root}; choose a place outside")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"--out {out} is there already; name a folder that is empty or not there yet")
    found = _published(root, split)
    part = target.with_name(f".{target.name}.{uuid4().hex}.part")
    try:
        part.mkdir(parents=True)
        told = _written(found, part)
        part.rename(target)
    except OSError as error:
        if error.errno in DISK_FULL:
            raise StoppedEarly(f"--out {out}: {error.strerror}; make room and run the same command again") from error
        raise UsageError(f"--out {out} cannot be written ({error.strerror or error}); choose another place") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return told


def _published(root: Path, split: Path | None) -> Published:
    for kind in kinds().values():
        if kind.importer is not None:
            found: Published | None = kind.importer.load()(root, split)
            if found is not None:
                return found
    raise UsageError(
        f"{root} has the form of no published dataset that datagen knows (docs/importing.md); give the folder that "
        "holds images/, shapes/ and split.json, or the one that holds the folders with RGB/"
    )


def _written(found: Published, part: Path) -> Imported:
    entries = []
    by_split: dict[str, int] = {}
    samples = anomalous = 0
    for job in found.jobs:
        rows = _placed(job, part)
        entries.append(LogEntry(job.job_id, rows, {}))
        for row in rows:
            if row.row_type == "sample":
                samples += 1
                anomalous += row.label
                by_split[row.split] = by_split.get(row.split, 0) + 1
    if not samples:
        raise UsageError("there is no picture to import: " + ("; ".join(found.notes) or "the folder is empty"))
    for name, data in found.root_files().items():
        (part / name).write_bytes(data)
    (part / "manifest.parquet").write_bytes(manifest_bytes(entries))
    return Imported(found.kind, samples, anomalous, dict(sorted(by_split.items())), tuple(found.notes))


def _placed(job: ImportedJob, part: Path) -> tuple[Row, ...]:
    """Put a job's files in place; its rows with their digests. Raises BrokenFile, OSError."""
    digests = {}
    for path, given in job.files.items():
        target = part / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(given, bytes):
            target.write_bytes(given)
            digests[path] = bytes_hash(given)
            continue
        try:
            data = given.read_bytes()
        except OSError as error:
            raise BrokenFile(f"{given}: {error.strerror}; restore the file and import again") from error
        digests[path] = bytes_hash(data)
        linked = False
        with contextlib.suppress(OSError):
            os.link(given.resolve(), target)
            linked = True
        if not linked:
            target.write_bytes(data)
    return tuple(replace(row, sha256={path: digests[path] for path in row.sha256}) for row in job.rows)
