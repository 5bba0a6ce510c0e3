"""A dataset's folder: opened once, committed to job by job, compacted at the end."""

import contextlib
import errno
import json
import os
import shutil
import socket
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from datagen.core.errors import OtherRecipe, StoppedEarly, UsageError
from datagen.core.ids import bytes_hash, canonical_json
from datagen.core.row import Bundle, Job, Row
from datagen.store import log
from datagen.store.files import replace_atomic, sync_folders, write_durable
from datagen.store.manifest import cost_bytes, manifest_bytes

MIN_FREE_BYTES = 64 * 2**20


class Dataset:
    """The folder `root` as one writer sees it. Use `Dataset.open`."""

    def __init__(self, root: Path, run: Mapping[str, Any]) -> None:
        self.root = root
        self.run = run
        self._log = root / "log" / f"{log.writer_name()}.jsonl"
        self._workspace = root / "tmp" / f"{log.writer_name()}.{uuid.uuid4().hex}"
        self._entries: dict[str, log.LogEntry] = {}

    @classmethod
    def open(cls, root: Path, run: Mapping[str, Any]) -> "Dataset":
        """Create or join the dataset of this run.

        Raises UsageError (a path the published loader cannot read, not writable), OtherRecipe (the
        folder belongs to another run), StoppedEarly (no space).
        """
        check_output_path(root)
        dataset = cls(root.absolute(), run)
        dataset._claim(canonical_json(run))
        with stops_early():
            for name in ("log", "tmp"):
                (root / name).mkdir(exist_ok=True)
            if shutil.disk_usage(root).free < MIN_FREE_BYTES:
                raise StoppedEarly(f"{root} has less than {MIN_FREE_BYTES >> 20} MiB free; make room, run it again")
            dataset._sweep()
            dataset._workspace.mkdir()
            dataset._entries = log.read_folder(root / "log")
        return dataset

    def _claim(self, text: str) -> None:
        """Write run.json if absent (link: only one writer wins), else compare."""
        path = self.root / "run.json"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                draft = self.root / f".run.{uuid.uuid4().hex}"
                write_durable(draft, (text + "\n").encode())
                with contextlib.suppress(FileExistsError):
                    os.link(draft, path)
                draft.unlink()
            found = path.read_text()
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise StoppedEarly(f"{self.root}: no space left; make room and run it again") from error
            raise UsageError(f"{self.root} cannot be written ({error.strerror}); choose another --out") from error
        if found != text + "\n":
            raise OtherRecipe(_difference(self.root, found, text))

    def _sweep(self) -> None:
        """Remove work areas of dead processes of this host."""
        host = socket.gethostname()
        for folder in (self.root / "tmp").iterdir():
            owner, _, rest = folder.name.rpartition(".")
            name, _, pid = owner.rpartition(".")
            if rest and name == host and pid.isdigit() and not Path(f"/proc/{pid}").exists():
                shutil.rmtree(folder, ignore_errors=True)

    @property
    def entries(self) -> Mapping[str, log.LogEntry]:
        """Committed jobs by id."""
        return self._entries

    def is_done(self, job_id: str) -> bool:
        """Whether the job is committed and not in quarantine."""
        entry = self._entries.get(job_id)
        return entry is not None and not entry.quarantined

    def commit(self, bundle: Bundle) -> tuple[Row, ...]:
        """Files into place, then the log line. Returns the rows with digests. Raises StoppedEarly."""
        with stops_early():
            digests = self._place(bundle.files)
            rows = tuple(replace(row, sha256={p: digests[p] for p in row.sha256}) for row in bundle.rows)
            self._append(bundle.job.job_id, rows, bundle.cost)
        return rows

    def quarantine(self, job: Job, row: Row) -> None:
        """Record a job that could not be done; the next run tries it again."""
        with stops_early():
            self._append(job.job_id, (row,), {})

    def _append(self, job_id: str, rows: tuple[Row, ...], cost: Mapping[str, float]) -> None:
        log.append(self._log, log.entry_line(job_id, rows, cost))
        self._entries[job_id] = log.LogEntry(job_id, rows, cost)

    def _place(self, files: Mapping[str, bytes]) -> dict[str, str]:
        digests, staged = {}, []
        for k, (path, data) in enumerate(sorted(files.items())):
            temporary = self._workspace / str(k)
            write_durable(temporary, data)
            digests[path] = bytes_hash(data)
            staged.append((temporary, self.root / path))
        folders = set()
        for temporary, target in staged:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
            folders |= {target.parent, target.parent.parent}
        sync_folders(folders)
        return digests

    def write_root_file(self, name: str, data: bytes) -> None:
        """Put a file that is a function of the plan (split.json, the card) beside the samples."""
        with stops_early():
            replace_atomic(self.root / name, data, self._workspace)

    def compact(self) -> None:
        """Rewrite manifest.parquet and cost.parquet from the logs."""
        self._entries = log.read_folder(self.root / "log")
        self.write_root_file("manifest.parquet", manifest_bytes(self._entries.values()))
        self.write_root_file("cost.parquet", cost_bytes(self._entries.values()))

    def close(self) -> None:
        """Remove the work area."""
        shutil.rmtree(self._workspace, ignore_errors=True)


def check_output_path(root: Path) -> None:
    """Refuse folders whose path the published loader's string replacements would damage (format, 1.3)."""
    for part in root.absolute().parts:
        if part == "images" or part.startswith("render_") or ".png" in part:
            raise UsageError(f"--out {root}: a folder '{part}' on the way breaks the published loader; choose another")
    if root.exists() and not root.is_dir():
        raise UsageError(f"--out {root} is a file; choose a folder")


@contextlib.contextmanager
def stops_early() -> Iterator[None]:
    """Turn I/O errors midway into StoppedEarly: what is committed stays, running again goes on."""
    try:
        yield
    except OSError as error:
        raise StoppedEarly(
            f"{error.strerror or error} ({error.filename or 'output'}); run it again to go on"
        ) from error


def _difference(root: Path, found: str, wanted: str) -> str:
    try:
        ours, theirs = json.loads(wanted), json.loads(found)
        keys = sorted(k for k in {*ours, *theirs} if ours.get(k) != theirs.get(k))
    except ValueError:
        keys = ["run.json is damaged"]
    return f"{root} holds a run with another {', '.join(keys)}; choose another --out or the recipe it was made with"
