"""The per-writer log: one line a job, appended and fsynced, is the only proof of a sample."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from datagen.core.row import Row


@dataclass(frozen=True)
class LogEntry:
    """A committed job: its rows and its cost."""

    job_id: str
    rows: tuple[Row, ...]
    cost: Mapping[str, float]

    @property
    def quarantined(self) -> bool:
        """Whether the job ended in quarantine and is to be tried again."""
        return any(row.row_type == "quarantine" for row in self.rows)


def writer_name() -> str:
    """Name of this process's log: locks do not work on NFS or Lustre, own files do."""
    return f"{socket.gethostname()}.{os.getpid()}"


def entry_line(job_id: str, rows: tuple[Row, ...], cost: Mapping[str, float]) -> bytes:
    """One JSON line."""
    record = {"job_id": job_id, "rows": [row.to_json() for row in rows], "cost": dict(cost)}
    return (json.dumps(record, allow_nan=False, separators=(",", ":")) + "\n").encode()


def append(path: Path, line: bytes) -> None:
    """Append a line and fsync: the commit point."""
    with path.open("ab") as stream:
        stream.write(line)
        stream.flush()
        os.fsync(stream.fileno())


def _row(data: dict[str, Any]) -> Row:
    return Row(**{f.name: _value(data[f.name]) for f in fields(Row) if f.name in data})


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def read_file(path: Path) -> Iterator[LogEntry]:
    """Entries of one log; a torn last line is dropped."""
    for line in path.read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n"):
            return
        try:
            record = json.loads(line)
        except ValueError:
            continue
        yield LogEntry(record["job_id"], tuple(_row(row) for row in record["rows"]), record["cost"])


def read_folder(folder: Path) -> dict[str, LogEntry]:
    """The union of all logs by job id; a finished job outranks a quarantined one."""
    entries: dict[str, LogEntry] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for entry in read_file(path):
            known = entries.get(entry.job_id)
            if known is None or known.quarantined:
                entries[entry.job_id] = entry
    return entries
