"""A dataset's folder: opened once, committed to job by job, compacted at the end."""

import contextlib
import errno
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from datagen.core.clutter import check_name
from datagen.core.differences import differences_in_words, differing
from datagen.core.errors import OtherRecipe, StoppedEarly, UsageError
from datagen.core.ids import bytes_hash, canonical_json
from datagen.core.row import Bundle, Job, Row
from datagen.store import crash, janitor, log, shards
from datagen.store.claims import Claims
from datagen.store.files import replace_atomic, sync_folders, write_durable
from datagen.store.launch import write_launch
from datagen.store.manifest import cost_bytes, manifest_bytes

MIN_FREE_BYTES = 64 * 2**20
ROOT_NAMES = (
    *("log", "tmp", "manifest.parquet", "cost.parquet", "report.html", "README.md", "shapes.json", "split.json"),
    *("split-count.json", "protocol.json", *janitor.TREES, shards.FOLDER),
)
"""Everything that a build writes beside run.json."""


class Dataset:
    """The folder `root` as one writer sees it. Use `Dataset.open`."""

    def __init__(self, root: Path, run: Mapping[str, Any]) -> None:
        self.root = root
        self.run = run
        self.writer = log.writer_name()
        self._log = root / "log" / f"{self.writer}.jsonl"
        self._workspace = root / "tmp" / self.writer
        self._reader = log.LogReader(root / "log")
        self.claims = Claims(root / "tmp" / "claims", self.writer)

    @classmethod
    def open(cls, root: Path, run: Mapping[str, Any]) -> "Dataset":
        """Create or join the dataset of this run, and tidy up after crashes.

        Raises UsageError (a path the published loader cannot read, not writable), OtherRecipe (the
        folder belongs to another run), StoppedEarly (no space).
        """
        dataset = cls._prepare(root, run)
        with stops_early():
            (root / "log").mkdir(exist_ok=True)
            (root / "tmp" / "claims").mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(root).free < MIN_FREE_BYTES:
                raise StoppedEarly(f"{root} has less than {MIN_FREE_BYTES >> 20} MiB free; make room, run it again")
            crashed = janitor.sweep(root)
            dataset.claims.sweep()
            dataset._workspace.mkdir()
            dataset._reader.refresh()
            if crashed and janitor.is_alone(root, dataset.writer):
                janitor.remove_orphans(root, dataset.entries.values())
        return dataset

    @classmethod
    def _prepare(cls, root: Path, run: Mapping[str, Any]) -> "Dataset":
        check_output_path(root)
        dataset = cls(root.absolute(), run)
        dataset._claim_folder(canonical_json(run))
        return dataset

    @classmethod
    def join(cls, root: Path, run: Mapping[str, Any]) -> "Dataset":
        """A further writer of a dataset that is open already: a worker process of a build.

        It reads no log until it has to: thousands of short-lived workers would each read all of them.
        """
        dataset = cls._prepare(root, run)
        with stops_early():
            dataset._workspace.mkdir()
        return dataset

    def _claim_folder(self, text: str) -> None:
        """Write run.json if absent (link: only one writer wins), else compare."""
        path = self.root / "run.json"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                self._refuse_others(path)
                draft = self.root / f".run.{uuid.uuid4().hex}"
                write_durable(draft, (text + "\n").encode())
                with contextlib.suppress(FileExistsError):
                    os.link(draft, path)
                draft.unlink()
            found = path.read_text(errors="replace")
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise StoppedEarly(f"{self.root}: no space left; make room and run it again") from error
            raise UsageError(f"{self.root} cannot be written ({error.strerror}); choose another --out") from error
        if found != text + "\n":
            raise OtherRecipe(_difference(self.root, found, text))

    def _refuse_others(self, run: Path) -> None:
        """Raise UsageError where a folder without a run holds something by a name that a build writes."""
        taken = sorted(name for name in ROOT_NAMES if _is_taken(self.root / name))
        # Another builder of the same run may have begun meanwhile: then these are ours.
        if taken and not run.exists():
            raise UsageError(
                f"{self.root} is no dataset of datagen (there is no run.json) and holds {', '.join(taken)}, which a "
                "build would write over; choose another --out"
            )

    @staticmethod
    def check_run(root: Path, run: Mapping[str, Any]) -> None:
        """Raise OtherRecipe if the folder's run.json is not `run`."""
        found = (root / "run.json").read_text()
        if found != canonical_json(run) + "\n":
            raise OtherRecipe(_difference(root, found, canonical_json(run)))

    @property
    def entries(self) -> Mapping[str, log.LogEntry]:
        """Committed jobs by id, as of the last look at the logs."""
        return self._reader.entries

    def refresh(self) -> None:
        """Look at what other writers have committed since."""
        self._reader.refresh()

    def glance(self) -> None:
        """Look at it before a job, at a cost that does not grow with the number of logs (`LogReader.glance`)."""
        self._reader.glance()

    def is_done(self, job_id: str) -> bool:
        """Whether the job is committed and not in quarantine."""
        entry = self.entries.get(job_id)
        return entry is not None and not entry.quarantined

    def commit(self, bundle: Bundle) -> tuple[Row, ...]:
        """Files into place, then the log line. Returns the rows with digests. Raises StoppedEarly.

        A job that another writer committed meanwhile stays as it is: equal files are dropped, other
        files mean that the job is not deterministic, which becomes a quarantine row of its own.
        """
        job_id = bundle.job.job_id
        with stops_early():
            digests = {path: bytes_hash(data) for path, data in bundle.files.items()}
            rows = tuple(replace(row, sha256={p: digests[p] for p in row.sha256}) for row in bundle.rows)
            files = self._laid_out(job_id, bundle.files)
            # A committed job has its last file in place. So has one whose writer died before the log line.
            if files and (self.root / max(files)).exists():
                self.refresh()
                if self.is_done(job_id):
                    self._compare(job_id, rows)
                    return self.entries[job_id].rows
            crash.point("before-files")
            self._place(files)
            crash.point("before-log")
            self._append(job_id, rows, bundle.cost)
            crash.point("after-log")
        return rows

    def _compare(self, job_id: str, rows: tuple[Row, ...]) -> None:
        known = {path: digest for row in self.entries[job_id].rows for path, digest in row.sha256.items()}
        ours = {path: digest for row in rows for path, digest in row.sha256.items()}
        if known != ours:
            differing = sorted(p for p in {*known, *ours} if known.get(p) != ours.get(p))
            why = replace(
                rows[0], row_type="quarantine", status="quarantined", reason="nondeterministic", detail=differing[0]
            )
            self._append(job_id, (replace(why, sha256={}),), {})

    def quarantine(self, job: Job, row: Row) -> None:
        """Record a job that could not be done; the next run tries it again."""
        with stops_early():
            self._append(job.job_id, (row,), {})

    def supersede(self, job_ids: Iterable[str]) -> None:
        """Strike out quarantined jobs that the plan has no more: their shapes have been mended."""
        with stops_early():
            for job_id in job_ids:
                self._append(job_id, (), {"superseded": True})
            self.refresh()

    def _append(self, job_id: str, rows: tuple[Row, ...], cost: Mapping[str, Any]) -> None:
        log.append(self._log, log.entry_line(job_id, rows, {"t": round(time.time(), 3), **cost}))

    def _laid_out(self, job_id: str, files: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """The files as this dataset keeps them: loose, or one tar a job."""
        if self.run.get("layout") != "shards" or not files:
            return files
        return {shards.job_tar(job_id): shards.tar_bytes(files)}

    def pack(self, jobs: Sequence[Job]) -> int:
        """Pack finished jobs into shards, in the order given, if no other writer is at work."""
        with stops_early():
            self.refresh()
            if not janitor.is_alone(self.root, self.writer):
                return 0
            files_of = {
                entry.job_id: [path for row in entry.rows for path in row.sha256] for entry in self.entries.values()
            }
            return shards.pack(self.root, jobs, files_of, self._workspace)

    def _place(self, files: Mapping[str, bytes]) -> None:
        staged = []
        for k, (path, data) in enumerate(sorted(files.items())):
            temporary = self._workspace / str(k)
            write_durable(temporary, data)
            staged.append((temporary, self.root / path))
        crash.point("after-fsync")
        folders = set()
        for k, (temporary, target) in enumerate(staged):
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
            folders |= {target.parent, target.parent.parent}
            if 2 * k >= len(staged):
                crash.point("mid-rename")
        sync_folders(folders)

    def scratch(self, name: str) -> Path:
        """A path in this writer's work area; gone when it closes or dies."""
        return self._workspace / name

    def write_root_file(self, name: str, data: bytes) -> None:
        """Put a file that is a function of the plan (split.json, the card) beside the samples."""
        with stops_early():
            replace_atomic(self.root / name, data, self._workspace)

    def note_launch(self, launch: Mapping[str, Any]) -> None:
        """Note how this build was started, beside the logs."""
        with stops_early():
            write_launch(self.root, launch, self._workspace)

    def compact(self) -> None:
        """Rewrite manifest.parquet and cost.parquet from the logs.

        Another builder may finish at the same time: if its last jobs came in while we wrote, write again.
        """
        self.refresh()
        written = -1
        while written != len(self.entries):
            written = len(self.entries)
            crash.point("before-compact")
            self.write_root_file("manifest.parquet", manifest_bytes(self.entries.values()))
            crash.point("mid-parquet")
            self.write_root_file("cost.parquet", cost_bytes(self.entries.values()))
            self.refresh()

    def close(self) -> None:
        """Remove the work area, and those of worker processes that have ended."""
        shutil.rmtree(self._workspace, ignore_errors=True)
        janitor.sweep(self.root)


def check_output_path(root: Path) -> None:
    """Refuse folders whose path the published loader's string replacements would damage."""
    for part in root.absolute().parts:
        if part == "images" or part.startswith("render_") or ".png" in part:
            raise UsageError(f"--out {root}: a folder '{part}' on the way breaks the published loader; choose another")
    if root.exists() and not root.is_dir():
        raise UsageError(f"--out {root} is a file; choose a folder")
    check_name(root.absolute())


@contextlib.contextmanager
def stops_early() -> Iterator[None]:
    """Turn I/O errors midway into StoppedEarly: what is committed stays, running again goes on."""
    try:
        yield
    except OSError as error:
        raise StoppedEarly(
            f"{error.strerror or error} ({error.filename or 'output'}); run it again to go on"
        ) from error


def _is_taken(path: Path) -> bool:
    """Whether a file, or a folder with something in it, is there already."""
    if path.is_dir() and not path.is_symlink():
        return any(path.iterdir())
    return path.exists() or path.is_symlink()


def _difference(root: Path, found: str, wanted: str) -> str:
    try:
        there = json.loads(found)
        if not isinstance(there, dict) or not there.keys() & json.loads(wanted).keys():
            raise ValueError("no run.json of ours")
        pairs = differing(json.loads(wanted), there)
    except ValueError:
        return f"{root} holds a run.json that is damaged or of another program; choose another --out"
    if "recipe.kind" in pairs:
        asked, kind = pairs["recipe.kind"]
        return f"{root} holds a dataset of kind {kind}, not {asked}; choose another --out"
    # Hashes only say again that something differs, and the recipe holds the seed.
    repeats = {"recipe_hash", "collection_hash", *(["seed"] if "recipe.seed" in pairs else [])}
    what = differences_in_words({key: pair for key, pair in pairs.items() if key not in repeats})
    return f"{root} holds a run with another {what or 'set of shapes'}; choose another --out or ask for what is there"
