"""Rows of a dataset on the disk and not in memory: sequences whose memory does not grow with what a row says."""

import os
import pickle
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, overload

import pyarrow as pa

from datagen.store.log import Ranking, read_lines
from datagen.store.manifest import iter_manifest

Record = Mapping[str, Any]


class StoredRows(Sequence[Record]):
    """Rows in a temporary file, some 3 kB each; one is read when it is asked for."""

    def __init__(self) -> None:
        """Raises OSError where there is no temporary folder to write in."""
        self._file = TemporaryFile()  # noqa: SIM115
        self._ends = array("Q", [0])

    def extend(self, rows: Iterable[Record]) -> None:
        """Rows of plain values, after those that are here. Raises OSError where the disk is full."""
        for row in rows:
            self._ends.append(self._ends[-1] + self._file.write(pickle.dumps(row, pickle.HIGHEST_PROTOCOL)))
        self._file.flush()

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, k: int) -> Record: ...
    @overload
    def __getitem__(self, k: slice) -> "Chosen": ...
    def __getitem__(self, k: int | slice) -> "Record | Chosen":
        if isinstance(k, slice):
            return Chosen(self, range(len(self))[k])
        k = range(len(self))[k]
        row: Record = pickle.loads(os.pread(self._file.fileno(), self._ends[k + 1] - self._ends[k], self._ends[k]))
        return row


class Chosen(Sequence[Record]):
    """Some rows of others, by their numbers, in the order of these."""

    def __init__(self, rows: Sequence[Record], numbers: Iterable[int]) -> None:
        self._rows, self._numbers = rows, array("Q", numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, k: int) -> Record: ...
    @overload
    def __getitem__(self, k: slice) -> "Chosen": ...
    def __getitem__(self, k: int | slice) -> "Record | Chosen":
        if isinstance(k, slice):
            return Chosen(self._rows, self._numbers[k])
        return self._rows[self._numbers[k]]


@dataclass(frozen=True)
class Committed:
    """What a dataset has committed: rows sorted by (job_id, index).

    `problem` says why a manifest is not used, and where there are no rows why there are none.
    """

    rows: Sequence[Record]
    problem: str = ""


def committed_rows(root: Path) -> Committed:
    """Rows of the manifest, or of the logs where it is absent or older than they are.

    Raises OSError where the temporary folder is full.
    """
    logged, no_log = _logged_jobs(root / "log")
    rows, listed, last, is_sorted = StoredRows(), set[str](), ("", -1), True
    problem = "it has no manifest.parquet"
    if (root / "manifest.parquet").is_file():
        try:
            for batch in _batches(root):
                places = [(row["job_id"], row["index"]) for row in batch]
                is_sorted &= [last, *places] == sorted([last, *places])
                last = places[-1]
                listed.update(job_id for job_id, _ in places)
                rows.extend(batch)
            problem = ""
        except (pa.ArrowException, ValueError, LookupError, TypeError) as error:
            problem = str(error)
    if logged and (problem or logged > listed):
        return Committed(_logged_rows(root / "log"), problem)
    if problem:
        return Committed((), problem if (root / "manifest.parquet").is_file() else no_log or problem)
    if is_sorted:
        return Committed(rows)
    return Committed(Chosen(rows, sorted(range(len(rows)), key=lambda k: (rows[k]["job_id"], rows[k]["index"]))))


def _batches(root: Path) -> Iterator[list[dict[str, Any]]]:
    """The manifest's rows. Raises ValueError where it cannot be read, so that OSError is of what is written."""
    try:
        yield from iter_manifest(root)
    except OSError as error:
        raise ValueError(str(error)) from error


def _logged_jobs(folder: Path) -> tuple[set[str], str]:
    """Jobs that the logs give rows of, and why they cannot be read."""
    try:
        ranking, jobs = Ranking(), set()
        for entry in read_lines(folder):
            if ranking.takes(entry) and entry.rows:
                jobs.add(entry.job_id)
        return jobs & ranking.known.keys(), ""
    except (OSError, LookupError, TypeError, ValueError) as error:
        return set(), str(error)


def _logged_rows(folder: Path) -> Sequence[Record]:
    """Rows of the logs."""
    rows = StoredRows()
    places: dict[str, range] = {}
    ranking = Ranking()
    for entry in read_lines(folder):
        if ranking.takes(entry):
            start = len(rows)
            rows.extend(row.to_json() for row in entry.rows)
            places[entry.job_id] = range(start, len(rows))
    jobs = sorted(places.keys() & ranking.known)
    return Chosen(rows, (k for job in jobs for k in sorted(places[job], key=lambda k: rows[k]["index"])))
