"""The per-writer log: one line a job, appended and fsynced, is the only proof of a sample."""

import json
import os
import socket
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from datagen.core.clutter import is_clutter, tidy
from datagen.core.row import Row

SETTLED_NS = 2 * 10**9
"""A folder that changed longer ago than this gets another time with its next change, however coarse its clock."""
ELSEWHERE_S = 5.0
"""So long what other hosts append may go unseen by `LogReader.glance`: at worst a job is done twice."""
_FIELDS = tuple(f.name for f in fields(Row))
_WORDS = {
    *("row_type", "status", "shape_id", "split", "source", "stage", "reason", "kind", "part", "part_class", "method"),
    "versions",
}
"""Columns in which the rows of many jobs say the same."""
_ALIKE = {
    *("job_id", "spec", "K", "T_shape_source", "material_ids", "bbox_xywh_512"),
    *("query_path", "annotation_path", "mask_new_path", "mask_old_path"),
}
"""Columns in which the rows of one job do, or name a file that its digest is kept by."""


@dataclass(frozen=True)
class LogEntry:
    """A committed job: its rows and its cost."""

    job_id: str
    rows: tuple[Row, ...]
    cost: Mapping[str, Any]

    @property
    def quarantined(self) -> bool:
        """Whether the job ended in quarantine and is to be tried again."""
        return any(row.row_type == "quarantine" for row in self.rows)

    @property
    def superseded(self) -> bool:
        """Whether the line says that the job's quarantine no longer counts: its shape has changed since."""
        return not self.rows and bool(self.cost.get("superseded"))

    @property
    def time(self) -> float:
        """When it was committed, seconds since 1970."""
        return float(self.cost.get("t", 0.0))


def writer_name() -> str:
    """A new writer's name, `<host>.<pid>.<uuid>`: locks do not work on NFS or Lustre, own files do.

    The uuid keeps a reused pid from appending to a log that a crash left torn.
    """
    return f"{socket.gethostname()}.{os.getpid()}.{uuid.uuid4().hex[:12]}"


def is_here(writer: str) -> bool:
    """Whether a writer is a process of this host."""
    return _host_and_pid(writer)[0] == socket.gethostname()


def is_alive(writer: str) -> bool:
    """Whether the process behind a writer's name may still run; one on another host always may."""
    pid = _host_and_pid(writer)[1]
    return not is_here(writer) or not pid.isdigit() or process_runs(int(pid))


def _host_and_pid(writer: str) -> tuple[str, str]:
    host, _, pid = writer.rpartition(".")[0].rpartition(".")
    return host, pid


def process_runs(pid: int) -> bool:
    """Whether a process of this machine has that number."""
    return Path(f"/proc/{pid}").exists()


def entry_line(job_id: str, rows: tuple[Row, ...], cost: Mapping[str, Any]) -> bytes:
    """One JSON line."""
    record = {"job_id": job_id, "rows": [row.to_json() for row in rows], "cost": dict(cost)}
    return (json.dumps(record, allow_nan=False, separators=(",", ":")) + "\n").encode()


def append(path: Path, line: bytes) -> None:
    """Append a line and fsync: the commit point. What a failure left half written is cut off again."""
    with path.open("ab") as stream:
        start = stream.tell()
        try:
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        except OSError:
            os.truncate(path, start)
            raise


def _rows(line: list[dict[str, Any]]) -> Iterator[Row]:
    """The rows of a line; what they say alike is one object, so that memory holds the rows of a large dataset."""
    shared: dict[Any, Any] = {}
    for data in line:
        values = {name: _value(data[name]) for name in _FIELDS if name in data}
        for name in _WORDS & values.keys():
            values[name] = sys.intern(values[name])
        for name in _ALIKE & values.keys():
            values[name] = shared.setdefault(values[name], values[name])
        values["sha256"] = {shared.setdefault(path, path): digest for path, digest in values["sha256"].items()}
        yield Row(**values)


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def parse(data: bytes) -> Iterator[LogEntry]:
    """Entries of whole lines; a torn line is dropped."""
    for line in data.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            return
        try:
            record = json.loads(line)
        except ValueError:
            continue
        yield LogEntry(record["job_id"], tuple(_rows(record["rows"])), record["cost"])


