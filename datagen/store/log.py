"""The per-writer log: one line a job, appended and fsynced, is the only proof of a sample."""

import json
import os
import socket
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from datagen.core.clutter import tidy
from datagen.core.row import Row


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


def is_alive(writer: str) -> bool:
    """Whether the process behind a writer's name may still run; one on another host always may."""
    host, _, pid = writer.rpartition(".")[0].rpartition(".")
    return host != socket.gethostname() or not pid.isdigit() or process_runs(int(pid))


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


def _row(data: dict[str, Any]) -> Row:
    return Row(**{f.name: _value(data[f.name]) for f in fields(Row) if f.name in data})


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
        yield LogEntry(record["job_id"], tuple(_row(row) for row in record["rows"]), record["cost"])


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
        self._offsets: dict[Path, int] = {}
        self._ended: set[str] = set()
        self._ranking = Ranking()

    def refresh(self) -> "LogReader":
        """Read what was appended since."""
        for path in (path for path in tidy(self.folder.glob("*.jsonl")) if path.name not in self._ended):
            offset = self._offsets.get(path, 0)
            alive = is_alive(path.stem)  # asked first: it may write and end while we look
            if path.stat().st_size == offset:
                if not alive:
                    self._ended.add(path.name)
                continue
            with path.open("rb") as stream:
                stream.seek(offset)
                data = stream.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._offsets[path] = offset + len(whole)
            for entry in parse(whole):
                if self._ranking.takes(entry):
                    self.entries[entry.job_id] = entry
                elif entry.job_id not in self._ranking.known:
                    self.entries.pop(entry.job_id, None)
        return self


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
