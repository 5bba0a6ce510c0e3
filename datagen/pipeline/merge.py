"""Bring the jobs of several folders of one run together: node-local scratch into the shared folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datagen.core.clutter import tidy
from datagen.core.errors import OtherRecipe, StoppedEarly, UsageError
from datagen.core.ids import bytes_hash
from datagen.core.row import Bundle, Job
from datagen.store.dataset import Dataset
from datagen.store.launch import read_run
from datagen.store.log import LogEntry, LogReader
from datagen.store.reader import DatasetReader

OWN_FILES = frozenset({"run.json", "manifest.parquet", "cost.parquet", "pairs.parquet", "report.html"})
"""Files at the root of a dataset that are made anew, or are no part of it."""


def merge(sources: list[Path], target: Path) -> dict[str, int]:
    """Commit every job of `sources` that `target` lacks; figures of what was copied.

    Raises OtherRecipe if a source belongs to another run, UsageError if one is no dataset,
    StoppedEarly if a file is missing or differs from its digest: the source job is left alone.
    """
    runs = [read_run(source) for source in sources]
    if not runs:
        raise UsageError("nothing to merge; name at least one source folder")
    with _belongs(sources[0], target):
        dataset = Dataset.open(target, runs[0])
    copied = known = 0
    try:
        for source, run in zip(sources, runs, strict=True):
            with _belongs(source, target):
                Dataset.check_run(target, run)
            dataset.refresh()
            files = DatasetReader(source)
            for entry in LogReader(source / "log").refresh().entries.values():
                if dataset.is_done(entry.job_id):
                    known += 1
                else:
                    _copy(files, dataset, entry)
                    copied += 1
            planned = [path.name for path in tidy(source.iterdir()) if path.is_file() and path.name not in OWN_FILES]
            for name in [*planned, "log/launch.json"]:
                if (source / name).is_file() and not (target / name).is_file():
                    dataset.write_root_file(name, (source / name).read_bytes())
        dataset.compact()
    finally:
        dataset.close()
    return {"copied": copied, "known": known, "jobs": len(dataset.entries)}


@contextmanager
def _belongs(source: Path, target: Path) -> Iterator[None]:
    """Name the folder of another run: there may be hundreds."""
    try:
        yield
    except OtherRecipe as error:
        raise OtherRecipe(f"{source} does not belong to {target}: {error.args[0]}") from error


def _copy(source: DatasetReader, dataset: Dataset, entry: LogEntry) -> None:
    first = entry.rows[0] if entry.rows else None
    job = Job(entry.job_id, "", first.shape_id if first else "", 0, "", 0, "", 0)
    if entry.quarantined and first is not None:
        dataset.quarantine(job, first)
        return
    files = {}
    for row in entry.rows:
        for path, digest in row.sha256.items():
            data = source.read(path) if source.has(path) else b""
            if bytes_hash(data) != digest:
                raise StoppedEarly(f"{source.root / path} is missing or not what was committed; build that shard again")
            files[path] = data
    dataset.commit(Bundle(job, files, entry.rows, entry.cost))