class Ranking:
    """Which line of a job counts: a finished one outranks a quarantined one, of two finished ones the first stays.

    `known` holds the jobs that a line counts for.
    """

    def __init__(self) -> None:
        self.known: dict[str, tuple[bool, float]] = {}
        self._superseded: dict[str, float] = {}

    def takes(self, entry: LogEntry) -> bool:
        """Whether this line counts from now on, as far as is read; a line that ends a quarantine removes the job."""
        quarantined, time = self.known.get(entry.job_id, (True, 0.0))
        if entry.superseded:
            self._superseded[entry.job_id] = entry.time
            if quarantined and time <= entry.time:
                self.known.pop(entry.job_id, None)
            return False
        if not quarantined or (entry.quarantined and entry.time <= self._superseded.get(entry.job_id, -1.0)):
            return False
        self.known[entry.job_id] = (entry.quarantined, entry.time)
        return True


def read_lines(folder: Path) -> Iterator[LogEntry]:
    """The whole lines of all logs, one at a time; `Ranking` says which count. Raises OSError."""
    for path in tidy(folder.glob("*.jsonl")):
        with path.open("rb") as stream:
            for line in stream:
                yield from parse(line)


class LogReader:
    """The union of all logs of a folder by job id, read on from where it stopped last time; `Ranking` decides."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[str, LogEntry] = {}
        self._offsets: dict[str, int] = {}
        self._ended: set[str] = set()
        self._ranking = Ranking()
        self._here: list[str] = []
        self._elsewhere: list[str] = []
        self._listed_ns = 0
        self._looked_elsewhere = -1e9

    def refresh(self) -> "LogReader":
        """Read what was appended since."""
        self._list()
        self._read_all(sorted([*self._here, *self._elsewhere]))
        self._looked_elsewhere = time.monotonic()
        return self

    def glance(self) -> None:
        """Read what was appended since, but logs of other hosts only every ELSEWHERE_S seconds.

        A build does it before every job: what it costs does not grow with the number of logs, as far as they ended.
        """
        if self._changed() != self._listed_ns:
            self._list()
        if time.monotonic() - self._looked_elsewhere < ELSEWHERE_S:
            self._read_all(self._here)
        else:
            self.refresh()

    def _changed(self) -> int:
        """When the folder last got a log, in ns; -1 where there is no folder."""
        try:
            return self.folder.stat().st_mtime_ns
        except FileNotFoundError:
            return -1

    def _list(self) -> None:
        changed = self._changed()
        self._listed_ns = changed if time.time_ns() - changed > SETTLED_NS else 0
        names = [path.name for path in self.folder.glob("*.jsonl") if path.name not in self._ended]
        names = [name for name in names if not is_clutter(name)]
        self._here = sorted(name for name in names if is_here(name.removesuffix(".jsonl")))
        self._elsewhere = sorted({*names} - {*self._here})

    def _read_all(self, names: list[str]) -> None:
        for name in names:
            self._read(name)
        self._here = [name for name in self._here if name not in self._ended]

    def _read(self, name: str) -> None:
        path, offset = self.folder / name, self._offsets.get(name, 0)
        alive = is_alive(path.stem)  # asked first: it may write and end while we look
        if path.stat().st_size == offset:
            if not alive:
                self._ended.add(name)
            return
        with path.open("rb") as stream:
            stream.seek(offset)
            data = stream.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offsets[name] = offset + len(whole)
        for entry in parse(whole):
            if self._ranking.takes(entry):
                self.entries[entry.job_id] = entry
            elif entry.job_id not in self._ranking.known:
                self.entries.pop(entry.job_id, None)


def any_torn(folder: Path) -> bool:
    """Whether a log ends in a half-written line: its writer died."""
    for path in tidy(folder.glob("*.jsonl")):
        with path.open("rb") as stream:
            if stream.seek(0, os.SEEK_END) and stream.seek(-1, os.SEEK_END) >= 0 and stream.read(1) != b"\n":
                return True
    return False


def read_folder(folder: Path) -> dict[str, LogEntry]:
    """Entries of all logs."""
    return LogReader(folder).refresh().entries
